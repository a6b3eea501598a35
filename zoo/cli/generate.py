"""`zoo generate`: a text, shown while it is written, or pictures in a file."""

import signal
import sys
from dataclasses import asdict
from importlib import import_module

import click
from click.core import ParameterSource

from zoo.cli.common import NOT_EMPTY, as_json, load_api, print_json, seed_of
from zoo.decoding.options import SamplingOptions
from zoo.errors import Interrupted, UserError
from zoo.pretrained import find

_FREE = SamplingOptions()


@click.command()
@click.argument("what", metavar="MODEL")
@click.option(
    "--prompt",
    default="",
    metavar="TEXT",
    help="How the text begins: words, a UTF-8 text file, or - for standard input. [nothing]",
)
@click.option(
    "--length",
    default=_FREE.length,
    show_default=True,
    help="Tokens to add: characters or words.",
)
@click.option(
    "--temperature",
    default=_FREE.temperature,
    show_default=True,
    help="0 takes the likeliest token each time; the higher, the wilder.",
)
@click.option("--top-k", default=_FREE.top_k, help="Draw from the K likeliest tokens. [all]")
@click.option(
    "--top-p",
    default=_FREE.top_p,
    help="Draw from the likeliest tokens that hold this share of the probability. [all]",
)
@click.option("--count", type=int, metavar="N", help="Pictures to paint, into one file. [16]")
@click.option(
    "--output",
    type=NOT_EMPTY,
    metavar="FILE",
    help="Where a model that paints writes its pictures: .png, .gif to watch them become, or .svg "
    "of strokes.",
)
@seed_of("the draws")
@as_json
def generate(
    what: str,
    prompt: str,
    length: int,
    temperature: float,
    top_k: int,
    top_p: float,
    count: int | None,
    output: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Continue a text with the language model MODEL, shown while it is written; or paint pictures.

    MODEL is a run's folder, an export, or the name of a ready-trained model. The same seed writes
    the same text, and paints the same pictures. A model that paints takes --count, --output and
    --seed alone.

    \b
    Examples:
      zoo generate char-lstm --prompt "The function "
      zoo generate runs/char-lstm/1 --prompt "The function "
      zoo generate runs/word-lstm/1 --length 100 --temperature 1 --top-p 0.9 --seed 7
      echo "A list" | zoo generate runs/char-lstm/1 --prompt - --top-k 5
      zoo generate runs/draw-digits/1 --count 16 --output digits.gif
    """
    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    sampling = SamplingOptions(length, temperature, top_k, top_p, seed)
    find(what)
    if output:
        _refuse_text_options()
        paintings = {"count": 16 if count is None else count, "seed": seed}
        path = load_api().generate_pictures(what, output, **paintings)
        if as_json:
            print_json({"file": str(path), **paintings})
        else:
            print(path)
        return
    if count is not None:
        raise UserError("--count is of pictures: give --output FILE.png, or .gif, as well")
    text = _incoming() if prompt == "-" else None
    load_api()
    if text is None:
        text = import_module("zoo.readers.text").read_text(prompt)
    parts = import_module("zoo.api.generate").generate(what, text, **asdict(sampling))

    try:
        if as_json:
            print_json({"prompt": text, "text": "".join(parts), **asdict(sampling)})
            return
        for part in parts:
            print(part, end="", flush=True)
        print()
    except Interrupted:
        raise
    except KeyboardInterrupt:
        # Whoever has read enough is told nothing.
        print(flush=True)
        raise click.exceptions.Exit(128 + signal.SIGINT) from None


def _refuse_text_options() -> None:
    """Raise UserError if an option of texts was typed beside one of pictures."""
    context = click.get_current_context()
    for name in ("prompt", *asdict(_FREE)):
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name != "seed" and typed:
            raise UserError(f"--{name.replace('_', '-')} is for texts, --output for pictures")


def _incoming() -> str:
    """Return what standard input says."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"standard input is not UTF-8 text (byte {error.start}): convert it first"
        ) from error

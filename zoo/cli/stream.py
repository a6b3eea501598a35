"""`zoo stream`: predictions while the input comes."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import click

from zoo.cli.common import load_api
from zoo.errors import Interrupted, UserError
from zoo.pretrained import find


@click.command()
@click.argument("what", metavar="MODEL")
@click.option(
    "--input",
    "given",
    metavar="FILE",
    help="A text, a video, an image, or lines of numbers, as the model asks. [standard input]",
)
@click.option("--camera", metavar="DEVICE", help="Frames as they come, such as /dev/video0.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def stream(what: str, given: str | None, camera: str | None, as_json: bool) -> None:
    """Print what MODEL says of an input while it comes: text, frames, or lines of numbers.

    MODEL is an export, or the name of a ready-trained model. Its state goes from each time step to
    the next and never starts anew, so that the input may be of any length. What is printed of a
    text: of a tagger the runs of each class; of a language model what may come next; of a
    classifier the class so far. Bytes that are not UTF-8 are read as U+FFFD, so that a stream goes
    on. Control-C ends it.

    \b
    Examples:
      cat program.py | zoo stream highlight-gru
      zoo stream char-lstm --input notes.txt --json
      tail -f sensors.csv | zoo stream my-model
      zoo stream video-gru --input clip.mp4
      zoo stream video-gru --camera /dev/video0
    """
    try:
        # Found wrong before TensorFlow is imported, so that the answer comes at once.
        description = import_module("zoo.exporting.manifest")
        path = find(what)
        description.check_streams(path)
        said = description.read_description(path)
        pieces = _pieces(said["input"], given, camera, said["options"])
        load_api()
        predictions = import_module("zoo.api.stream").open_stream(path).predict(pieces)
        show = _json if as_json else _Runs() if _is_tagger(said) else _line(said["input"])
        for told in predictions:
            print(show(told), end="", flush=True)
        if isinstance(show, _Runs):
            print(show.end, end="", flush=True)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        # Whoever has seen enough is told nothing.
        raise click.exceptions.Exit(128 + signal.SIGINT) from None


def _pieces(
    kind: str, given: str | None, camera: str | None, options: dict[str, Any]
) -> Iterator[Any]:
    """What is read, piece by piece."""
    sources = import_module("zoo.readers.streams")
    if given and camera:
        raise UserError("--input and --camera exclude each other: pass one of them")
    if camera:
        if kind != "video":
            raise UserError(f"--camera gives frames, but the model takes {kind}: pass --input")
        return sources.camera_pieces(camera, **options)
    if given:
        return sources.file_pieces(kind, given, **options)
    if kind in ("video", "image"):
        more = " or --camera DEVICE" if kind == "video" else ""
        raise UserError(f"the model takes {kind}, which has to be a file: pass --input FILE{more}")
    texts = sources.text_pieces(sys.stdin.buffer)
    return texts if kind == "text" else sources.number_pieces(texts, sources.STANDARD_INPUT)


def _is_tagger(said: dict[str, Any]) -> bool:
    """Whether each character has a class of its own."""
    return said.get("config", {}).get("task") == "tagging"


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False) + "\n"


def _line(kind: str) -> Callable[[dict[str, Any]], str]:
    """What makes a line of a prediction, the number of its step or what was read before it."""
    unit = {"video": "frame", "text": ""}.get(kind, "step")

    def show(told: dict[str, Any]) -> str:
        start = f"{unit} {told['step']}" if unit else json.dumps(told["input"], ensure_ascii=False)
        if "next" in told:
            pairs = zip(told["next"], told["probabilities"])
            said = "  ".join(
                f"{json.dumps(token, ensure_ascii=False)} {share:.0%}" for token, share in pairs
            )
        else:
            sure = f" ({told['probability']:.0%})" if "probability" in told else ""
            said = told["text"] + sure
        return f"{start:<12} {said}\n"

    return show


class _Runs:
    """A line `class: characters` for each run of one class, as an export's `serve` writes them.

    Example:
        >>> show = _Runs()
        >>> pairs = zip("if 10", ["keyword"] * 2 + ["whitespace"] + ["number"] * 2)
        >>> print("".join(show({"input": character, "text": kind}) for character, kind in pairs))
        keyword: if
        number: 10
    """

    def __init__(self) -> None:
        self._before, self.end = "", ""

    def __call__(self, told: dict[str, Any]) -> str:
        character, kind = told["input"], told["text"]
        if kind == "whitespace" and character in "\t\n\f\r ":
            self._before = ""
            return ""
        heading = "" if kind == self._before else f"{self.end}{kind}: "
        self._before, self.end = kind, "\n"
        return heading + character.replace("\n", r"\n")

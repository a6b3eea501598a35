"""`zoo stream`: predictions while the input comes."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from zoo import registry
from zoo.cli.common import load_api
from zoo.errors import Interrupted, UserError
from zoo.pretrained import find


@click.command()
@click.argument("what", metavar="MODEL")
@click.option(
    "--input",
    "file",
    metavar="FILE",
    help="A text, a video, an image, a series, or lines of numbers, as the model asks. "
    "[standard input]",
)
@click.option("--camera", metavar="DEVICE", help="Frames as they come, such as /dev/video0.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def stream(what: str, file: str | None, camera: str | None, as_json: bool) -> None:
    """Print what MODEL says of an input while it comes: text, frames, or lines of numbers.

    MODEL is an export, or the name of a ready-trained model. Its state goes from each time step to
    the next and never starts anew, so that the input may be of any length. What is printed of a
    text: of a tagger the runs of each class; of a language model what may come next; of a
    classifier the class so far. Of a series, lines `time,value` or `value`: at which quantile of
    the forecast before it the value fell, and the next forecast. Bytes that are not UTF-8 are read
    as U+FFFD, so that a stream goes on. Control-C ends it.

    \b
    Examples:
      cat program.py | zoo stream highlight-gru
      zoo stream char-lstm --input notes.txt --json
      tail -f sensors.csv | zoo stream my-model
      tail -f sales.csv | zoo stream my-forecasts --json
      zoo stream video-gru --input clip.mp4
      zoo stream video-gru --camera /dev/video0
    """
    try:
        # Found wrong before TensorFlow is imported, so that the answer comes at once.
        path = find(what)
        manifest = import_module("zoo.exporting.manifest").check_streamed(path)
        kind = import_module("zoo.readers.modality").modality(manifest["input"])
        pieces = _pieces(kind, file, camera, manifest["options"])
        load_api()
        predictions = import_module("zoo.api.stream").open_stream(path, manifest).predict(pieces)
        show = _json if as_json else _shown_as(manifest, kind.unit)
        for prediction in predictions:
            print(show(prediction), end="", flush=True)
        if isinstance(show, _Runs):
            print(show.end, end="", flush=True)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        # Whoever has seen enough is told nothing.
        raise click.exceptions.Exit(128 + signal.SIGINT) from None


def _pieces(
    kind: Any, file: str | None, camera: str | None, options: dict[str, Any]
) -> Iterator[Any]:
    """Return what is read, piece by piece."""
    if file and camera:
        raise UserError("--input and --camera exclude each other: pass one of them")
    if camera:
        return kind.camera(camera, **options)
    if not file:
        return kind.standard_input(sys.stdin.buffer, **options)
    if not Path(file).exists():
        raise UserError(f"there is no file {file}: --input takes the path of a {kind.name} file")
    return kind.pieces(Path(file), **options)


def _shown_as(manifest: dict[str, Any], unit: str) -> Callable[[dict[str, Any]], str]:
    """Return what makes text of predictions, as the task of the export is registered to stream."""
    task = registry.entries("task").get(manifest["config"].get("task", ""))
    if task and task.info.get("stream") == "runs":
        return _Runs()
    return partial(_line, unit)


def _json(prediction: dict[str, Any]) -> str:
    return json.dumps(prediction, ensure_ascii=False) + "\n"


def _line(unit: str, prediction: dict[str, Any]) -> str:
    """Return a line of a prediction, the number of its step or what was read before it."""
    start = f"{unit} {prediction['step']}"
    if not unit:
        start = json.dumps(prediction["input"], ensure_ascii=False)
    if "next" in prediction:
        pairs = zip(prediction["next"], prediction["probabilities"])
        answer = "  ".join(
            f"{json.dumps(token, ensure_ascii=False)} {share:.0%}" for token, share in pairs
        )
    else:
        sure = f" ({prediction['probability']:.0%})" if "probability" in prediction else ""
        answer = prediction["text"] + sure
    return f"{start:<12} {answer}\n"


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

    def __call__(self, prediction: dict[str, Any]) -> str:
        character, kind = prediction["input"], prediction["text"]
        if kind == "whitespace" and character in "\t\n\f\r ":
            self._before = ""
            return ""
        heading = "" if kind == self._before else f"{self.end}{kind}: "
        self._before, self.end = kind, "\n"
        return heading + character.replace("\n", r"\n")

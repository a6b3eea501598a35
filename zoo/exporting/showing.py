"""Answers that a card shows, some right and some wrong, and the same inputs read back."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from rich.console import Console
from rich.progress import track

from zoo.task import Case, Task
from zoo.topologies.base import SequenceModel

FOLDER = "examples"
_EACH = 3
_TRIED = 200


def show_examples(model: SequenceModel, task: Task, folder: Path) -> list[dict[str, Any]]:
    """Up to three right and three wrong answers to inputs of the test split.

    Args:
        model: a built model.
        task: what it is for.
        folder: of the export. Inputs that are no text are written to `examples/` in it: pictures,
            and clips as one picture of all frames side by side, as PNG; other arrays as npy.

    Returns:
        A dict each: `text` or `file`, the input, and of a clip the number of `frames`; `answer`,
        `expected`, and `right`, which is None where no answer is right or wrong.
    """
    serve = task.endpoints(model)["serve"]
    console, shown = Console(stderr=True), []
    missing = {True: _EACH, False: _EACH, None: _EACH}
    cases = task.cases(_TRIED)
    for case in track(cases, "looking for examples", console=console, transient=True):
        answer = answer_to(serve, case.raw)
        right = bool(case.is_right(answer)) if case.is_right else None
        if missing[right]:
            missing[right] -= 1
            shown.append((case, answer, right))
        if not (missing[None] and (missing[True] or missing[False])):
            break
    # The right ones first.
    shown.sort(key=lambda each: each[2] is False)
    return [
        {**_keep(case, number, folder), "answer": answer, "expected": case.expected, "right": right}
        for number, (case, answer, right) in enumerate(shown, start=1)
    ]


def answer_to(serve: Any, raw: Any) -> str:
    """The `text` that an endpoint gives to one raw input."""
    return serve(tf.expand_dims(raw, 0))["text"].numpy()[0].decode()


def read_example(example: dict[str, Any], folder: Path) -> Any:
    """The raw input of an example of a card, as `serve` takes it.

    Raises:
        OSError: its file is not there.
    """
    if "text" in example:
        return example["text"]
    path = folder / example["file"]
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if "frames" not in example:
        return path.read_bytes()
    pixels = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    return np.stack(np.split(pixels, example["frames"], axis=1))


def _keep(case: Case, number: int, folder: Path) -> dict[str, Any]:
    """An input as the card has it, its file written."""
    if isinstance(case.raw, str):
        return {"text": case.raw}
    (folder / FOLDER).mkdir(exist_ok=True)
    stem = folder / FOLDER / str(number)
    if isinstance(case.raw, bytes):
        path = stem.with_suffix(".png")
        path.write_bytes(case.raw)
        return {"file": _name(path, folder)}
    if case.raw.ndim == 4:
        path = stem.with_suffix(".png")
        Image.fromarray(np.concatenate(list(case.raw), axis=1)).save(path, optimize=True)
        return {"file": _name(path, folder), "frames": len(case.raw)}
    path = stem.with_suffix(".npy")
    np.save(path, case.raw)
    return {"file": _name(path, folder)}


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()

"""The public face: a dozen functions, from a model's name to its SavedModel."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track

from zoo.arguments import reason
from zoo.cell_card import cell_card
from zoo.compare import compare_cells, summary
from zoo.errors import UserError
from zoo.exporting.description import is_export
from zoo.exporting.endpoints import numeric_endpoints
from zoo.exporting.export import check_formats, check_target, write_export
from zoo.exporting.keras_file import load_keras
from zoo.exporting.saved_model import load_saved_model
from zoo.fitting import fit, resume
from zoo.inputs import read_beginning, read_clip_parts, read_input
from zoo.plans import create
from zoo.restoring import config_of, folder_of, restore
from zoo.runs import Run
from zoo.task import Task

__all__ = [
    "cell_card",
    "compare_cells",
    "create",
    "evaluate",
    "export",
    "fit",
    "load",
    "plot",
    "predict",
    "resume",
    "summary",
]


def load(what: Run | str | Path) -> keras.Model:
    """The trained Keras model of a run, of an export, or a ready-trained one by name.

    No code from a file is run for it: the model is built from its description, and the weights are
    read as numbers. The model of a `.keras` file is read, too, if it holds nothing but layers of
    Keras and the zoo.

    Raises:
        UserError: there is no such folder, file or name, or it cannot be read, or is not safe.
    """
    if isinstance(what, str | Path) and Path(what).suffix == ".keras":
        return load_keras(Path(what))
    return restore(what)[0]


def evaluate(
    what: Run | str | Path,
    split: str = "test",
    dataset: str | None = None,
    data_dir: str | None = None,
) -> dict[str, Any]:
    """The figures of a model's task on a split.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        split: "train", "validation" or "test".
        dataset: another data set than the one it was trained on.
        data_dir: folder of prepared data sets, if not that of the training.

    Raises:
        UserError: the model or the data set cannot be read.
    """
    _check_split(split)
    model, task, settings = restore(what)
    task.dataset = dataset or task.dataset
    task.data_dir = data_dir or task.data_dir
    return task.score(model, split, settings)


def _check_split(split: str) -> None:
    if split not in ("train", "validation", "test"):
        raise UserError(f"unknown split {split!r}: expected train, validation or test")


def predict(what: Run | str | Path, *inputs: str) -> list[dict[str, Any]]:
    """Readable predictions for raw inputs.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        *inputs: text or paths, see `zoo.inputs.read_input`.

    Returns:
        For each input a dict with `text`, the answer, and whatever else the task tells, such as
        `probability`.

    Raises:
        UserError: the model or an input cannot be read.
    """
    path = folder_of(what)
    if is_export(path):
        # The object must outlive the calls: its variables die with it.
        endpoints, description = load_saved_model(path)
        kind, options = description["input"], description["options"]
    else:
        model, task, _ = restore(path)
        endpoints = SimpleNamespace(**task.endpoints(model), **numeric_endpoints(model))
        kind, options = task.input_kind, task.input_options()
    # One at a time, as clips differ in length and size.
    if kind == "video" and hasattr(endpoints, "serve_part"):
        return [_watch(endpoints, given, options) for given in inputs]
    raw = [read_input(kind, given, **options) for given in inputs]
    return [_answer(endpoints.serve, one, name) for one, name in zip(raw, inputs)]


def _answer(served: Any, raw: Any, name: str) -> dict[str, Any]:
    with _sizes_told(name):
        return _readable(served(tf.expand_dims(raw, 0)))


def _watch(endpoints: Any, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The answer to a video of any length, which is read and shown part by part."""
    state, confidence = endpoints.initial_state(1), []
    parts = read_clip_parts(name, **options)
    with _sizes_told(name):
        for part in track(parts, "watching", console=Console(stderr=True), transient=True):
            outputs, state = endpoints.serve_part(tf.expand_dims(part, 0), state)
            answer = _readable(outputs)
            confidence += answer["confidence"]
    return {**answer, "confidence": confidence}


@contextmanager
def _sizes_told(name: str) -> Iterator[None]:
    """What does not fit into the model is the user's."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"{name[:60]} cannot be taken: {reason(error)}") from error
    except TypeError as error:
        said = " ".join(str(error).split())
        raise UserError(f"{name} is not of the size that the model takes: {said}") from error


def _readable(outputs: dict[str, Any]) -> dict[str, Any]:
    """The only row of each output as plain Python values."""
    return {key: _plain_python(value.numpy()[0]) for key, value in outputs.items()}


def _plain_python(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    listed = np.asarray(value).tolist()
    return [_plain_python(part) for part in listed] if isinstance(listed, list) else listed


def plot(
    what: Run | str | Path,
    *inputs: str,
    split: str = "test",
    data_dir: str | None = None,
    path: str | Path | None = None,
) -> list[Path]:
    """Draw what a model looked at, or how sure it was; or its answers to a whole split.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        *inputs: text or paths, each for a picture of its own; none for one of the split. Of a
            video the first 2,000 frames are drawn.
        split: "train", "validation" or "test".
        data_dir: folder of prepared data sets, if not that of the training.
        path: the file to write, whose ending says the format; of several inputs each gets a
            number. If not given, `plot.png` in the run's folder `figures`; of an export in the
            current folder, with a number if such a file is there.

    Returns:
        The files written.

    Raises:
        UserError: the model or an input cannot be read, the task has nothing to draw, or the format
            is not known.
    """
    _check_split(split)
    folder = folder_of(what)
    usual = Path() if is_export(folder) else folder / "figures"
    keep = is_export(folder) and not path
    path = Path(path) if path else usual / "plot.png"
    known = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:] not in known:
        raise UserError(f"{path} has no known ending: use one of {', '.join(sorted(known))}")
    model, task, settings = restore(folder)
    task.data_dir = data_dir or task.data_dir
    if not inputs:
        figures = [task.report(model, split, settings)]
    else:
        raws = [_to_draw(task, given) for given in inputs]
        figures = [task.figure(model, raw) for raw in raws]
    drawn = dict(zip(_names(path, len(figures), keep), figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, figure in drawn.items():
        figure.savefig(name, dpi=120)
    return list(drawn)


def _names(path: Path, number: int, keep: bool) -> list[Path]:
    """So many files to write, numbered if there are several; also to `keep` what is there."""
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in count(1))
    names = numbered if number > 1 else chain([path], numbered)
    return list(islice((name for name in names if not (keep and name.exists())), number))


def _to_draw(task: Task, given: str) -> Any:
    """A raw input; of a long video the beginning, which is what a picture has room for."""
    if task.input_kind != "video":
        return read_input(task.input_kind, given, **task.input_options())
    clip, more = read_beginning(given, **task.input_options())
    if more:
        print(f"{given} is long: only its first {len(clip)} frames are drawn", file=sys.stderr)
    return clip


def export(
    what: Run | str | Path,
    path: str | Path,
    overwrite: bool = False,
    formats: Sequence[str] = ("saved_model",),
    figures: bool = True,
    data_dir: str | None = None,
) -> Path:
    """Write a model as a SavedModel that takes raw input and gives readable output, with its card.

    The outputs of each form are compared with those of the model on a test batch, which is the
    certificate on the card.

    Args:
        what: a run, its folder, another export, or the name of a ready-trained model.
        path: the folder to write.
        overwrite: replace the export that is there.
        formats: "litert", "litert_quantised" (with weights of 8 bits) and "onnx" are written beside
            the SavedModel, which is always there.
        figures: measure the test split, and show answers on the card; takes up to some minutes.
        data_dir: folder of prepared data sets, if not that of the training.

    Returns:
        The path.

    Raises:
        UserError: the model or its data cannot be read; a format needs a package that is missing;
            the path exists or cannot be written; or an output differs by more than 1e-4. Nothing
            is left behind then.
    """
    # Before the model is loaded, so that the answer comes at once.
    if not str(path):
        raise UserError("the path to write the export to is empty: name a folder")
    path = Path(path)
    check_target(path, overwrite)
    check_formats(formats)
    folder = folder_of(what)
    model, task, settings = restore(folder)
    task.data_dir = data_dir or task.data_dir
    config = config_of(folder)
    write_export(model, task, settings, config, folder, path, formats, figures, overwrite)
    return path

"""`zoo.predict`: readable answers to raw inputs."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from zoo import registry
from zoo.api.load import folder_of, restore
from zoo.api.run import Run
from zoo.errors import UserError
from zoo.exporting.endpoints import concrete
from zoo.exporting.formats.saved_model import load_saved_model
from zoo.exporting.manifest import is_export
from zoo.readers.modality import Modality, modality, split_batches
from zoo.recurrence.compiling import Compile, compiled
from zoo.utils.progress import progress
from zoo.utils.validation import reason


@compiled(Compile.FREQUENT)
def predict(
    what: Run | str | Path,
    *inputs: Any,
    batch_size: int = 32,
    horizon: int | None = None,
    paths: int | None = None,
) -> list[dict[str, Any]]:
    """Predict from raw inputs, readably.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        *inputs: what the model's modality reads, see `zoo.readers`: texts or paths, a `Path`, the
            bytes of a file, or an array: `[T, D]` of numbers, `[h, w, 3]` or `[T, h, w, 3]` of
            uint8. A list of inputs, or an array with one axis more, stands for each of them, and a
            table of series over time for each series.
        batch_size: how many are predicted at once, at most. Inputs of one shape go together where
            each then has the answer that it has alone; others go one by one.
        horizon: steps of a forecast, if fewer than the model's are wanted; or more, of a model that
            draws paths.
        paths: of a model that looks along paths of its own, how many are drawn of each picture; the
            answer has `text_of_paths` of all of them together, beside `text`, which is without
            chance.

    Returns:
        For each input a dict with `text`, the answer, and whatever else the task tells, such as
        `probability`; of a series `unique_id`, and for each step `ds`, `forecast`, the median, and
        the ends of intervals, `lo-80` and so on.

    Raises:
        UserError: the model or an input cannot be read.
    """
    if batch_size < 1:
        raise UserError(f"batch_size is {batch_size}, but 1 or more is needed")
    return Predictor(what)(*inputs, batch_size=batch_size, horizon=horizon, paths=paths)


class Predictor:
    """A model that is loaded once and asked often, as `predict` asks it.

    Args:
        what: as of `predict`.

    Raises:
        UserError: the model cannot be read.
    """

    def __init__(self, what: Run | str | Path) -> None:
        path = folder_of(what)
        if is_export(path):
            # The object must outlive the calls: its variables die with it.
            self.endpoints, manifest = load_saved_model(path)
        else:
            trained = restore(path)
            self.endpoints = SimpleNamespace(**trained.endpoints, **trained.numeric)
            manifest = {
                "input": trained.task.input_kind,
                "options": trained.task.input_options(),
                "config": trained.config.to_json(),
            }
        self.kind, self.options = modality(manifest["input"]), manifest["options"]
        self._task = manifest["config"].get("task", "")

    def __call__(
        self,
        *inputs: Any,
        batch_size: int = 32,
        horizon: int | None = None,
        paths: int | None = None,
    ) -> list[dict[str, Any]]:
        """Predict, see `predict`."""
        kind, options, task_name = self.kind, self.options, self._task
        serve, more = self.endpoints.serve, {}
        if horizon is not None:
            goes_on = hasattr(self.endpoints, "forecast")
            options = kind.with_horizon(horizon, goes_on, **options)
            if goes_on:
                serve, more = self.endpoints.forecast, {"horizon": tf.constant(horizon)}
        if paths is not None:
            if not hasattr(self.endpoints, "average"):
                raise UserError("the model averages no drawn paths: leave out paths")
            serve, more = self.endpoints.average, {"paths": tf.constant(paths)}
        answer = partial(_answers, kind, serve, more)
        sources = split_batches(kind, inputs, **options)
        names = [kind.title(source) or _name(source) for source in sources]
        together = batch_size if _rows_are_alike(serve, kind, task_name) else 1
        answers: dict[int, dict[str, Any]] = {}
        batches: dict[Hashable, dict[int, Any]] = {}
        for place, source in enumerate(sources):
            if hasattr(self.endpoints, "serve_part"):
                parts = kind.parts(source, **options)
            else:
                parts = iter([kind.read(source, **options)])
            first, second = next(parts), next(parts, None)
            if second is not None:
                answers[place] = _watch(self.endpoints, chain([first, second], parts), names[place])
                continue
            key = kind.batch_key(first)
            batches.setdefault(key, {})[place] = first
            if len(batches[key]) == together:
                answers |= answer(batches.pop(key), names)
        for batch in batches.values():
            answers |= answer(batch, names)
        return [kind.answer(source, answers[at], **options) for at, source in enumerate(sources)]


def _rows_are_alike(serve: Any, kind: Modality, task: str) -> bool:
    """Return whether an input has the answer beside others that it has alone.

    Not where answers are drawn at random; nor where a part of an answer is as long as the longest
    in the batch: as there is where inputs may differ in length, but outputs have no fixed size.
    """
    entry = registry.entries("task").get(task)
    if entry is None or entry.info.get("draws"):
        return False
    outputs = concrete(serve).structured_outputs.values()
    return bool(kind.shape) or all(None not in output.shape[1:] for output in outputs)


def _answers(
    kind: Modality,
    serve: Any,
    more: dict[str, Any],
    batch: dict[int, Any],
    names: Sequence[str],
) -> dict[int, Any]:
    """Return the answers to raw inputs that fit together, by their places among the sources."""
    first = names[next(iter(batch))]
    with _shape_errors(first):
        # Each by itself: of a list of arrays TensorFlow would choose the type.
        raws = [tf.convert_to_tensor(raw) for raw in kind.alike([*batch.values()])]
        inputs = tf.stack(raws)
        _check_shape(serve, inputs, first)
        try:
            outputs = serve(inputs, **more)
        except tf.errors.InvalidArgumentError:
            if len(batch) == 1:
                raise
            # Alone, to name the one that cannot be taken.
            each = (_answers(kind, serve, more, {at: raw}, names) for at, raw in batch.items())
            return {place: answer for one in each for place, answer in one.items()}
    return {place: _readable(outputs, row) for row, place in enumerate(batch)}


def _check_shape(serve: Any, inputs: Any, name: str) -> None:
    """Check that a batch is of the shape that an endpoint takes.

    Raises:
        UserError: it is not.
    """
    shape = tf.nest.flatten(concrete(serve).structured_input_signature)[0].shape
    if not shape.is_compatible_with(inputs.shape):
        wanted = ", ".join("any" if size is None else str(size) for size in shape[1:])
        raise UserError(
            f"{name} is of the shape {inputs.shape[1:].as_list()}, but the model takes [{wanted}]"
        )


def _name(source: Any) -> str:
    # The end of a path says which file it is.
    name = str(source)[-60:] if isinstance(source, str | Path) else ""
    return name if name.strip() else "the input"


def _watch(endpoints: Any, parts: Iterable[Any], name: str) -> dict[str, Any]:
    """Answer to an input of any length, which is read and shown part by part."""
    state, confidence = endpoints.initial_state(1), []
    with _shape_errors(name):
        for part in progress(parts, "watching"):
            outputs, state = endpoints.serve_part(tf.expand_dims(part, 0), state)
            answer = _readable(outputs, 0)
            confidence += answer.get("confidence", [])
    return {**answer, **({"confidence": confidence} if confidence else {})}


@contextmanager
def _shape_errors(name: str) -> Iterator[None]:
    """Raise UserError for what does not fit into the model."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"{name} cannot be taken: {reason(error)}") from error
    except TypeError as error:
        message = " ".join(str(error).split()).partition(" Received args")[0]
        raise UserError(f"{name} is not of the size that the model takes: {message}") from error


def _readable(outputs: dict[str, Any], row: int) -> dict[str, Any]:
    """Return a row of each output as plain Python values."""
    return {key: _plain_python(value.numpy()[row]) for key, value in outputs.items()}


def _plain_python(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    listed = np.asarray(value).tolist()
    return [_plain_python(part) for part in listed] if isinstance(listed, list) else listed

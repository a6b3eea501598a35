"""Parity: how far what was exported is from the Keras model, in numbers."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import softmax

from zoo.errors import UserError
from zoo.exporting.endpoints import input_specs
from zoo.exporting.formats import litert, onnx
from zoo.exporting.trained import Trained
from zoo.topologies.base import SequenceModel

TOLERANCES = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 5e-2}
"""Of outputs, absolute, by what the model computes in."""

ROWS, STEPS, FEW = 64, litert.TIME, 4
"""Rows of the batch, time steps of each, and how many of the rows LiteRT runs, one by one."""
SEARCHED = 100
"""Windows that are looked at for a long one."""

Run = Callable[..., dict[str, np.ndarray]]
"""Calls an endpoint by name: named arrays in, named arrays out."""


def measure_parity(trained: Trained, folder: Path, raw: bool = True) -> dict[str, Any]:
    """Compare every form that lies in an export with the Keras model, on a batch of the test split.

    Of data without a test split it is one of the validation, else of the training. The batch has
    64 rows, the first again if there are fewer, and up to 32 time steps where there are any; it is
    padded to 32. Every form runs it whole, and step by step; LiteRT the first four rows, one by
    one. The Keras model runs all of them one by one, too. Forms that no package is there to run
    are left out.

    Args:
        trained: the Keras model and its task.
        folder: of the export.
        raw: whether `forward` and `step` of the export take raw time steps, see
            `zoo.task.Task.prepared`. Exports of before, whose manifest does not say so, take
            prepared ones.

    Returns:
        `split`, `rows`, `litert_rows`, `steps`, `tolerance`, `largest_output`; `differences`, the
        largest absolute one of outputs for each comparison; `unit`, what all of these are measured
        in where the task names one, see `zoo.task.Task.output_unit`; and for quantised files,
        `quantised`: the largest difference of `probabilities` (or of `outputs` that are none) and
        the share of the `same` answers.

    Raises:
        UserError: a difference is over the tolerance, which is 1e-4 where the model computes in
            float32, as all do that are read from a run; or something is no number; of a quantised
            file only the latter.
    """
    model = trained.model
    split, batch, steps = _first_batch(trained, raw)
    unit, sizes = trained.task.output_unit(batch)
    own = _of_keras(model, trained.task.prepared if raw else tf.identity)
    whole, stepped = _answers(model, own, batch, sizes)
    alone = _in_units(_whole(model, _row_by_row(own), batch), sizes)
    differences = {f"batch of {ROWS} against rows alone": _apart(whole, alone)}
    if stepped is not None:
        differences["whole against step by step"] = _apart(whole, stepped)
    parity: dict[str, Any] = {
        "split": split,
        "rows": ROWS,
        "litert_rows": FEW,
        "steps": steps,
        "tolerance": TOLERANCES[model.compute_dtype],
        **({"unit": unit} if unit else {}),
        "largest_output": float(np.abs(whole).max()),
        "differences": differences,
    }
    for name, run, rows in _forms(folder):
        some = {key: part[:rows] for key, part in batch.items()}
        answers = _answers(model, run, some, sizes)
        for endpoint, outputs in zip(("forward", "step"), answers):
            if outputs is None:
                continue
            if "quantised" in name:
                near = _nearness(whole[:rows], outputs, number=bool(unit))
                parity.setdefault("quantised", {})[f"{name} {endpoint}"] = near
            else:
                differences[f"{name} {endpoint}"] = _apart(whole[:rows], outputs)
    _check(parity)
    return parity


def _first_batch(trained: Trained, raw: bool) -> tuple[str, dict[str, np.ndarray], int]:
    """Return the first split that has examples, and of it what `_batch` gives."""
    missing: list[UserError] = []
    for split in ("test", "validation", "train"):
        try:
            return split, *_batch(trained, split, raw)
        except UserError as error:
            missing.append(error)
    raise missing[0]


def _batch(trained: Trained, split: str, raw: bool) -> tuple[dict[str, np.ndarray], int]:
    """Return the named inputs of a window, in the shapes that every form takes, and its time steps.

    Of the first hundred windows it is the one with most time steps in all: many tasks begin with
    their shortest examples, which say little of a recurrence.
    """
    model, task = trained.model, trained.task
    specs = input_specs(model)
    longest: dict[str, np.ndarray] = {}
    most = 0
    read = task.raw_windows if raw else task.windows
    windows = read(split, replace(trained.settings, batch_size=ROWS))
    for window in windows.take(SEARCHED):
        inputs = window["inputs"]
        named = model.named_inputs(inputs)
        parts = {name: _one_each(named[name].numpy(), spec) for name, spec in specs.items()}
        sizes = [min(parts[name].shape[n], STEPS) for name in specs for n in _free(specs[name])]
        rows = min(len(parts[next(iter(specs))]), ROWS)
        if rows * (1 + sum(sizes)) > most:
            longest, most = parts, rows * (1 + sum(sizes))
        if rows == ROWS and all(size == STEPS for size in sizes):
            break
    if not most:
        raise UserError(f"{task.dataset} has no examples in {split}")
    batch = {name: _fitted(longest[name], spec) for name, spec in specs.items()}
    if "lengths" in batch:
        batch["lengths"] = np.clip(batch["lengths"], 1, STEPS)
    stepped = model.steps_on
    timed = model.conditional or 1 in _free(specs[stepped])
    return batch, min(longest[stepped].shape[1], STEPS) if timed else 1


def _one_each(part: np.ndarray, spec: tf.TensorSpec) -> np.ndarray:
    """Take the first of several captions of an image."""
    return part[:, 0] if part.ndim > len(spec.shape) else part


def _free(spec: tf.TensorSpec) -> list[int]:
    """Return the axes of any length, that of the rows apart."""
    return [axis for axis, size in enumerate(spec.shape) if axis and size is None]


def _fitted(part: np.ndarray, spec: tf.TensorSpec) -> np.ndarray:
    """Cut or pad with 0 to `ROWS` rows, and each axis of any length to `STEPS` time steps."""
    part = part[np.arange(ROWS) % len(part)].astype(spec.dtype.as_numpy_dtype)
    for axis in _free(spec):
        part = np.take(part, range(min(part.shape[axis], STEPS)), axis)
        missing = [(0, STEPS - part.shape[axis] if n == axis else 0) for n in range(part.ndim)]
        part = np.pad(part, missing)
    return part


def _answers(
    model: SequenceModel, run: Run, batch: dict[str, np.ndarray], sizes: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what `forward` gives, and what `step` does, in units of so many sizes."""
    stepped = _stepped(model, run, batch)
    whole = _in_units(_whole(model, run, batch), sizes)
    return whole, None if stepped is None else _in_units(stepped, sizes)


def _in_units(outputs: np.ndarray, sizes: Any) -> np.ndarray:
    """Divide the outputs of each row by its size; a scalar is that of all rows."""
    if np.ndim(sizes) == 0:
        return outputs / sizes
    return outputs / sizes[: len(outputs)].reshape(-1, *[1] * (outputs.ndim - 1))


def _whole(model: SequenceModel, run: Run, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Return what `forward` gives, from the initial state on."""
    rows = len(next(iter(batch.values())))
    carried = model.recurrent and model.steppable and not model.conditional
    return run("forward", **batch, **(_numbered(model.initial_state(rows)) if carried else {}))[
        "outputs"
    ]


def _stepped(model: SequenceModel, run: Run, batch: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return what `step` gives, one after the other; None of a model that has none."""
    if not (model.recurrent and model.steppable):
        return None
    rows = len(next(iter(batch.values())))
    x = batch[model.steps_on]
    if model.conditional:
        state = run("encode", **{model.condition: batch[model.condition]})
    else:
        state = _numbered(model.initial_state(rows))
    outputs = []
    for time in range(x.shape[1]):
        state = run("step", x=x[:, time], **state)
        outputs.append(state.pop("outputs"))
    answers = np.stack(outputs, axis=1)
    # Where there is one answer, it is that after the last step.
    return answers[np.arange(rows), batch["lengths"] - 1] if "lengths" in batch else answers


def _of_keras(model: SequenceModel, prepared: Callable[[Any], Any]) -> Run:
    """Return the Keras model itself, called as exports are."""
    structure: Any = model.initial_state(1)
    if model.conditional:
        structure = model.encode(model.example_inputs(1)[model.condition])

    # One graph for all rows: row by row, a model that is not compiled takes many seconds.
    forward = tf.function(lambda inputs: model(inputs), reduce_retracing=True, autograph=False)

    def run(name: str, **arguments: np.ndarray) -> dict[str, np.ndarray]:
        count = sum(key.startswith("state_") for key in arguments)
        parts = [arguments.pop(f"state_{n}") for n in range(count)]
        if name == "encode":
            return _numbered(model.encode(*arguments.values()))
        if name == "step":
            state = tf.nest.pack_sequence_as(structure, parts)
            outputs, state = model.step(prepared(arguments["x"]), state)
            return {"outputs": np.asarray(outputs), **_numbered(state)}
        tensors = {key: tf.constant(part) for key, part in arguments.items()}
        if model.steps_on in tensors:
            tensors[model.steps_on] = prepared(tensors[model.steps_on])
        return {"outputs": forward(model.inputs_from(tensors)).numpy()}

    return run


def _of_saved_model(folder: Path) -> Run:
    loaded = tf.saved_model.load(str(folder))

    def run(name: str, **arguments: np.ndarray) -> dict[str, np.ndarray]:
        # The object must outlive the calls: its variables die with it.
        tensors = {key: tf.constant(part) for key, part in arguments.items()}
        outputs = loaded.signatures[name](**tensors)
        return {key: part.numpy() for key, part in outputs.items()}

    return run


def _of_litert(path: Path) -> Run:
    interpreter = litert.interpreter(path)
    runners = {
        name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()
    }
    return _row_by_row(lambda name, **arguments: runners[name](**arguments))


def _of_onnx(folder: Path) -> Run:
    sessions = onnx.sessions(folder)

    def run(name: str, **arguments: np.ndarray) -> dict[str, np.ndarray]:
        names = [output.name for output in sessions[name].get_outputs()]
        outputs = dict(zip(names, sessions[name].run(None, arguments)))
        return {key.removeprefix("next_"): part for key, part in outputs.items()}

    return run


def _row_by_row(run: Run) -> Run:
    """Make of a call of whole batches one of each row alone."""

    def each(name: str, **arguments: np.ndarray) -> dict[str, np.ndarray]:
        rows = range(len(next(iter(arguments.values()))))
        single = [{key: part[n : n + 1] for key, part in arguments.items()} for n in rows]
        outputs = [run(name, **row) for row in single]
        return {key: np.concatenate([row[key] for row in outputs]) for key in outputs[0]}

    return each


def _forms(folder: Path) -> Iterator[tuple[str, Run, int]]:
    """Yield each form that is there: its name, how it is run, and on how many rows."""
    left_out = forms_left_out(folder)
    if (folder / "saved_model.pb").is_file():
        yield "SavedModel", _of_saved_model(folder), ROWS
    for path in _litert_files(folder):
        if (name := path.relative_to(folder).as_posix()) not in left_out:
            yield name, _of_litert(path), FEW
    if (folder / onnx.FOLDER).is_dir() and onnx.FOLDER not in left_out:
        yield onnx.FOLDER, _of_onnx(folder / onnx.FOLDER), ROWS


def forms_left_out(folder: Path) -> set[str]:
    """Return the forms of an export that are not compared, as no package is there to run them."""
    names = set()
    try:
        litert.check_litert()
    except UserError:
        names |= {path.relative_to(folder).as_posix() for path in _litert_files(folder)}
    try:
        onnx.check_onnx()
    except UserError:
        names |= {onnx.FOLDER} if (folder / onnx.FOLDER).is_dir() else set()
    return names


def _litert_files(folder: Path) -> list[Path]:
    return sorted((folder / litert.FOLDER).glob("*.tflite"))


def _numbered(state: Any) -> dict[str, np.ndarray]:
    return {f"state_{n}": np.asarray(part) for n, part in enumerate(tf.nest.flatten(state))}


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest absolute difference, which is no number where one of them is none."""
    apart = np.abs(np.asarray(one, "float64") - other)
    return float(apart.max()) if np.isfinite(apart).all() else math.nan


def _nearness(exact: np.ndarray, rough: np.ndarray, number: bool) -> dict[str, float]:
    """Measure how near the answers of a quantised form are, which differs more than others.

    Args:
        exact: outputs of the Keras model.
        rough: those of the form.
        number: whether outputs are quantities, and no logits of classes.
    """
    if number or exact.shape[-1] == 1:
        return {"outputs": _apart(exact, rough)}
    same = float(np.mean(exact.argmax(axis=-1) == rough.argmax(axis=-1)))
    return {"probabilities": _apart(softmax(exact, axis=-1), softmax(rough, axis=-1)), "same": same}


def _check(parity: dict[str, Any]) -> None:
    tolerance = parity["tolerance"]
    times = f" times {parity['unit']}" if "unit" in parity else ""
    for name, difference in parity["differences"].items():
        if math.isnan(difference):
            raise UserError(f"an output of {name} is no number: nothing was written")
        if not difference <= tolerance:
            raise UserError(
                f"the outputs of {name} differ by {difference:.1e}{times}, but only "
                f"{tolerance:.0e} is allowed: nothing was written"
            )
    for name, near in parity.get("quantised", {}).items():
        if not all(map(math.isfinite, near.values())):
            raise UserError(f"an output of {name} is no number: nothing was written")

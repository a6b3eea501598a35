"""The parity certificate: how far what was exported is from the Keras model, in numbers."""

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
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings

TOLERANCES = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 5e-2}
"""Of outputs, absolute, by what the model computes in."""

ROWS, STEPS, FEW = 64, litert.TIME, 4
"""Rows of the batch, time steps of each, and how many of the rows LiteRT runs, one by one."""
SEARCHED = 100
"""Windows that are looked at for a long one."""

Run = Callable[..., dict[str, np.ndarray]]
"""Calls an endpoint by name: named arrays in, named arrays out."""


def certify(model: SequenceModel, task: Task, settings: Settings, folder: Path) -> dict[str, Any]:
    """Compare every form that lies in an export with the Keras model, on the task's test batch.

    The batch has 64 rows, the first again if there are fewer, and up to 32 time steps where there
    are any; it is padded to 32. Every form runs it whole, and step by step; LiteRT the first four
    rows, one by one. The Keras model runs all of them one by one, too. Forms that no package is
    there to run are left out.

    Args:
        model: the Keras model.
        task: its task.
        settings: those of its training.
        folder: of the export.

    Returns:
        `rows`, `litert_rows`, `steps`, `tolerance`, `largest_output`; `differences`, the largest
        absolute one of outputs for each comparison; and for quantised files, `quantised`: the
        largest difference of `probabilities` (or of `outputs` that are none) and the share of the
        `same` answers.

    Raises:
        UserError: a difference is over the tolerance, which is 1e-4 where the model computes in
            float32, as all do that are read from a run; or something is no number; of a quantised
            file only the latter.
    """
    batch, steps = _batch(model, task, settings)
    own = _of_keras(model)
    whole, stepped = _whole(model, own, batch), _stepped(model, own, batch)
    told = {
        f"batch of {ROWS} against rows alone": _apart(whole, _whole(model, _row_by_row(own), batch))
    }
    if stepped is not None:
        told["whole against step by step"] = _apart(whole, stepped)
    certificate: dict[str, Any] = {
        "rows": ROWS,
        "litert_rows": FEW,
        "steps": steps,
        "tolerance": TOLERANCES[model.compute_dtype],
        "largest_output": float(np.abs(whole).max()),
        "differences": told,
    }
    for name, run, rows in _forms(folder):
        given = {key: part[:rows] for key, part in batch.items()}
        found = {"forward": _whole(model, run, given), "step": _stepped(model, run, given)}
        for endpoint, outputs in found.items():
            if outputs is None:
                continue
            if "quantised" in name:
                near = _nearness(whole[:rows], outputs)
                certificate.setdefault("quantised", {})[f"{name} {endpoint}"] = near
            else:
                told[f"{name} {endpoint}"] = _apart(whole[:rows], outputs)
    _check(certificate)
    return certificate


def _batch(
    model: SequenceModel, task: Task, settings: Settings
) -> tuple[dict[str, np.ndarray], int]:
    """The named inputs of a test window, in the shapes that every form takes, and its time steps.

    Of the first hundred windows it is the one with most time steps in all: many tasks begin with
    their shortest examples, which say little of a recurrence.
    """
    specs = input_specs(model)
    longest: dict[str, np.ndarray] = {}
    most = 0
    windows = task.windows("test", replace(settings, batch_size=ROWS))
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
    batch = {name: _fitted(longest[name], spec) for name, spec in specs.items()}
    if "lengths" in batch:
        batch["lengths"] = np.clip(batch["lengths"], 1, STEPS)
    stepped = model.steps_on
    timed = 1 in _free(specs[stepped])
    return batch, min(longest[stepped].shape[1], STEPS) if timed else 1


def _one_each(part: np.ndarray, spec: tf.TensorSpec) -> np.ndarray:
    """Of several captions of an image the first."""
    return part[:, 0] if part.ndim > len(spec.shape) else part


def _free(spec: tf.TensorSpec) -> list[int]:
    """The axes of any length, that of the rows apart."""
    return [axis for axis, size in enumerate(spec.shape) if axis and size is None]


def _fitted(part: np.ndarray, spec: tf.TensorSpec) -> np.ndarray:
    """So many rows; each axis of any length cut or padded with 0 to so many time steps."""
    part = part[np.arange(ROWS) % len(part)].astype(spec.dtype.as_numpy_dtype)
    for axis in _free(spec):
        part = np.take(part, range(min(part.shape[axis], STEPS)), axis)
        missing = [(0, STEPS - part.shape[axis] if n == axis else 0) for n in range(part.ndim)]
        part = np.pad(part, missing)
    return part


def _whole(model: SequenceModel, run: Run, batch: dict[str, np.ndarray]) -> np.ndarray:
    """What `forward` gives, from the initial state on."""
    rows = len(next(iter(batch.values())))
    carried = model.recurrent and model.steppable and not model.conditional
    return run("forward", **batch, **(_numbered(model.initial_state(rows)) if carried else {}))[
        "outputs"
    ]


def _stepped(model: SequenceModel, run: Run, batch: dict[str, np.ndarray]) -> np.ndarray | None:
    """The same by `step`; None of a model that has none."""
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
    found = np.stack(outputs, axis=1)
    # Where there is one answer, it is that after the last step.
    return found[np.arange(rows), batch["lengths"] - 1] if "lengths" in batch else found


def _of_keras(model: SequenceModel) -> Run:
    """The Keras model itself, called as exports are."""
    structure: Any = model.initial_state(1)
    if model.conditional:
        structure = model.encode(model.example_inputs(1)[model.condition])

    # One graph for all rows: row by row, a model that is not compiled takes many seconds.
    forward = tf.function(lambda given: model(given), reduce_retracing=True, autograph=False)

    def run(name: str, **given: np.ndarray) -> dict[str, np.ndarray]:
        count = sum(key.startswith("state_") for key in given)
        parts = [given.pop(f"state_{n}") for n in range(count)]
        if name == "encode":
            return _numbered(model.encode(*given.values()))
        if name == "step":
            outputs, state = model.step(given["x"], tf.nest.pack_sequence_as(structure, parts))
            return {"outputs": np.asarray(outputs), **_numbered(state)}
        tensors = {key: tf.constant(part) for key, part in given.items()}
        return {"outputs": forward(model.inputs_from(tensors)).numpy()}

    return run


def _of_saved_model(folder: Path) -> Run:
    loaded = tf.saved_model.load(str(folder))

    def run(name: str, **given: np.ndarray) -> dict[str, np.ndarray]:
        # The object must outlive the calls: its variables die with it.
        tensors = {key: tf.constant(part) for key, part in given.items()}
        told = loaded.signatures[name](**tensors)
        return {key: part.numpy() for key, part in told.items()}

    return run


def _of_litert(path: Path) -> Run:
    interpreter = litert.interpreter(path)
    runners = {
        name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()
    }
    return _row_by_row(lambda name, **given: runners[name](**given))


def _of_onnx(folder: Path) -> Run:
    sessions = onnx.sessions(folder)

    def run(name: str, **given: np.ndarray) -> dict[str, np.ndarray]:
        names = [output.name for output in sessions[name].get_outputs()]
        told = dict(zip(names, sessions[name].run(None, given)))
        return {key.removeprefix("next_"): part for key, part in told.items()}

    return run


def _row_by_row(run: Run) -> Run:
    """The same for each row alone."""

    def each(name: str, **given: np.ndarray) -> dict[str, np.ndarray]:
        rows = range(len(next(iter(given.values()))))
        told = [run(name, **{key: part[n : n + 1] for key, part in given.items()}) for n in rows]
        return {key: np.concatenate([row[key] for row in told]) for key in told[0]}

    return each


def _forms(folder: Path) -> Iterator[tuple[str, Run, int]]:
    """Each form that is there: its name, how it is run, and on how many rows."""
    left_out = forms_left_out(folder)
    if (folder / "saved_model.pb").is_file():
        yield "SavedModel", _of_saved_model(folder), ROWS
    for path in _litert_files(folder):
        if (name := path.relative_to(folder).as_posix()) not in left_out:
            yield name, _of_litert(path), FEW
    if (folder / onnx.FOLDER).is_dir() and onnx.FOLDER not in left_out:
        yield onnx.FOLDER, _of_onnx(folder / onnx.FOLDER), ROWS


def forms_left_out(folder: Path) -> set[str]:
    """The forms of an export that a certificate leaves out, as no package is there to run them."""
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
    """The largest absolute difference, which is no number where one of them is none."""
    apart = np.abs(np.asarray(one, "float64") - other)
    return float(apart.max()) if np.isfinite(apart).all() else math.nan


def _nearness(exact: np.ndarray, rough: np.ndarray) -> dict[str, float]:
    """Of a quantised form, which differs more."""
    if exact.shape[-1] == 1:
        return {"outputs": _apart(exact, rough)}
    same = float(np.mean(exact.argmax(axis=-1) == rough.argmax(axis=-1)))
    return {"probabilities": _apart(softmax(exact, axis=-1), softmax(rough, axis=-1)), "same": same}


def _check(certificate: dict[str, Any]) -> None:
    tolerance = certificate["tolerance"]
    for name, difference in certificate["differences"].items():
        if math.isnan(difference):
            raise UserError(f"an output of {name} is no number: nothing was written")
        if not difference <= tolerance:
            raise UserError(
                f"the outputs of {name} differ by {difference:.1e}, but only {tolerance:.0e} is "
                "allowed: nothing was written"
            )
    for name, near in certificate.get("quantised", {}).items():
        if not all(map(math.isfinite, near.values())):
            raise UserError(f"an output of {name} is no number: nothing was written")

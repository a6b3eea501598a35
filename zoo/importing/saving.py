"""A `.keras` file that is written only if it computes what it should."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.errors import UserError
from zoo.importing.keras_file import load_keras


def save_compared(
    model: keras.Model,
    out: Path,
    inputs: Sequence[Any],
    expected: Sequence[np.ndarray],
    allowed: float = 1e-5,
) -> float:
    """Write a model, read it again in safe mode, and compare what it answers.

    Args:
        model: any that `zoo.load` reads.
        out: the file to write.
        inputs: of the model.
        expected: what its outputs have to be.
        allowed: the largest difference that is let through.

    Returns:
        The largest difference, as a share of the largest output where that is over 1.

    Raises:
        UserError: the difference is over `allowed`.
    """
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        written = Path(scratch) / out.name
        model.save(written)
        answers = keras.tree.flatten(load_keras(written)(_single(inputs)))
        difference = largest_difference(answers, expected)
        # Not the other way around, which lets through what is no number.
        if not difference <= allowed:
            raise UserError(
                f"the outputs differ by {difference:.1e}, and {allowed:.0e} is the most that is "
                "let through: nothing was written"
            )
        written.rename(out)
    return difference


def largest_difference(answers: Sequence[Any], expected: Sequence[Any]) -> float:
    """Of any two numbers, as a share of the largest of an output where that is over 1.

    Example:
        >>> largest_difference([np.array([1.0, 5.0])], [np.array([1.0, 4.0])])
        0.25
    """
    shares = []
    for answer, wanted in zip(answers, expected, strict=True):
        apart = np.abs(np.asarray(answer, "float64") - np.asarray(wanted, "float64"))
        shares.append(apart.max(initial=0) / max(1.0, np.abs(wanted).max(initial=0)))
    # Unlike Python's, numpy's gives back what is no number.
    return float(np.max(shares, initial=0))


def _single(inputs: Sequence[Any]) -> Any:
    return inputs[0] if len(inputs) == 1 else list(inputs)

"""A backtest: what a model answers at each origin of a split, beside what came."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tasks.forecasting.windows import ROUNDING, Whole
from zoo.evaluation.loop import WindowLoop
from zoo.training.windows import share_out, stream_windows
from zoo.typing import State, Tensor, Window


class Answers(NamedTuple):
    """What a model answers at N origins.

    Attributes:
        series: `[N]`, places of the series in their table.
        steps: `[N]`, the last step that each answer knows.
        actual: float64 `[N, H]`, what came; NaN where it is missing.
        naive: float64 `[N, H]`, the seasonal naive forecast; 0 of returns.
        quantiles: float64 `[N, H, Q]`.
        losses: float64 `[N, H]`, negative log-likelihoods where they were asked for and something
            came, else 0.
    """

    series: np.ndarray
    steps: np.ndarray
    actual: np.ndarray
    naive: np.ndarray
    quantiles: np.ndarray
    losses: np.ndarray


def whole_windows(
    whole: Whole,
    batch_size: int,
    window: int,
    prepared: Callable[[Tensor], Tensor] = tf.identity,
) -> tf.data.Dataset:
    """Return windows of series that are read whole; of few series, of as many more steps each."""
    rows, size = shape_of_windows(whole, batch_size, window)
    return with_inputs(stream_windows(whole, rows, size, cut=False), prepared)


def with_inputs(windows: tf.data.Dataset, prepared: Callable[[Tensor], Tensor]) -> tf.data.Dataset:
    """Return windows whose inputs are brought to what the model takes."""

    def bring(window: Window) -> Window:
        return Window(
            inputs=prepared(window["inputs"]),
            targets=window["targets"],
            weights=window["weights"],
            reset=window["reset"],
        )

    return windows.map(bring)


def shape_of_windows(whole: Whole, batch_size: int, window: int) -> tuple[int, int]:
    """Return rows and time steps of the windows that series are read in."""
    rows = max(1, min(batch_size, len(whole.series)))
    longest = int(whole.lengths.max(initial=1))
    return rows, min(window * (batch_size // rows), -(-longest // window) * window)


def backtest(
    model: Any,
    whole: Whole,
    batch_size: int,
    window: int,
    naive: Callable[[np.ndarray, np.ndarray], np.ndarray],
    prepared: Callable[[Tensor], Tensor] = tf.identity,
    shown: Callable[[tf.data.Dataset], Iterable[Any]] = iter,
    likelihood: bool = False,
) -> Iterator[Answers]:
    """Yield what a model answers at the origins of series, some at a time.

    Args:
        model: a `Forecaster`.
        whole: reads the series.
        batch_size: of the windows.
        window: their time steps.
        naive: gives the naive forecasts `[N, H]` of series `[N]` at steps `[N]`.
        prepared: brings the inputs to what the model takes.
        shown: shows how far the reading is.
        likelihood: whether to compute the head's losses.
    """
    rows, size = shape_of_windows(whole, batch_size, window)
    lines = [_line(whole, row) for row in share_out(whole.lengths.tolist(), rows)]
    windows = shown(whole_windows(whole, batch_size, window, prepared))

    def answer(window: Window, state: State) -> tuple[Any, State]:
        # What is not asked for takes time, above all paths that are drawn.
        wanted = tf.reduce_any(window["weights"] > 0, axis=-1)
        quantiles, after = model(
            window["inputs"],
            state=state,
            reset=window["reset"],
            return_state=True,
            origins=wanted,
        )
        if not likelihood:
            return (quantiles, tf.zeros_like(quantiles[..., 0])), after
        prediction, after = model.predict_parameters(window, state)
        losses = model.head.losses(prediction.numbers, prediction.centre, window["targets"])
        return (quantiles, losses), after

    for number, (inputs, outputs) in enumerate(WindowLoop(model, answer)(windows)):
        weights = inputs["weights"].numpy()
        row, place = np.nonzero(weights.any(axis=-1))
        if not len(row):
            continue
        at = number * size + place
        series, steps = (np.array([lines[r][k][p] for r, p in zip(row, at)], int) for k in (0, 1))
        quantiles, losses = (
            tf.gather_nd(part, np.stack([row, place], axis=1)).numpy().astype("float64")
            for part in outputs
        )
        offsets = whole.panel.offsets[series]
        yield Answers(
            series,
            steps,
            actual_after(whole, series, steps),
            naive(series, steps),
            shifted(quantiles, offsets[:, None, None]),
            np.where(weights[row, place] > 0, losses, 0.0),
        )


def shifted(values: Any, offsets: Any) -> Any:
    """Return values with what was taken off; 0 where they differ from that by rounding only.

    A sum of about 0 would else be a forecast that misses 0 by as much as it can, in per cent.

    Args:
        values: that were float32.
        offsets: float64.
    """
    total = values + offsets
    return total * (abs(total) > ROUNDING * abs(offsets))


def _line(whole: Whole, row: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the series and the step of each place in a row of windows."""
    lengths = whole.lengths[row]
    steps = [np.arange(length) for length in lengths]
    return np.repeat(whole.series[row], lengths), np.concatenate([*steps, np.zeros(0, int)])


def actual_after(whole: Whole, series: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return what came after each step, float64 `[N, H]`, NaN where it is missing."""
    ahead = np.arange(1, whole.panel.layout.horizon + 1)
    targets = whole.panel.targets
    actual = np.full((len(series), len(ahead)), np.nan)
    for place, (one, step) in enumerate(zip(series, steps)):
        part = targets[one][step + 1 : min(step + 1 + len(ahead), whole.ends[one])]
        actual[place, : len(part)] = part
    return actual

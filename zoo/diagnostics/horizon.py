"""How far back a gradient reaches: its norm by lag, and the effective horizon."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.diagnostics.probing import Reading
from zoo.errors import UserError

SHARE = 0.01
"""Of the gradient at lag 1, what still counts as reached."""

_FEWEST = 0.2
"""Of the rows, those that must be as long as the longest lag that is looked at."""


@dataclass(frozen=True)
class ByLag:
    """The norm of the gradient of the last loss in a state, of B rows, by lag.

    Lag k is the state that the last k steps of a row start from: lag 1 stands before the last
    step. Where a row has no step so long ago, it is NaN.

    Attributes:
        norms: `[B, T]`, column k - 1 of lag k.
    """

    norms: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Return how many lags each row has, `[B]`."""
        return np.sum(~np.isnan(self.norms), axis=1)

    @property
    def steps(self) -> int:
        """Return the longest lag."""
        return self.norms.shape[1]

    @property
    def is_zero(self) -> bool:
        """Return whether no row has a gradient at any lag: the loss does not see the states."""
        return not np.nansum(self.norms) > 0

    @property
    def relative(self) -> np.ndarray:
        """Return the norms as shares of that at lag 1, `[B, T]`; 0 of a row without a gradient."""
        first = np.nan_to_num(self.norms[:, :1])
        # A gradient that only an earlier state has is measured by the last state that has it.
        for lag in range(1, self.norms.shape[1]):
            first = np.where(first > 0, first, np.nan_to_num(self.norms[:, lag : lag + 1]))
        return self.norms / np.where(first > 0, first, 1.0)

    def quantiles(self, *shares: float) -> np.ndarray:
        """Return quantiles over the rows of the relative norms at each lag, `[len(shares), T]`."""
        return np.nanquantile(self.relative, shares, axis=0)

    def horizons(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lag from which on each row's gradient is under 1 %, and where it is not.

        Returns:
            `[B]` lags; and `[B]` booleans, true for a row whose gradient never falls under within
            its length, which then stands in place of the lag.

        Example:
            >>> lags, never = ByLag(np.array([[1, 0.1, 0.001], [1, 1, np.nan]])).horizons()
            >>> lags.tolist(), never.tolist()
            ([3, 2], [False, True])
        """
        relative, lengths = self.relative, self.lengths
        reached = np.where(np.isnan(relative), False, relative >= SHARE)
        lags = np.arange(1, relative.shape[1] + 1)
        last = np.max(np.where(reached, lags, 0), axis=1)
        never = (last == lengths) & (lengths > 0)
        return np.where(never, lengths, last + 1), never

    def horizon(self, share: float = 0.5) -> int | None:
        """Return a quantile of the rows' horizons; None for more than the longest row.

        A row that ends before its gradient falls under 1 % says only that its horizon is longer:
        the quantile is that of the estimate by Kaplan and Meier (1958), which counts it so.

        Example:
            >>> ByLag(np.array([[1, 1, 0.001], [1, 0.1, np.nan]])).horizon()
            3
            >>> ByLag(np.ones((2, 5))).horizon() is None
            True
        """
        lags, never = self.horizons()
        counted = self.lengths > 0
        lags, never = lags[counted], never[counted]
        beyond = 1.0
        for lag in np.unique(lags[~never]):
            ends = np.sum((lags == lag) & ~never)
            watched = np.sum(lags >= lag)
            beyond *= 1 - ends / watched
            if beyond <= 1 - share + 1e-9:
                return int(lag)
        return None

    @property
    def factor(self) -> float:
        """Return by what the gradient is multiplied from one lag to the next.

        It is the geometric mean over the lags, of which the median over the rows; 1 where rows
        have one lag only.

        Example:
            >>> round(ByLag(np.array([[8.0, 4.0, 2.0]])).factor, 3)
            0.5
        """
        factors = []
        for row, length in zip(self.relative, self.lengths):
            if length > 1:
                # Single precision has nothing below: from there on the gradient is lost.
                there = np.flatnonzero(row[:length] > 1e-30)
                last = int(there[-1]) if len(there) else 0
                factors.append(row[last] ** (1 / last) if last else 0.0)
        return float(np.median(factors)) if factors else 1.0

    @property
    def growth(self) -> float:
        """Return the largest median over the rows of the relative norm, at any lag."""
        return float(np.nanmax(self.quantiles(0.5)))


def by_lag(reading: Reading, gradient: Any, rows: np.ndarray) -> dict[str, ByLag]:
    """Return the norms by lag of the gradients in all parts of a state, and of all together.

    The lags of a row are counted from the last step that has a gradient: steps after the loss, and
    after the row's own end, have none.

    Args:
        reading: of a recurrence.
        gradient: in its probes, `[B, T, S]`.
        rows: booleans, which rows have a loss, as others only fill the batch: `[B]`, or several
            for each row.

    Returns:
        By the name of a part, such as "h"; and "state" for all parts. Clocks, which no input
        moves, are left out.

    Raises:
        UserError: a gradient is no finite number.
    """
    gradient = np.asarray(gradient, "float64")
    names = memory_parts(reading)
    parts = dict(zip(reading.cell.State._fields, _split(gradient, reading.cell.state_size)))
    squares = {name: np.sum(parts[name] ** 2, axis=-1) for name in names}
    if not all(np.isfinite(square).all() for square in squares.values()):
        raise UserError(
            f"the gradient in {reading.layer} is no finite number: the weights or the inputs are "
            "none, or it has exploded; look at fewer steps by a smaller --length"
        )
    squares = {"state": np.asarray(sum(squares.values())), **squares}
    starts, ends = row_limits(reading, squares["state"])
    if len(rows) != len(starts):
        # Several answers to one input, each a row of its own.
        rows = np.any(rows.reshape(len(starts), -1), axis=1)
    aligned = {
        name: ByLag(np.sqrt(_lagged(square[rows], starts[rows], ends[rows])))
        for name, square in squares.items()
    }
    return aligned if len(names) > 1 else {"state": aligned["state"]}


def row_limits(
    reading: Reading, squares: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return where each row's last sequence begins and where it ends, each `[B]`.

    Args:
        reading: of a recurrence.
        squares: `[B, T]`, 0 where a step has no gradient; None to go to the row's own end.
    """
    rows, steps = reading.states.shape[:2]
    ends = np.full(rows, steps)
    if reading.valid is not None:
        ends = np.asarray(reading.valid).sum(axis=1)
    if squares is not None:
        last = np.max(np.where(squares > 0, np.arange(1, steps + 1), 0), axis=1)
        # Of a row without any, all steps count, as those of a gradient that is zero.
        ends = np.where(last > 0, np.minimum(ends, last), ends)
    starts = np.zeros(rows, int)
    if reading.resets is not None:
        times = np.arange(steps)
        here = np.asarray(reading.resets) & (times < ends[:, None])
        starts = np.max(np.where(here, times, 0), axis=1)
    return starts, ends


def memory_parts(reading: Reading) -> list[str]:
    """Return the names of the parts of a state that the input reaches: a clock is none."""
    cell = reading.cell
    z, states = reading.z[:, 0], tf.split(reading.states[:, 0], cell.state_size, axis=-1)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        _, new = type(cell).update_from(cell, z, cell.State(*states))
    return [
        name
        for name, part in zip(cell.State._fields, tf.nest.flatten(new))
        if tape.gradient(part, z) is not None
    ]


def _split(values: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    return np.split(values, np.cumsum(sizes)[:-1], axis=-1)


def _lagged(values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return values `[B, T]` by time as values by lag, NaN outside of a row.

    Lags that fewer than a fifth of the rows have are left out.
    """
    aligned = np.full(values.shape, np.nan)
    for row, (start, end) in enumerate(zip(starts, ends)):
        aligned[row, : end - start] = values[row, start:end][::-1]
    # What one long row says of lags that no other has is no answer for all.
    rows = np.sum(~np.isnan(aligned), axis=0)
    return aligned[:, : max(1, int(np.sum(rows >= max(1, _FEWEST * len(values)))))]

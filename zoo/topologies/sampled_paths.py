"""Forecasts of a model that sees one step ahead: paths that it draws, step by step."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.layers.forecast_heads import Centre
from zoo.typing import State, Tensor

_MOST = 1e34
"""Of larger values a register has no sums."""


def check_paths(paths: int, head: str, density: bool, encoder: str, returns: bool) -> None:
    """Raise if a model cannot draw paths.

    Raises:
        ValueError: there is one path only, or nothing that they are drawn from.
    """
    if paths < 0 or paths == 1:
        raise ValueError(f"paths is {paths}, but 0 or at least 2 is needed")
    if paths and not density:
        raise ValueError(f"paths are drawn from a distribution: head is {head}, not student_t")
    if paths and (encoder != "steps" or returns):
        raise ValueError("paths are drawn of values, step by step: leave encoder and returns alone")


@cache
def fixed_ranks(horizon: int, paths: int) -> np.ndarray:
    """Return ranks int32 `[horizon, paths]`: at each step a shuffled order, always the same one.

    So every answer of a step is the same for the same series, and holds each part of the one-step
    distribution once: a Latin hypercube sample.

    Source: M. McKay, R. Beckman and W. Conover, "A comparison of three methods for selecting values
    of input variables" (1979).
    """
    generator = np.random.default_rng(1)
    return np.stack([generator.permutation(paths) for _ in range(horizon)]).astype("int32")


def drawn_ranks(horizon: int | Tensor, paths: int | Tensor, seed: Tensor) -> Tensor:
    """Return ranks `[horizon, paths]` drawn from a seed, two integers; the same seed gives them."""
    order = tf.random.stateless_uniform([horizon, paths], seed, alg="philox")
    return tf.argsort(order, axis=1)


def rolled(model: Any, state: State, ranks: Tensor, known: Tensor = None) -> Tensor:
    """Draw paths of the next steps, each value read as if it had come.

    Args:
        model: a `Forecaster` with `paths`.
        state: after the last step, of B rows.
        ranks: `[S, paths]`, the place of each path's value among those of all paths.
        known: `[B, S, K]`, covariates of S steps after those that the state knows ahead; None for
            the last ones again, as there is no need of more up to the model's horizon.

    Returns:
        float32 `[B, paths, S]`.
    """
    ranks = tf.convert_to_tensor(ranks)
    horizon, paths = (ranks.shape[axis] or tf.shape(ranks)[axis] for axis in (0, 1))
    batch = tf.shape(state.last)[0]
    state = tf.nest.map_structure(lambda part: tf.repeat(part, paths, axis=0), state)

    def body(h: Tensor, state: State, values: Tensor) -> tuple[Tensor, State, Tensor]:
        value = _drawn(model, state.ahead, tf.tile(ranks[h], [batch]), paths)
        values = tf.concat([values[:, 1:], value[:, None]], axis=1)
        newest = None if known is None else tf.repeat(known[:, h], paths, axis=0)
        inputs = model.columns.after(state.last, value, model.calendar, newest)
        _, after = model.predict_step(inputs, state)
        return h + 1, _shaped(after, state), values

    start = (tf.constant(0), state, tf.zeros([tf.shape(state.last)[0], horizon]))
    # Of the last value nothing has to be predicted, but a loop is one body.
    _, _, values = tf.while_loop(lambda h, *_: h < horizon, body, start)
    return tf.reshape(values, [batch, paths, horizon])


def _drawn(model: Any, ahead: Tensor, ranks: Tensor, paths: int | Tensor) -> Tensor:
    """Return the next value `[B]` at the levels (rank + 1/2) / paths, of ranks `[B]`."""
    numbers, naive, spread = tf.split(ahead, [model.head.size, 1, 1], axis=1)
    value = model.head.draw(numbers[:, None], Centre(naive, spread[:, 0]), ranks[:, None], paths)
    # What is fed back must stay a number.
    return tf.clip_by_value(value[:, 0], -_MOST, _MOST)


def fixed_paths(model: Any, state: State) -> Tensor:
    """Return quantiles `[B, H, Q]` of paths that are the same at each call."""
    values = rolled(model, state, fixed_ranks(model.horizon, model.paths))
    return quantiles_of(values, model.head.levels)


def forecast_ahead(model: Any, state: State, steps: Tensor, known: Tensor = None) -> Tensor:
    """Return quantiles `[B, steps, Q]`, the first ones as `fixed_paths` does, of any more steps.

    Args:
        model: a `Forecaster` with `paths`.
        state: after the last step, of B rows.
        steps: int32, at least 1.
        known: as `rolled` takes it.
    """
    fixed = fixed_ranks(model.horizon, model.paths)
    more = drawn_ranks(tf.maximum(steps - model.horizon, 0), model.paths, tf.constant([1, 2]))
    ranks = tf.concat([fixed, more], axis=0)[:steps]
    return quantiles_of(rolled(model, state, ranks, known), model.head.levels)


def quantiles_of(values: Tensor, levels: Sequence[float]) -> Tensor:
    """Return quantiles `[B, H, Q]`, in rising order, of paths `[B, paths, H]`.

    Between two paths they are interpolated; the k-th of n, from 0, is at the level (k + 1/2) / n.

    Example:
        >>> values = tf.constant([[[3.0], [1.0], [2.0], [4.0]]])
        >>> quantiles_of(values, (0.125, 0.5)).numpy().tolist()
        [[[1.0, 2.5]]]
    """
    paths = values.shape[1]
    places = np.clip(np.array(levels) * paths - 0.5, 0, paths - 1)
    low = np.minimum(places.astype("int32"), paths - 2)
    in_order = tf.sort(tf.transpose(values, [0, 2, 1]), axis=-1)
    below, above = (tf.gather(in_order, index, axis=-1) for index in (low, low + 1))
    share = tf.constant(places - low, tf.float32)
    return tf.minimum(below + share * (above - below), above)


def stepwise(
    model: Any, inputs: Tensor, state: State, reset: Tensor = None, origins: Tensor = None
) -> tuple[Tensor, State]:
    """Run whole series step by step, with paths after each step.

    Args:
        model: a `Forecaster` with `paths`.
        inputs: `[B, T, D]`.
        state: before them.
        reset: `[B]` or `[B, T]`, true where a row starts a new series.
        origins: booleans `[B, T]`: paths are drawn only where one is true, and the answer is 0
            elsewhere; None for everywhere.

    Returns:
        Quantiles `[B, T, H, Q]`, and the state after the last step.
    """
    batch, time = (inputs.shape[axis] or tf.shape(inputs)[axis] for axis in (0, 1))
    fresh = model.initial_state(batch)
    resets = tf.zeros([batch, time], tf.bool)
    if reset is not None:
        resets = tf.cast(tf.convert_to_tensor(reset), tf.bool)
        if len(resets.shape) == 1:
            resets = resets[:, None] & (tf.range(time) == 0)

    def body(t: Tensor, state: State, states: Any) -> tuple[Tensor, State, Any]:
        def begun(new: Tensor, old: Tensor) -> Tensor:
            rows = tf.reshape(resets[:, t], [-1, *[1] * (len(old.shape) - 1)])
            return tf.where(rows, new, old)

        begin = _shaped(tf.nest.map_structure(begun, fresh, state), state)
        after = _shaped(model.predict_step(inputs[:, t], begin)[1], state)
        return t + 1, after, states.write(t, _flat(after))

    state = tf.nest.pack_sequence_as(fresh, tf.nest.flatten(state or fresh))
    start = (tf.constant(0), state, tf.TensorArray(tf.float32, time))
    _, state, states = tf.while_loop(lambda t, *_: t < time, body, start)
    # All paths are drawn together, not step by step: ONNX has no loop within a loop for them.
    steps = tf.reshape(states.stack(), [time * batch, _flat(fresh).shape[-1]])
    size = [model.horizon, len(model.head.levels)]
    if origins is None:
        answers = fixed_paths(model, _as_state(steps, fresh))
    else:
        wanted = tf.where(tf.reshape(tf.transpose(tf.cast(origins, tf.bool)), [-1]))
        chosen = fixed_paths(model, _as_state(tf.gather(steps, wanted[:, 0]), fresh))
        answers = tf.scatter_nd(wanted, chosen, tf.cast([time * batch, *size], tf.int64))
    answers = tf.transpose(tf.reshape(answers, [time, batch, *size]), [1, 0, 2, 3])
    answers.set_shape([*inputs.shape[:2], *size])
    return answers, state


def _flat(state: State) -> Tensor:
    """Return all parts of a state of B rows as float32 `[B, S]`."""
    parts = tf.nest.flatten(state)
    rows = [tf.reshape(part, [-1, math.prod(part.shape[1:])]) for part in parts]
    return tf.concat([tf.cast(part, tf.float32) for part in rows], axis=1)


def _as_state(flat: Tensor, like: State) -> State:
    """Return `_flat`'s `[N, S]` as a state of N rows, its parts as those of another one."""
    parts = tf.nest.flatten(like)
    split = tf.split(flat, [math.prod(part.shape[1:]) for part in parts], axis=1)
    shaped = [
        tf.cast(tf.reshape(each, [-1, *part.shape[1:]]), part.dtype)
        for each, part in zip(split, parts)
    ]
    return tf.nest.pack_sequence_as(like, shaped)


def _shaped(state: State, like: State) -> State:
    """Return a state whose parts are known to have the shapes of another's, as loops want it."""
    parts = tf.nest.flatten(state)
    for part, other in zip(parts, tf.nest.flatten(like)):
        part.set_shape(other.shape)
    return tf.nest.pack_sequence_as(like, parts)

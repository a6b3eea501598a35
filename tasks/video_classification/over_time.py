"""The answers of a model after each frame."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.exporting.endpoints import state_signature
from zoo.topologies.base import SequenceModel
from zoo.utils.validation import checked_steps, of_one_batch

_PREFIXES = 16


def logits_over_time(model: SequenceModel, frames: Any, state: Any = None) -> tuple[Any, Any]:
    """Compute logits `[N, T, classes]` after each frame of clips `[N, T, ...]`, and the state.

    A model that reads clips from both ends has no steps: it is shown the beginning of a clip up to
    some of its frames, sixteen at most, the last one among them, and what it says then stands
    until the next. A clip of no frames is taken for one of a single blank frame.

    Args:
        model: a many-to-one model.
        frames: as it takes them.
        state: the state before them; None for the start of a clip.
    """
    missing = tf.maximum(1 - tf.shape(frames)[1], 0)
    frames = tf.pad(frames, [[0, 0], [0, missing], *[[0, 0]] * (len(frames.shape) - 2)])
    if not model.steppable:
        return _of_prefixes(model, frames), ()
    state = model.initial_state(tf.shape(frames)[0]) if state is None else state
    return _by_steps(model, frames, state)


def serve_over_time(
    model: SequenceModel,
    clips: tf.TensorSpec,
    prepared: Callable[[Any], Any],
    answer: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """Return the endpoint `serve` and, of a model that has steps, `serve_part`.

    `serve(clips)` gives the answer to clips that begin with their first frame. `serve_part(clips,
    state)` gives the answer and the new state, a flat list: a long video may be shown part by part,
    the first from `initial_state(N)` on.

    Args:
        model: a many-to-one model.
        clips: what they take, `[N, T, ...]`.
        prepared: brings clips to what the model takes.
        answer: makes of logits `[N, T, classes]` what a person reads.
    """

    @tf.function(input_signature=[clips], autograph=False)
    def serve(clips: Any) -> dict[str, Any]:
        logits, _ = logits_over_time(model, prepared(checked_steps(clips)))
        return answer(logits)

    if not model.steppable:
        return {"serve": serve}

    @tf.function(input_signature=[clips, state_signature(model)], autograph=False)
    def serve_part(clips: Any, state: Any) -> Any:
        clips, *flat = of_one_batch([clips, *tf.nest.flatten(state)])
        state = tf.nest.pack_sequence_as(model.initial_state(1), flat)
        logits, state = logits_over_time(model, prepared(checked_steps(clips)), state)
        return answer(logits), tf.nest.flatten(state)

    return {"serve": serve, "serve_part": serve_part}


def _by_steps(model: SequenceModel, frames: Any, state: Any) -> tuple[Any, Any]:
    time = tf.shape(frames)[1]

    def step(t: Any, flat: Any, out: Any) -> tuple[Any, ...]:
        logits, new = model.step(frames[:, t], tf.nest.pack_sequence_as(state, flat))
        return t + 1, tf.nest.flatten(new), out.write(t, tf.cast(logits, tf.float32))

    start = (tf.constant(0), tf.nest.flatten(state), tf.TensorArray(tf.float32, time))
    _, flat, out = tf.while_loop(lambda t, *_: t < time, step, start)
    logits = tf.transpose(out.stack(), [1, 0, 2])
    return logits, tf.nest.pack_sequence_as(state, flat)


def _of_prefixes(model: SequenceModel, frames: Any) -> Any:
    rows, time = tf.unstack(tf.shape(frames)[:2])
    count = tf.minimum(time, _PREFIXES)
    # The end of each prefix; the last is the whole.
    ends = time - (count - 1 - tf.range(count)) * time // count
    logits = tf.map_fn(
        lambda end: tf.cast(model({"frames": frames, "lengths": tf.fill([rows], end)}), tf.float32),
        ends,
        fn_output_signature=tf.float32,
    )
    # Before the first end, the first is what is nearest.
    at = tf.maximum(tf.searchsorted(ends, tf.range(1, time + 1), side="right") - 1, 0)
    return tf.transpose(tf.gather(logits, at), [1, 0, 2])

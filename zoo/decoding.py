"""Turning a step function into sequences, in the graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def decode(
    step: Callable[[Any, Any], tuple[Any, Any]],
    state: Any,
    first: Any,
    max_length: Any,
    end: int | None = None,
    temperature: Any = 0.0,
    seed: Any = (0, 0),
    banned: tuple[int, ...] = (),
) -> tuple[Any, Any]:
    """Feed a model its own outputs: greedy decoding, or sampling.

    Each next token is argmax(logits + temperature * g), with g drawn from the standard Gumbel
    distribution. That is a draw from softmax(logits / temperature) (Gumbel 1954; Maddison et al.
    2014, arXiv:1411.0030), and the most likely token where the temperature is 0.

    Args:
        step: `(tokens [B], state) -> (logits [B, V], new state)`.
        state: the state before `first`.
        first: tokens `[B]` to start with, such as `<start>`.
        max_length: tokens to generate, at most.
        end: the token after which a row stops; None never stops.
        temperature: 0 or more.
        seed: two integers; the same seed draws the same tokens.
        banned: tokens never to generate, such as padding.

    Returns:
        Tokens `[B, max_length]`, 0 after a row's end, and lengths `[B]`, the end not counted.

    Example:
        >>> def count(token, state):
        ...     return tf.one_hot((token + 1) % 5, 5), state
        >>> tokens, lengths = decode(count, (), tf.constant([1]), max_length=4, end=4)
        >>> tokens.numpy().tolist(), lengths.numpy().tolist()
        ([[2, 3, 0, 0]], [2])
    """
    first = tf.cast(first, tf.int32)
    batch = tf.shape(first)[0]
    flat_state = tf.nest.flatten(state)
    temperature = tf.cast(temperature, tf.float32)

    def going(t: Any, token: Any, flat: Any, alive: Any, lengths: Any, out: Any) -> Any:
        # One step even for no rows: without any, the shape of the outputs is not known.
        return (t < max_length) & (tf.reduce_any(alive) | (t == 0))

    def body(t: Any, token: Any, flat: Any, alive: Any, lengths: Any, out: Any) -> tuple[Any, ...]:
        logits, new_state = step(token, tf.nest.pack_sequence_as(state, flat))
        logits = tf.cast(logits, tf.float32)
        uniform = tf.random.stateless_uniform(
            tf.shape(logits), tf.stack([seed[0], seed[1] + t]), minval=1e-7, maxval=1.0
        )
        logits += temperature * -tf.math.log(-tf.math.log(uniform))
        if banned:
            logits -= 1e9 * tf.reduce_sum(tf.one_hot(list(banned), logits.shape[-1]), axis=0)
        token = tf.argmax(logits, axis=-1, output_type=tf.int32)
        if end is not None:
            alive = alive & (token != end)
        out = out.write(t, tf.where(alive, token, 0))
        lengths += tf.cast(alive, tf.int32)
        return t + 1, token, tf.nest.flatten(new_state), alive, lengths, out

    start = (
        tf.constant(0),
        first,
        flat_state,
        tf.ones([batch], tf.bool),
        tf.zeros([batch], tf.int32),
        tf.TensorArray(tf.int32, max_length, element_shape=first.shape),
    )
    *_, lengths, out = tf.while_loop(going, body, start)
    tokens = tf.reshape(tf.transpose(out.stack()), [batch, max_length])
    return tokens, lengths

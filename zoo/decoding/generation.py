"""From what a conditional model is given to what it says about it."""

from typing import Any

import tensorflow as tf

from zoo.decoding.beams import beam_search
from zoo.decoding.drawing import Decoded, decode

OPTIONS = {
    "temperature": tf.TensorSpec([], tf.float32, name="temperature"),
    "seed": tf.TensorSpec([2], tf.int32, name="seed"),
    "max_length": tf.TensorSpec([], tf.int32, name="max_length"),
    "top_k": tf.TensorSpec([], tf.int32, name="top_k"),
    "top_p": tf.TensorSpec([], tf.float32, name="top_p"),
    "beam_width": tf.TensorSpec([], tf.int32, name="beam_width"),
}
"""What an endpoint takes for `generate`, beside the condition, in this order."""


def generate(
    model: Any,
    condition: Any,
    first: Any,
    max_length: Any,
    end: Any,
    beam_width: Any = 1,
    temperature: Any = 0.0,
    top_k: Any = 0,
    top_p: Any = 1.0,
    seed: Any = (0, 0),
    banned: tuple[int, ...] = (),
    length_penalty: Any = 1.0,
    min_length: Any = 0,
    no_repeat_ngram: Any = 0,
    prefix: Any = None,
    watched: bool = True,
) -> Decoded:
    """Encode, then decode: by beam search where `beam_width` is above 1, else see `decode`.

    All numbers may be tensors, so that an export can take them as inputs.

    Args:
        model: a conditional model of the zoo: `encode`, `step`, `attends`, `alignment`.
        condition: what `model.encode` takes, `[B, ...]`.
        first: the token to start with, such as `<start>`: one for all rows, or `[B]`.
        max_length: tokens to generate, at most.
        end: the token after which a row stops.
        beam_width: hypotheses of each row; 1 for none but one. With more, nothing is drawn, and
            `temperature`, `top_k`, `top_p` and `seed` say nothing.
        temperature: see `decode`; 0 takes the likeliest token each time.
        top_k: see `decode`.
        top_p: see `decode`.
        seed: see `decode`.
        banned: tokens never to generate.
        length_penalty: see `beam_search`.
        min_length: tokens before which no row ends.
        no_repeat_ngram: a run of so many tokens comes once in a row at most; 0 for any number of
            times.
        prefix: tokens `[B, P]` that the rows begin with, right-padded with 0; None for none.
        watched: record what a model that attends looked at.

    Returns:
        The tokens, the best hypothesis only; their lengths; where the model attends, its
        alignments `[B, max_length, S]`. There is no state to go on from.

    Raises:
        ValueError: `max_length` is less than 1; in a graph, `tf.errors.InvalidArgumentError`.

    Example:
        >>> from zoo.topologies.seq2seq import Seq2Seq
        >>> model = Seq2Seq(source_vocab_size=9, target_vocab_size=9, embedding=4, units=4)
        >>> told = generate(model, tf.ones([2, 3], tf.int32), 1, max_length=5, end=2, beam_width=3)
        >>> told.tokens.shape
        TensorShape([2, 5])
    """
    max_length = _checked(max_length)
    state = model.encode(condition)
    batch = tf.shape(tf.nest.flatten(condition)[0])[0]
    first = tf.broadcast_to(tf.cast(first, tf.int32), [batch])
    limits = {
        "min_length": min_length,
        "no_repeat_ngram": no_repeat_ngram,
        "prefix": prefix,
        "banned": banned,
        "watch": model.alignment if watched and model.attends else None,
    }

    def drawn() -> Decoded:
        told = decode(
            model.step,
            state,
            first,
            max_length,
            end,
            temperature=temperature,
            seed=seed,
            top_k=top_k,
            top_p=top_p,
            **limits,
        )
        return told._replace(state=None)

    def searched() -> Decoded:
        beams = beam_search(
            model.step, state, first, max_length, end, beam_width, length_penalty, **limits
        )
        watched = None if beams.watched is None else beams.watched[:, 0]
        return Decoded(beams.tokens[:, 0], beams.lengths[:, 0], None, watched)

    if isinstance(beam_width, int):
        return searched() if beam_width > 1 else drawn()
    return tf.cond(beam_width > 1, searched, drawn)


def _checked(max_length: Any) -> Any:
    """At least 1, also where that is known only when an export is called."""
    said = "max_length must be at least 1"
    if isinstance(max_length, int):
        if max_length < 1:
            raise ValueError(f"{said}, but is {max_length}")
        return max_length
    with tf.control_dependencies([tf.debugging.assert_positive(max_length, said)]):
        return tf.identity(max_length)

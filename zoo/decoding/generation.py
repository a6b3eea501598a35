"""Generates from what a conditional model is conditioned on."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.cells.base import Cell
from zoo.decoding.beams import beam_search
from zoo.decoding.drawing import Decoded, decode
from zoo.typing import State, Tensor
from zoo.utils.keras_internals import layers_within
from zoo.utils.validation import checked, named_function

LONGEST, WIDEST = 10_000, 64
"""The most tokens that an endpoint generates, and hypotheses that it looks at."""

OPTIONS = {
    "max_length": tf.TensorSpec([], tf.int32),
    "temperature": tf.TensorSpec([], tf.float32),
    "top_k": tf.TensorSpec([], tf.int32),
    "top_p": tf.TensorSpec([], tf.float32),
    "beam_width": tf.TensorSpec([], tf.int32),
    "seed": tf.TensorSpec([2], tf.int32),
}
"""The options of `generate`, after its condition, in this order."""


def generating(
    condition: tf.TensorSpec, answer: Callable[..., dict[str, Any]], max_length: int
) -> Any:
    """Return the endpoint `generate`, of a condition and `OPTIONS`.

    It takes the likeliest token each time, unless a temperature or a beam width is set. The draws
    of a row depend on the seed, two integers, and on its place in the batch.

    Args:
        condition: what the texts are about, `[N]`; its name is that of the argument.
        answer: `(condition, **options)` to what the endpoint returns.
        max_length: tokens at most, where a call does not set it.

    Returns:
        A `tf.function`; it raises `tf.errors.InvalidArgumentError` if an option is out of range.
    """

    def generate(condition: Tensor, *options: Tensor) -> dict[str, Any]:
        return answer(condition, **_within_bounds(**dict(zip(OPTIONS, options))))

    free = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "beam_width": 1, "seed": (0, 0)}
    specs, defaults = {condition.name: condition, **OPTIONS}, {"max_length": max_length, **free}
    return named_function(generate, specs, defaults)


def _within_bounds(**options: Any) -> dict[str, Any]:
    """Return the options, each checked to be in its range."""
    length, heat, top_k, top_p, width = (options[name] for name in [*OPTIONS][:-1])
    fit = {
        "max_length": ((length >= 1) & (length <= LONGEST), f"1 to {LONGEST:,}"),
        "temperature": ((heat >= 0) & (heat <= tf.float32.max), "0 or more"),
        "top_k": (top_k >= 0, "0 or more"),
        "top_p": ((top_p > 0) & (top_p <= 1), "more than 0 and at most 1"),
        "beam_width": ((width >= 1) & (width <= WIDEST), f"1 to {WIDEST}"),
    }
    right = {
        name: checked(options[name], holds, f"{name} must be {needed}, but is")
        for name, (holds, needed) in fit.items()
    }
    return {**options, **right}


def generate(
    model: Any,
    condition: Tensor,
    first: Tensor,
    max_length: int | Tensor,
    end: Tensor,
    beam_width: int | Tensor = 1,
    temperature: float | Tensor = 0.0,
    top_k: int | Tensor = 0,
    top_p: float | Tensor = 1.0,
    seed: Tensor = (0, 0),
    banned: tuple[int, ...] = (),
    length_penalty: float | Tensor = 1.0,
    min_length: int | Tensor = 0,
    no_repeat_ngram: int | Tensor = 0,
    prefix: Tensor = None,
    watched: bool = True,
    repeatable: tuple[int, ...] = (),
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
        repeatable: tokens that make a run no repetition, such as `<unk>`, which stands for many.

    Returns:
        The tokens, the best hypothesis only; their lengths; where the model attends, its
        alignments `[B, max_length, S]`. There is no state to go on from.

    Raises:
        ValueError: `max_length` is less than 1; in a graph, `tf.errors.InvalidArgumentError`.

    Example:
        >>> from zoo.topologies.seq2seq import Seq2Seq
        >>> model = Seq2Seq(source_vocab_size=9, target_vocab_size=9, embedding=4, units=4)
        >>> source = tf.ones([2, 3], tf.int32)
        >>> generate(model, source, 1, max_length=5, end=2, beam_width=3).tokens.shape
        TensorShape([2, 5])
    """
    max_length = _checked(max_length)
    state = model.encode(condition)
    batch = tf.shape(tf.nest.flatten(condition)[0])[0]
    first = tf.broadcast_to(tf.cast(first, tf.int32), [batch])
    return continued(
        model,
        state,
        first,
        max_length,
        end,
        beam_width,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        length_penalty=length_penalty,
        banned=banned,
        min_length=min_length,
        no_repeat_ngram=no_repeat_ngram,
        prefix=prefix,
        watched=watched,
        repeatable=repeatable,
    )


def continued(
    model: Any,
    state: State,
    first: Tensor,
    max_length: int | Tensor,
    end: Tensor = None,
    beam_width: int | Tensor = 1,
    temperature: float | Tensor = 0.0,
    top_k: int | Tensor = 0,
    top_p: float | Tensor = 1.0,
    seed: Tensor = (0, 0),
    length_penalty: float | Tensor = 1.0,
    watched: bool = True,
    **limits: Any,
) -> Decoded:
    """Go on from a state, by beam search where `beam_width` is above 1; see `generate`.

    Args:
        model: a model of the zoo that has steps.
        state: the state before `first`.
        first: tokens `[B]`, int32, to start with.
        max_length: see `generate`.
        end: likewise; None for rows that never end, of which all get `max_length` tokens.
        beam_width: likewise.
        temperature: likewise.
        top_k: likewise.
        top_p: likewise.
        seed: likewise.
        length_penalty: likewise.
        watched: likewise.
        **limits: `banned`, `min_length`, `no_repeat_ngram`, `prefix` and `repeatable`, likewise.
    """
    limits["watch"] = model.alignment if watched and model.attends else None

    def drawn() -> Decoded:
        how = {"temperature": temperature, "seed": seed, "top_k": top_k, "top_p": top_p}
        step, before = model.steps_from(state)
        decoded = decode(
            step, before, first, max_length, end, compilable=_compilable(model), **how, **limits
        )
        return decoded._replace(state=None)

    def searched() -> Decoded:
        # No token is -1.
        last = -1 if end is None else end
        step, before = model.steps_from(state, beam_width)
        beams = beam_search(
            step, before, first, max_length, last, beam_width, length_penalty, **limits
        )
        seen = None if beams.watched is None else beams.watched[:, 0]
        return Decoded(beams.tokens[:, 0], beams.lengths[:, 0], None, seen)

    if isinstance(beam_width, int):
        return searched() if beam_width > 1 else drawn()
    return tf.cond(beam_width > 1, searched, drawn)


def _compilable(model: Any) -> bool:
    """Return whether XLA can compile the steps of a model."""
    return getattr(model, "compiled_steps", False) and all(
        layer.compiled for layer in layers_within(model) if isinstance(layer, Cell)
    )


def _checked(max_length: int | Tensor) -> Tensor:
    """At least 1, also where that is known only when an export is called."""
    message = "max_length must be at least 1"
    if isinstance(max_length, int):
        if max_length < 1:
            raise ValueError(f"{message}, but is {max_length}")
        return max_length
    with tf.control_dependencies([tf.debugging.assert_positive(max_length, message)]):
        return tf.identity(max_length)

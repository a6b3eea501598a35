"""Greedy decoding and sampling."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from zoo.decoding.constraints import NEVER, Constraints
from zoo.recurrence.compiling import compiled_for_few_rows
from zoo.typing import State, Tensor


class Decoded(NamedTuple):
    """What `decode` gives back.

    Attributes:
        tokens: `[B, max_length]`, int32, 0 after a row's end.
        lengths: `[B]`, int32, how many tokens of each row count, the end not among them.
        state: the state before the last token, to go on from; of use where no row has ended.
        watched: what was watched at each step, `[B, max_length, S]`, float32, 0 after a row's end;
            None where nothing was.
    """

    tokens: Tensor
    lengths: Tensor
    state: State
    watched: Tensor = None


def decode(
    step: Callable[[Tensor, State], tuple[Tensor, State]],
    state: State,
    first: Tensor,
    max_length: int | Tensor,
    end: Tensor = None,
    temperature: float | Tensor = 0.0,
    seed: Tensor = (0, 0),
    banned: tuple[int, ...] = (),
    top_k: int | Tensor = 0,
    top_p: float | Tensor = 1.0,
    min_length: int | Tensor = 0,
    no_repeat_ngram: int | Tensor = 0,
    prefix: Tensor = None,
    watch: Callable[[State], Tensor] | None = None,
    compilable: bool = False,
    repeatable: tuple[int, ...] = (),
) -> Decoded:
    """Feed a model its own outputs: greedy decoding, or sampling.

    Each next token is argmax(logits / temperature + g), with g drawn from the standard Gumbel
    distribution. That is a draw from softmax(logits / temperature) (Gumbel 1954; Maddison et al.
    2014, arXiv:1411.0030). It is the most likely token where the temperature is 0. `top_k` and
    `top_p` leave only likely tokens to draw from, see `likely`.

    The draws of step t come from `(seed[0], seed[1] + t)`. So a text can be made in pieces: after
    n tokens go on from the last token and the state returned, with `(seed[0], seed[1] + n)`.

    A row for which no token is left, after all that is asked for, ends there.

    Args:
        step: `(tokens [B], state) -> (logits [B, V], new state)`.
        state: the state before `first`.
        first: tokens `[B]` to start with, such as `<start>`.
        max_length: tokens to generate, at most.
        end: the token after which a row stops; None never stops.
        temperature: 0 or more.
        seed: two integers; the same seed draws the same tokens.
        banned: tokens never to generate, such as padding.
        top_k: draw from so many of the likeliest tokens, int; 0 for all.
        top_p: draw from the likeliest tokens that hold this share of the probability, in 0..1; 1
            for all.
        min_length: tokens before which no row ends, int.
        no_repeat_ngram: a run of so many tokens comes once in a row at most, int; 0 for any
            number of times.
        prefix: tokens `[B, P]`, int32, that the rows begin with, right-padded with 0: each goes on
            freely after its own, and wherever a 0 stands. None for none.
        watch: `state -> [B, S]`, recorded after each step, such as a model's `alignment`.
        compilable: whether XLA can compile `step`: greedy decoding of few rows then is compiled
            as a whole, where `zoo.recurrence.compiling` says that it pays.
        repeatable: tokens that make a run no repetition, such as `<unk>`.

    Returns:
        Tokens, lengths, the next state and what was watched.

    Example:
        >>> def count(token, state):
        ...     return tf.one_hot((token + 1) % 5, 5), state
        >>> decoded = decode(count, (), tf.constant([1]), max_length=4, end=4)
        >>> decoded.tokens.numpy().tolist(), decoded.lengths.numpy().tolist()
        ([[2, 3, 0, 0]], [2])
    """
    first = tf.cast(first, tf.int32)
    rules = Constraints(max_length, end, banned, min_length, no_repeat_ngram, prefix, repeatable)

    def greedy() -> Decoded:
        def loop(state: State, first: Tensor) -> Decoded:
            return _loop(step, state, first, rules, watch, lambda logits, t: _likeliest(logits))

        if compilable and not rules.looks_back:
            sizes = [size for part in tf.nest.flatten(state) for size in tf.unstack(tf.shape(part))]
            return compiled_for_few_rows(loop, tf.shape(first)[0], [max_length, *sizes])(
                state, first
            )
        return loop(state, first)

    def drawn() -> Decoded:
        def draw(logits: Tensor, t: Tensor) -> Tensor:
            return _draw(logits, temperature, top_k, top_p, tf.stack([seed[0], seed[1] + t]))

        return _loop(step, state, first, rules, watch, draw)

    if isinstance(temperature, int | float) and temperature == 0:
        return greedy()
    # A loop for each: to ask at each step would cost as much as a small layer.
    return tf.cond(tf.cast(temperature, tf.float32) > 0, drawn, greedy)


def _loop(
    step: Callable[[Tensor, State], tuple[Tensor, State]],
    state: State,
    first: Tensor,
    rules: Constraints,
    watch: Callable[[State], Tensor] | None,
    choose: Callable[[Tensor, Tensor], Tensor],
) -> Decoded:
    """Decode by `choose(logits [B, V], t)`, which gives a token `[B]` of each row."""
    max_length, end = rules.max_length, rules.end
    outs = [tf.TensorArray(tf.int32, max_length, element_shape=first.shape)]
    if watch:
        outs.append(tf.TensorArray(tf.float32, max_length, element_shape=watch(state).shape))

    def going(
        t: Tensor, token: Tensor, flat: list[Tensor], alive: Tensor, more: Tensor, *others: Tensor
    ) -> Tensor:
        return (t < max_length) & more

    def body(
        t: Tensor,
        token: Tensor,
        flat: list[Tensor],
        alive: Tensor,
        more: Tensor,
        lengths: Tensor,
        history: Tensor,
        outs: Tensor,
    ) -> tuple[Tensor, ...]:
        logits, new_state = step(token, tf.nest.pack_sequence_as(state, flat))
        logits = rules.allowed(tf.cast(logits, tf.float32), t, history)
        token = choose(logits, t)
        # No token may come where not even the one that was chosen may.
        goes_on = tf.gather(logits, token, axis=1, batch_dims=1) != NEVER
        forced = rules.forced(t)
        if forced is not None:
            token = tf.ensure_shape(tf.where(forced > 0, forced, token), first.shape)
            goes_on |= forced > 0
        alive &= goes_on
        if end is not None:
            alive &= token != end
        values = [tf.where(alive, token, 0)]
        if watch:
            seen = tf.cast(watch(new_state), tf.float32)
            values.append(tf.where(alive[:, None], seen, 0.0))
        outs = [out.write(t, value) for out, value in zip(outs, values)]
        lengths += tf.cast(alive, tf.int32)
        history = rules.note(history, t, token)
        more = tf.reduce_any(alive)
        return t + 1, token, tf.nest.flatten(new_state), alive, more, lengths, history, outs

    batch = tf.shape(first)[0]
    start = (
        tf.constant(0),
        first,
        tf.nest.flatten(state),
        tf.ones([batch], tf.bool),
        # One step even for no rows: without any, the shape of the outputs is not known.
        tf.constant(True),
        tf.zeros([batch], tf.int32),
        rules.history(batch),
        outs,
    )
    _, _, flat_state, _, _, lengths, _, outs = tf.while_loop(going, body, start)
    tokens = tf.reshape(tf.transpose(outs[0].stack()), [batch, max_length])
    watched = tf.transpose(outs[1].stack(), [1, 0, 2]) if watch else None
    return Decoded(tokens, lengths, tf.nest.pack_sequence_as(state, flat_state), watched)


def likely(logits: Tensor, top_k: int | Tensor = 0, top_p: float | Tensor = 1.0) -> Tensor:
    """Which tokens are among the likeliest: by number (top-k), by probability (nucleus), or both.

    Of the `top_k` likeliest tokens, those stay that are needed for a sum of at least `top_p`, the
    likeliest first, with probabilities that add up to 1 over the `top_k` (Fan et al. 2018,
    arXiv:1805.04833; Holtzman et al. 2020, arXiv:1904.09751). Of equals the lower id comes first,
    as in greedy decoding. The likeliest token always stays.

    Args:
        logits: `[B, V]`, float; -inf for what cannot be. Each row counts by itself.
        top_k: int; 0, or more than there are tokens, for all of them.
        top_p: 0..1; 1 for all.

    Returns:
        `[B, V]`, bool.

    Example:
        >>> logits = tf.math.log([[0.2, 0.5, 0.3]])
        >>> likely(logits, top_p=0.6).numpy().tolist()
        [[False, True, True]]
        >>> likely(logits, top_k=1).numpy().tolist()
        [[False, True, False]]
    """
    size = tf.shape(logits)[-1]
    place = tf.range(size)
    ranked, order = tf.math.top_k(logits, size)
    ranked = tf.where(place < tf.where(top_k > 0, top_k, size), ranked, NEVER)
    before = tf.cumsum(tf.nn.softmax(ranked), axis=-1, exclusive=True)
    # A rounded sum may reach 1 too early, and 0 is not below 0.
    stay = (before < top_p) | (top_p >= 1.0) | (place == 0)
    stay &= ranked > NEVER
    return tf.gather(stay, tf.argsort(order), batch_dims=1)


def _likeliest(logits: Tensor) -> Tensor:
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _draw(
    logits: Tensor, temperature: float | Tensor, top_k: int | Tensor, top_p: Tensor, seed: Tensor
) -> Tensor:
    """A token `[B]` of each row of logits `[B, V]`, at a temperature above 0."""
    # Less the largest first: then the smallest temperature makes no number too large.
    largest = tf.maximum(tf.reduce_max(logits, axis=-1, keepdims=True), logits.dtype.min)
    heated = (logits - largest) / tf.cast(temperature, tf.float32)
    number, share = tf.cast(top_k, tf.int32), tf.cast(top_p, tf.float32)
    heated = tf.cond(
        (number > 0) | (share < 1.0),
        lambda: tf.where(likely(heated, number, share), heated, NEVER),
        lambda: heated,
    )
    # XLA would otherwise choose another generator.
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed, 1e-7, 1.0, alg="philox")
    return _likeliest(heated - tf.math.log(-tf.math.log(uniform)))

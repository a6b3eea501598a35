"""Beam search."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.decoding.constraints import NEVER, Constraints
from zoo.typing import State, Tensor

# Rows of so many pieces are ranked by pieces; see `top_few`.
_PIECE, _FEW_PIECES = 64, 64


class Beams(NamedTuple):
    """What `beam_search` gives back: the N best hypotheses of each row, the best one first.

    Attributes:
        tokens: `[B, N, max_length]`, int32, 0 after a hypothesis' end.
        lengths: `[B, N]`, int32, how many tokens of each count, the end not among them.
        scores: `[B, N]`, float32, log-probabilities, normalised; -inf where there are fewer than N.
        watched: what was watched at each step, `[B, N, max_length, S]`, float32, 0 after the end;
            None where nothing was.
    """

    tokens: Tensor
    lengths: Tensor
    scores: Tensor
    watched: Tensor = None


def beam_search(
    step: Callable[[Tensor, State], tuple[Tensor, State]],
    state: State,
    first: Tensor,
    max_length: int | Tensor,
    end: Tensor,
    width: int | Tensor = 5,
    length_penalty: float | Tensor = 1.0,
    n_best: int | Tensor = 1,
    min_length: int | Tensor = 0,
    no_repeat_ngram: int | Tensor = 0,
    prefix: Tensor = None,
    banned: tuple[int, ...] = (),
    watch: Callable[[State], Tensor] | None = None,
    repeatable: tuple[int, ...] = (),
) -> Beams:
    """Look for the likeliest sequences, of `width` beginnings at a time (Graves 2012).

    A hypothesis Y scores log p(Y) / ((5 + |Y|) / 6)^length_penalty (Wu et al. 2016,
    arXiv:1609.08144, equation 14, without coverage), p being the model's own probability and |Y|
    counting the end, where it has come. At each step the `width` likeliest beginnings that do not
    end go on, and those among the `width` likeliest of all that end are complete. What has not
    ended after `max_length` tokens is complete, too. A row is done when `width` hypotheses have
    ended and none that goes on is better, as it is, than the `n_best` of them, or when none can
    become so: the loop stops when all rows are done, and what a row gives does not depend on the
    others.

    With a width of 1 this is greedy decoding, token for token.

    Args:
        step: `(tokens [R], state) -> (logits [R, V], new state)`; R = B `width` rows, the
            hypotheses of a row one after the other. A part of the state that it hands on as it
            got it is never copied.
        state: the state before `first`, a tree of tensors `[B, ...]`.
        first: tokens `[B]` to start with, such as `<start>`.
        max_length: tokens of a hypothesis, at most.
        end: the token that ends one.
        width: hypotheses of each row that go on, int, at least 1.
        length_penalty: the exponent; 0 for plain log-probabilities, which favour short ones.
        n_best: hypotheses of each row to give back, int, at most `width`.
        min_length: tokens before which none ends, int.
        no_repeat_ngram: a run of so many tokens comes once in a hypothesis at most, int; 0 for any
            number of times.
        prefix: tokens `[B, P]`, int32, that the hypotheses begin with, right-padded with 0. None
            for none.
        banned: tokens never to generate.
        watch: `state -> [R, S]`, recorded after each step, such as a model's `alignment`.
        repeatable: tokens that make a run no repetition, such as `<unk>`.

    Returns:
        The hypotheses. One for which no token was left ends there, at no cost.

    Example:
        >>> table = tf.math.log([[0.1, 0.6, 0.3], [0.1, 0.4, 0.5], [0.0, 0.1, 0.9]])
        >>> def follow(token, state):
        ...     return tf.gather(table, token), state
        >>> beams = beam_search(follow, (), [1], 3, end=0, width=2, n_best=2, length_penalty=0.0)
        >>> beams.tokens.numpy().tolist(), [f"{p:.3f}" for p in tf.exp(beams.scores[0])]
        ([[[2, 2, 2], [1, 2, 2]]], ['0.405', '0.180'])
    """
    first = tf.cast(first, tf.int32)
    batch, slots = tf.shape(first)[0], tf.range(width)
    if prefix is not None:
        prefix = tf.repeat(prefix, width, axis=0)
    rules = Constraints(max_length, end, banned, min_length, no_repeat_ngram, prefix, repeatable)
    repeated = [tf.repeat(part, width, axis=0) for part in tf.nest.flatten(state)]
    known = (first.shape[0], width if isinstance(width, int) else None)

    def penalty(length: Tensor) -> Tensor:
        return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** length_penalty

    whole_penalty = penalty(max_length)

    def going(
        t: Tensor, tokens: Tensor, flat: list[Tensor], live: Tensor, *others: Tensor
    ) -> Tensor:
        # One step even for no rows: without any, the shape of the outputs is not known.
        return (t < max_length) & (tf.reduce_any(live > NEVER) | (t == 0))

    def body(
        t: Tensor,
        tokens: Tensor,
        flat: list[Tensor],
        live: Tensor,
        best: Tensor,
        ended: Tensor,
        history: Tensor,
        outs: Tensor,
    ) -> tuple[Tensor, ...]:
        logits, new_state = step(tokens, tf.nest.pack_sequence_as(state, flat))
        # One of them may be the end, which does not go on.
        size = logits.shape[-1]
        count = min(width + 1, size) if isinstance(width, int) else tf.minimum(width + 1, size)
        gains, choices = _likeliest(tf.cast(logits, tf.float32), rules, t, history, count)
        sums, parents, tokens = _candidates(live, gains, choices, [batch, width, count])
        ends, divisor = tokens == end, penalty(t + 1)
        complete = tf.where(ends, sums / divisor, NEVER)[:, :width]
        best = _merged(best, (complete, t * width + parents[:, :width]))
        ended += tf.reduce_sum(tf.cast(complete > NEVER, tf.int32), axis=1)
        live, order = tf.math.top_k(tf.where(ends, NEVER, sums), width)
        parents, tokens = (tf.gather(part, order, batch_dims=1) for part in (parents, tokens))
        # Going on makes no sum larger, and what it is divided by at most so large.
        most = live[:, 0] / tf.maximum(divisor, whole_penalty)
        # A sure model of few tokens ends many hypotheses beside a much likelier one that goes on.
        enough = (ended >= width) & (best[0][:, -1] >= live[:, 0] / divisor)
        done = enough | (best[0][:, -1] >= most)
        live = tf.where(done[:, None], NEVER, live)
        rows = tf.reshape(first_rows + parents, [-1])

        def reordered(new: State, old: State = None) -> Tensor:
            # All hypotheses of a row have the same in a part that no step changes.
            same = new is old or (isinstance(width, int) and width == 1)
            return new if same else tf.gather(new, rows)

        flat = [reordered(*pair) for pair in zip(tf.nest.flatten(new_state), flat)]
        values = [parents, tokens]
        if watch:
            values.append(tf.cast(watch(tf.nest.pack_sequence_as(state, flat)), tf.float32))
        outs = [out.write(t, value) for out, value in zip(outs, values)]
        tokens = tf.reshape(tokens, [-1])
        history = rules.note(reordered(history), t, tokens) if rules.looks_back else history
        parts = (tokens, flat, live, best, ended, history)
        parts = tf.nest.map_structure(_shaped, parts, start[1:-1])
        return t + 1, *parts, outs

    arrays = [tf.TensorArray(tf.int32, max_length, element_shape=known) for _ in range(2)]
    if watch:
        shape = watch(tf.nest.pack_sequence_as(state, repeated)).shape
        arrays.append(tf.TensorArray(tf.float32, max_length, element_shape=shape))
    first_rows = tf.range(batch)[:, None] * width
    start = (
        tf.constant(0),
        tf.repeat(first, width),
        repeated,
        tf.where(tf.fill([batch, width], 0) + slots == 0, 0.0, NEVER),
        (tf.fill([batch, n_best], NEVER), tf.zeros([batch, n_best], tf.int32)),
        tf.zeros([batch], tf.int32),
        rules.history(batch * width),
        arrays,
    )
    _, _, _, live, best, _, _, outs = tf.while_loop(going, body, start)
    whole = tf.broadcast_to(max_length * width + slots, tf.shape(live))
    scores, places = _merged(best, (live / whole_penalty, whole))
    best = scores, places // width, places % width
    return _traced(best, *(out.stack() for out in outs))


def _shaped(new: State, start: State) -> State:
    """With the shape that the loop begins with, of which a step may know less."""
    return tf.ensure_shape(new, start.shape) if new.shape != start.shape else new


def _likeliest(
    logits: Tensor, rules: Constraints, t: Tensor, history: Tensor, count: int | Tensor
) -> tuple[Tensor, Tensor]:
    """What each hypothesis may go on with: gains in log-probability, and tokens, `[R, count]`.

    By each hypothesis' logits, not by sums, in which small differences are lost.
    """
    whole = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    likeliest, tokens = top_few(rules.allowed(logits, t, history), count)
    # Where one token is certain it is the first, and the others cannot be.
    alone = tf.where(tf.range(count) == 0, 0.0, NEVER)
    ends = likeliest[:, :1] == NEVER
    gains = tf.where(ends, alone, likeliest - whole)
    tokens = tf.where(ends, rules.end, tokens)
    forced = rules.forced(t)
    if forced is not None:
        forced = forced[:, None]
        # Even what the model holds for impossible.
        own = tf.maximum(tf.gather(logits, forced, batch_dims=1) - whole, logits.dtype.min / 1e9)
        gains = tf.where(forced > 0, own + alone, gains)
        tokens = tf.where(forced > 0, forced, tokens)
    return gains, tokens


def top_few(values: Tensor, count: int | Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest of each row and their places, as `tf.math.top_k` does.

    Where there are many, only some pieces of a row are ranked: a piece of the largest maxima for
    each value that is asked for, of equal ones the first.

    Args:
        values: `[R, V]`, V known.
        count: int, at most V.

    Example:
        >>> values, places = top_few(tf.range(9000.0)[None], 2)
        >>> values.numpy().tolist(), places.numpy().tolist()
        ([[8999.0, 8998.0]], [[8999, 8998]])
    """
    size = values.shape[-1]
    pieces = -(-size // _PIECE)
    if pieces < _FEW_PIECES:
        return tf.math.top_k(values, count)
    if missing := pieces * _PIECE - size:
        values = tf.pad(values, [[0, 0], [0, missing]], constant_values=NEVER)
    cut = tf.reshape(values, [-1, pieces, _PIECE])
    some_pieces = min(count, pieces) if isinstance(count, int) else tf.minimum(count, pieces)
    _, chosen = tf.math.top_k(tf.reduce_max(cut, axis=-1), some_pieces)
    # In their order, so that of equals the first stays the first.
    chosen = tf.sort(chosen)
    some = tf.gather(cut, chosen, batch_dims=1)
    some = tf.reshape(some, [-1, some_pieces * _PIECE])
    values, places = tf.math.top_k(some, count)
    pieces = tf.gather(chosen, places // _PIECE, batch_dims=1)
    return values, pieces * _PIECE + places % _PIECE


def _candidates(
    live: Tensor, gains: Tensor, choices: Tensor, shape: list[Any]
) -> tuple[Tensor, Tensor, Tensor]:
    """The 2 W likeliest beginnings of each row: sums, the hypotheses they go on from, tokens.

    `shape` is that of what each hypothesis may go on with, `[B, W, K]`.
    """
    batch, width, count = shape
    sums = tf.reshape(live[:, :, None] + tf.reshape(gains, shape), [batch, width * count])
    sums, places = tf.math.top_k(sums, 2 * width)
    tokens = tf.gather(tf.reshape(choices, [batch, width * count]), places, batch_dims=1)
    return sums, places // count, tokens


def _merged(best: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The best of both: scores, and where they end, which is length · width + hypothesis."""
    count = tf.shape(best[0])[1]
    scores, ends = (tf.concat(pair, axis=1) for pair in zip(best, others))
    scores, order = tf.math.top_k(scores, count)
    return scores, tf.gather(ends, order, batch_dims=1)


def _traced(
    best: tuple[Tensor, ...], parents: Tensor, tokens: Tensor, watched: Tensor = None
) -> Beams:
    """Follow each hypothesis from its last token back to its first one.

    Args:
        best: scores, lengths, and the places of the last tokens, `[B, N]`.
        parents: `[T, B, W]`, of each step: the places before it.
        tokens: `[T, B, W]`.
        watched: `[T, B W, S]` or None.
    """
    scores, lengths, last = best
    lengths = tf.where(scores > NEVER, lengths, 0)
    steps = tf.range(tf.shape(parents)[0])

    def back(at: Tensor, step: Tensor) -> Tensor:
        t, parents = step
        return tf.where(t == lengths - 1, last, tf.gather(parents, at, batch_dims=1))

    after = tf.concat([parents[1:], tf.zeros_like(parents[:1])], axis=0)
    path = tf.scan(back, (steps, after), tf.zeros_like(last), reverse=True)

    def along(values: Any) -> Tensor:
        gathered = tf.gather(values, path, batch_dims=2)
        counts = steps[:, None, None] < lengths
        counts = tf.reshape(counts, [*tf.unstack(tf.shape(counts)), *[1] * (len(values.shape) - 3)])
        gathered = tf.where(counts, gathered, tf.zeros_like(gathered))
        return tf.transpose(gathered, [1, 2, 0, *range(3, len(gathered.shape))])

    if watched is not None:
        watched = tf.reshape(watched, tf.concat([tf.shape(tokens), tf.shape(watched)[2:]], axis=0))
        watched = along(watched)
    return Beams(along(tokens), lengths, scores, watched)

"""Beam search against enumeration, against a plain loop over lists, and against greedy decoding."""

import heapq

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import beam_search, decode
from zoo.decoding.beams import top_few

V, END = 4, 0


class Table:
    """A model whose logits depend on the row and on the two last tokens."""

    def __init__(self, seed, spread=1.5):
        draw = np.random.default_rng(seed)
        self.logits = draw.normal(0, spread, (3, V, V, V)).astype("float32")

    def state(self):
        return {"before": tf.zeros([3], tf.int32), "logits": tf.constant(self.logits)}

    def log_probabilities(self, row, tokens):
        """After a beginning, the first token included; in float64."""
        before = tokens[-2] if len(tokens) > 1 else 0
        logits = np.float64(self.logits[row, before, tokens[-1]])
        return logits - np.log(np.exp(logits).sum())


def step(tokens, state):
    pair = tf.stack([state["before"], tokens], axis=-1)
    return tf.gather_nd(state["logits"], pair, batch_dims=1), {**state, "before": tokens}


FIRST = [1, 2, 3]


def penalty(length, alpha):
    return ((5 + length) / 6) ** alpha


def enumerated(table, row, longest, alpha, shortest=0):
    """Every sequence with its score, the best first."""
    found = []

    def extend(tokens, sum_):
        if len(tokens) - 1 == longest:
            found.append((sum_ / penalty(longest, alpha), tokens[1:]))
            return
        for token, gain in enumerate(table.log_probabilities(row, tokens)):
            if token != END:
                extend([*tokens, token], sum_ + gain)
            elif len(tokens) > shortest:
                found.append(((sum_ + gain) / penalty(len(tokens), alpha), tokens[1:]))

    extend([FIRST[row]], 0.0)
    return sorted(found, reverse=True)


def listed(beams, row):
    """A row's hypotheses as lists."""
    return [
        tokens[:length].tolist()
        for tokens, length in zip(beams.tokens[row].numpy(), beams.lengths[row].numpy())
    ]


@tf.function
def wide(state, alpha, shortest):
    return beam_search(
        step, state, FIRST, 4, END, 81, length_penalty=alpha, n_best=7, min_length=shortest
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0, -1.0])
def test_a_wide_search_finds_what_enumeration_does(seed, alpha):
    table, shortest = Table(seed), seed % 3
    beams = wide(table.state(), tf.constant(alpha), tf.constant(shortest))
    for row in range(3):
        expected = enumerated(table, row, 4, alpha, shortest)[:7]
        assert listed(beams, row) == [tokens for _, tokens in expected]
        np.testing.assert_allclose(beams.scores[row], [score for score, _ in expected], rtol=1e-5)


def searched(table, row, longest, width, alpha):
    """The search that the docstring describes, of one row, with lists: scores and tokens."""
    live, complete = [(0.0, [FIRST[row]])], []
    for _ in range(longest):
        grown = [
            (sum_ + gain, [*tokens, token])
            for sum_, tokens in live
            for token, gain in enumerate(table.log_probabilities(row, tokens))
        ]
        complete += [
            (sum_ / penalty(len(tokens) - 1, alpha), tokens[1:-1])
            for sum_, tokens in heapq.nlargest(width, grown)
            if tokens[-1] == END
        ]
        live = heapq.nlargest(width, [one for one in grown if one[1][-1] != END])
        best = live[0][0] / penalty(len(live[0][1]) - 1, alpha)
        if len(complete) >= width and max(complete)[0] >= best:
            return max(complete)
    whole = [(sum_ / penalty(longest, alpha), tokens[1:]) for sum_, tokens in live]
    return max(complete + whole)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_narrow_search_is_that_of_lists(width):
    @tf.function
    def search(state, alpha):
        return beam_search(step, state, FIRST, 9, END, width, length_penalty=alpha)

    for seed in range(6):
        table, alpha = Table(seed), seed % 3 / 2
        beams = search(table.state(), tf.constant(alpha))
        for row in range(3):
            score, tokens = searched(table, row, 9, width, alpha)
            assert listed(beams, row) == [tokens]
            np.testing.assert_allclose(beams.scores[row, 0], score, rtol=1e-5)


def test_what_was_watched_is_of_the_same_hypothesis():
    """What is watched here is the token that went in."""
    table = Table(3)
    beams = beam_search(
        step, table.state(), FIRST, 5, END, width=4, n_best=4,
        watch=lambda state: tf.one_hot(state["before"], V),
    )  # fmt: skip
    assert len({tuple(map(tuple, beams.tokens[row].numpy())) for row in range(3)}) == 3
    for row in range(3):
        for tokens, watched in zip(listed(beams, row), beams.watched[row].numpy()):
            went_in = [FIRST[row], *tokens][: len(tokens)]
            np.testing.assert_array_equal(watched[: len(tokens)], np.eye(V)[went_in])
            assert not watched[len(tokens) :].any()


@pytest.mark.parametrize(
    "rules",
    [
        {},
        pytest.param({"min_length": 4}, marks=pytest.mark.slow),
        pytest.param({"no_repeat_ngram": 2, "banned": (2,)}, marks=pytest.mark.slow),
        {"prefix": np.array([[3, 3, 0], [0, 0, 0], [2, 1, 3]])},
        {"no_repeat_ngram": 1},
    ],
)
def test_one_hypothesis_is_greedy_decoding(rules):
    """Also where logits are so near to each other that their sums are the same."""

    @tf.function
    def both(state):
        greedy = decode(step, state, FIRST, 20, END, **rules)
        widths = (1, tf.constant(1))
        return [(greedy, beam_search(step, state, FIRST, 20, END, w, **rules)) for w in widths]

    for seed, spread in [(0, 1.5), (1, 1e-6), (2, 1e-7), (3, 0.0)]:
        for greedy, beams in both(Table(seed, spread).state()):
            np.testing.assert_array_equal(beams.tokens[:, 0], greedy.tokens)
            np.testing.assert_array_equal(beams.lengths[:, 0], greedy.lengths)
            assert np.isfinite(beams.scores).all()


def test_a_row_does_not_depend_on_the_others():
    table = Table(5)
    whole = beam_search(step, table.state(), FIRST, 8, END, width=3, n_best=3)
    for row in range(3):
        state = tf.nest.map_structure(lambda part, row=row: part[row : row + 1], table.state())
        alone = beam_search(step, state, FIRST[row : row + 1], 8, END, width=3, n_best=3)
        np.testing.assert_array_equal(alone.tokens[0], whole.tokens[row])
        np.testing.assert_allclose(alone.scores[0], whole.scores[row], rtol=1e-6)


def test_no_rows_are_no_hypotheses():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def search(first):
        def step(tokens, state):
            return tf.one_hot(tokens, V), state

        return beam_search(step, (), first, 6, END, width=2, n_best=2)

    beams = search(tf.zeros([0], tf.int32))
    assert beams.tokens.shape == (0, 2, 6) and beams.scores.shape == (0, 2)


def test_the_loop_stops_when_all_rows_are_done():
    def certain(tokens, state):
        """The end comes after the third token, whatever else is possible, though hardly."""
        calls.append(1)
        return tf.one_hot(tf.where(tokens == 3, END, tokens + 1), V) * 50.0, state

    calls = []
    beams = beam_search(certain, (), [1, 2], 30, END, width=3)
    assert beams.tokens[:, 0, :3].numpy().tolist() == [[2, 3, 0], [3, 0, 0]]
    assert len(calls) == 3


@pytest.mark.parametrize("width", [1, 3])
def test_a_row_without_a_token_left_ends_there(width):
    def stubborn(tokens, state):
        """Row 0 may only repeat itself; row 1 has no choice at all."""
        return tf.where(state[:, None] == 0, tf.one_hot(tokens, V, 0.0, NEVER), NEVER), state

    NEVER = -float("inf")
    rules = {"no_repeat_ngram": 1, "banned": (0,)}
    beams = beam_search(stubborn, tf.constant([0, 1]), [2, 2], 5, END, width, n_best=width, **rules)
    assert beams.tokens[:, 0].numpy().tolist() == [[2, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert beams.scores[:, 0].numpy().tolist() == [0.0, 0.0]
    assert np.all(beams.scores[:, 1:] == NEVER) and not beams.tokens[:, 1:].numpy().any()


def test_a_state_that_is_only_handed_on_is_not_copied():
    """Of the gathers in the loop's graph, none has the shape of the part that never changes."""

    def step(tokens, state):
        memory, counter = state
        return tf.one_hot(tokens, V) + memory[:, 0, :V], (memory, counter + 1)

    @tf.function
    def search(memory):
        return beam_search(step, (memory, tf.zeros([2], tf.int32)), [1, 2], 5, END, width=3).tokens

    graph = search.get_concrete_function(tf.TensorSpec([2, 7, 5])).graph
    bodies = [f for name, f in graph._functions.items() if "while_body" in name]
    gathers = [op for f in bodies for op in f.graph.get_operations() if op.type == "GatherV2"]
    assert gathers and all(op.outputs[0].shape.rank != 3 for op in gathers)


@pytest.mark.parametrize("size", [4096, 5000])
@pytest.mark.parametrize("count", [1, 6, 90])
def test_few_of_many_are_those_that_ranking_all_gives(size, count):
    """Also among equals, of which the first come first, and where most cannot be."""
    drawn = np.random.default_rng(size)
    rows = [
        drawn.normal(size=size),
        drawn.integers(0, 9, size),
        np.zeros(size),
        np.where(np.arange(size) < size - 3, -np.inf, 1.0),
        np.full(size, -np.inf),
    ]
    values = tf.constant(np.stack(rows).astype("float32"))
    for ours, whole in zip(top_few(values, count), tf.math.top_k(values, count)):
        np.testing.assert_array_equal(ours, whole)
    assert top_few(values[:0], tf.constant(count))[0].shape == (0, count)


def test_a_sure_model_is_not_cut_short_by_ends_that_hardly_may_be():
    def count(tokens, state):
        return tf.one_hot((tokens + 1) % 10, 10, 30.0, 0.0), state

    beams = beam_search(count, (), [1], 12, END, width=5)
    assert beams.tokens[0, 0, : beams.lengths[0, 0]].numpy().tolist() == [2, 3, 4, 5, 6, 7, 8, 9]

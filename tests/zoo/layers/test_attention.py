import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.attention import KINDS, Attention, coverage_loss, doubly_stochastic_loss

B, S, Q, D, A = 3, 6, 4, 4, 5
LENGTHS = [6, 3, 0]
VALID = np.arange(S) < np.array(LENGTHS)[:, None]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(energies, count):
    """Of the first places of a row, in plain Python."""
    weights = np.zeros(len(energies))
    if count:
        e = np.exp(energies[:count] - max(energies[:count]))
        weights[:count] = e / e.sum()
    return weights


def made(kind, **options):
    """An attention with random weights in float64, and its weights by name."""
    rng = np.random.default_rng(KINDS.index(kind))
    attention = Attention(Q, D, kind, A, filters=2, width=3, dtype="float64", **options)
    for weight in attention.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    return attention, {weight.name: np.array(weight) for weight in attention.trainable_weights}


@pytest.fixture
def values():
    return np.random.default_rng(7).normal(size=(B, S, D))


@pytest.fixture
def queries():
    return np.random.default_rng(8).normal(size=(4, B, Q))


def look(attention, values, queries, **arguments):
    """Contexts and alignments of one query after the other."""
    memory = attention.remember(values, LENGTHS)
    state, found = attention.start(memory), []
    for query in queries:
        context, state = attention(query, memory, state, **arguments)
        found.append((context, state["alignment"]))
    return [np.stack(parts) for parts in zip(*found)]


def energy(kind, w, query, value, before, coverage, place):
    """e_j as the papers write it, one place at a time."""
    if kind == "dot":
        return query @ value
    if kind in ("multiplicative", "scaled"):
        scale = np.sqrt(Q) if kind == "scaled" else 1
        return query @ w["memory_kernel"].T @ value / scale + (
            coverage * w["coverage_kernel"][0, 0] if "coverage_kernel" in w else 0
        )
    inner = query @ w["query_kernel"] + value @ w["memory_kernel"]
    if kind == "location":
        padded = np.pad(before, 1)
        maps = [padded[place : place + 3] @ w["convolution"][:, 0, n] for n in range(2)]
        inner += w["bias"] + np.array(maps) @ w["location_kernel"]
    if "coverage_kernel" in w:
        inner += coverage * w["coverage_kernel"][0]
    return np.tanh(inner) @ w["vector"][:, 0]


@pytest.mark.parametrize("coverage", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "monotonic"])
def test_alignments_and_contexts_are_those_of_the_papers(kind, coverage, values, queries):
    if kind == "dot" and coverage:
        return
    attention, w = made(kind, coverage=coverage)
    contexts, alignments = look(attention, values, queries)
    for row in range(B):
        before, covered = np.zeros(S), np.zeros(S)
        for t, query in enumerate(queries[:, row]):
            e = [energy(kind, w, query, values[row, j], before, covered[j], j) for j in range(S)]
            before = softmax(np.array(e), LENGTHS[row])
            covered += before
            np.testing.assert_allclose(alignments[t, row], before, atol=1e-12)
            np.testing.assert_allclose(contexts[t, row], before @ values[row], atol=1e-12)


@pytest.mark.parametrize("kind", ["dot", "multiplicative", "scaled"])
def test_products_of_all_queries_at_once_equal_one_after_the_other(kind, values, queries):
    attention, _ = made(kind)
    memory = attention.remember(values, LENGTHS)
    contexts, alignments = attention.all(tf.constant(queries.swapaxes(0, 1)), memory)
    each = look(attention, values, queries)
    np.testing.assert_allclose(contexts, each[0].swapaxes(0, 1), atol=1e-12)
    np.testing.assert_allclose(alignments, each[1].swapaxes(0, 1), atol=1e-12)


def stays(attention, w, query, value):
    """The monotonic reader's energy of one place."""
    inner = np.tanh(query @ w["query_kernel"] + value @ w["memory_kernel"] + w["bias"])
    direction = w["vector"][:, 0] / np.linalg.norm(w["vector"])
    return w["gain"] * (inner @ direction) + w["offset"]


def test_a_monotonic_reader_walks_until_a_place_is_likelier_than_not(values, queries):
    attention, w = made("monotonic")
    _, alignments = look(attention, values, queries)
    moved = False
    for row in (0, 1):
        place = 0
        for t, query in enumerate(queries[:, row]):
            while place < LENGTHS[row] - 1 and stays(attention, w, query, values[row, place]) <= 0:
                place, moved = place + 1, True
            np.testing.assert_array_equal(alignments[t, row], np.eye(S)[place])
    assert moved
    assert not alignments[:, 2].any()


def test_the_expected_alignment_is_the_mean_of_all_walks(values, queries):
    attention, w = made("monotonic")
    memory = attention.remember(values, LENGTHS)
    noise = tf.zeros([B, S], "float64")
    _, alignments = look(attention, values, queries, noise=noise)
    assert attention.noise(5, memory).shape == (5, B, S)
    for row in (0, 1):
        count, expected = LENGTHS[row], np.eye(S)[0]
        for t, query in enumerate(queries[:, row]):
            p = [sigmoid(stays(attention, w, query, values[row, j])) for j in range(count)]
            p[-1] = 1
            # Every place to come from, every place to stop at.
            expected = np.array([
                sum(expected[i] * np.prod(1 - np.array(p[i:j])) * p[j] for i in range(j + 1))
                if j < count else 0
                for j in range(S)
            ])  # fmt: skip
            np.testing.assert_allclose(alignments[t, row], expected, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_sum_to_one_and_gradients_are_those_of_finite_differences(kind, values, queries):
    attention, _ = made(kind, coverage=kind in ("additive", "scaled"))
    noise = tf.constant(queries[0, :, :1] * np.ones(S)) if kind == "monotonic" else None
    mix = np.random.default_rng(3).normal(size=(B, S))

    def loss(values, *queries):
        memory = attention.remember(values, LENGTHS)
        state, total = attention.start(memory), 0.0
        for query in queries:
            context, state = attention(query, memory, state, noise=noise)
            total += tf.reduce_sum(tf.sin(context)) + tf.reduce_sum(state["alignment"] * mix)
        return total, state["alignment"]

    sources = [tf.constant(values), *map(tf.constant, queries[:2])]
    sources += [weight.value for weight in attention.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        value, alignment = loss(*sources[:3])
    np.testing.assert_allclose(tf.reduce_sum(alignment, axis=1), [1, 1, 0], atol=1e-12)
    assert not np.any(alignment.numpy()[~VALID])
    gradients = tape.gradient(value, sources)
    sources = [np.array(source) for source in sources]
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert not np.any(gradients[0].numpy()[~VALID])
    for n, (source, gradient) in enumerate(zip(sources, gradients)):
        way = np.random.default_rng(n).normal(size=source.shape) * 1e-6
        found = [moved(loss, attention, sources, n, sign * way) for sign in (1, -1)]
        expected = np.sum(gradient * way) * 2
        np.testing.assert_allclose(found[0] - found[1], expected, rtol=1e-4, atol=1e-13)


def moved(loss, attention, sources, n, way):
    """The loss where one source is a little different."""
    given = [source + way if k == n else source for k, source in enumerate(sources)]
    for weight, value in zip(attention.trainable_weights, given[3:]):
        weight.assign(value)
    value = float(loss(*given[:3])[0])
    for weight, value_before in zip(attention.trainable_weights, sources[3:]):
        weight.assign(value_before)
    return value


def test_energies_too_large_for_half_precision_give_no_nan():
    attention = Attention(Q, D, "dot", dtype="mixed_float16")
    memory = attention.remember(tf.fill([B, S, D], 30.0), LENGTHS)
    context, state = attention(tf.fill([B, Q], tf.constant(30, "float16")), memory,
                               attention.start(memory))  # fmt: skip
    assert context.dtype == "float16" and state["alignment"].dtype == "float32"
    np.testing.assert_allclose(tf.reduce_sum(state["alignment"], axis=1), [1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(context[:, 0], [30, 30, 0], atol=0.05)


def test_looking_again_costs_and_only_real_steps_count():
    alignments = tf.constant([[[1.0, 0.0], [0.75, 0.25], [1.0, 0.0]]])
    assert float(coverage_loss(alignments, tf.constant([[1.0, 1.0, 0.0]]))) == 0.75 / 2
    looked = doubly_stochastic_loss(alignments, tf.constant([[1.0, 1.0, 0.0]]))
    assert float(looked) == (0.75**2 + 0.75**2) / 2


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="attention is 'sharp', but additive, dot, "):
        Attention(4, 4, "sharp")
    with pytest.raises(ValueError, match="queries have size 3 and values 4"):
        Attention(3, 4, "dot")

import numpy as np
import pytest

from zoo.layers.pooling import pooling

KINDS = ("last", "mean", "max", "attention")
LENGTHS = (6, 1, 4, 0)


@pytest.fixture
def outputs():
    return np.random.default_rng(1).normal(size=(4, 6, 3)).astype("float32")


def marked(lengths=LENGTHS):
    return np.arange(6) < np.array(lengths)[:, None]


def expected(kind, pool, rows):
    """Of one row's outputs `[T, 3]`, in numpy."""
    if not len(rows):
        return np.zeros(3)
    if kind == "attention":
        inner = np.tanh(rows @ np.array(pool.inner.kernel) + np.array(pool.inner.bias))
        energies = (inner @ np.array(pool.outer.kernel))[:, 0]
        parts = np.exp(energies)
        return (parts / parts.sum()) @ rows
    return {"last": rows[-1], "mean": rows.mean(axis=0), "max": rows.max(axis=0)}[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_what_counts_is_pooled_and_the_rest_is_not(kind, outputs):
    pool = pooling(kind, 3)
    found = pool.read(pool.of(outputs, marked()))
    rows = [expected(kind, pool, row[:end]) for row, end in zip(outputs, LENGTHS)]
    np.testing.assert_allclose(found, rows, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_stretches_of_time_join_to_the_whole(kind, outputs):
    pool = pooling(kind, 3)
    state = pool.initial_state(4)
    for part in (slice(0, 1), slice(1, 4), slice(4, 6)):
        state = pool.join(state, pool.of(outputs[:, part], marked()[:, part]))
    whole = pool.read(pool.of(outputs, marked()))
    np.testing.assert_allclose(pool.read(state), whole, atol=1e-6)


def test_the_shares_of_attention_sum_to_one_over_what_counts(outputs):
    pool = pooling("attention", 3)
    assert len(pool.weights) == 3
    weights = np.array(pool.shares(outputs, marked()))
    np.testing.assert_allclose(weights.sum(axis=1), [1, 1, 1, 0], atol=1e-6)
    assert not weights[~marked()].any() and (weights[0] > 0).all()


def test_attention_bears_large_outputs(outputs):
    pool = pooling("attention", 3)
    pool.outer.kernel.assign(np.full((3, 1), 1e4))
    state = pool.join(pool.initial_state(4), pool.of(outputs * 100, marked()))
    assert np.isfinite(pool.read(state)).all()


def test_the_last_output_of_a_backward_recurrence_is_that_of_the_first_step(outputs):
    pool = pooling("last", 3, backwards=1)
    found = np.array(pool.read(pool.of(outputs, marked())))
    np.testing.assert_array_equal(found[2], [*outputs[2, 3, :2], outputs[2, 0, 2]])


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="pooling is 'sum', but last, mean, max, attention"):
        pooling("sum", 3)

import numpy as np
import pytest
from scipy import stats

from zoo.evaluation.bootstrap import Evaluation, MetricSums, intervals


def mean(sums):
    return {"mean": float(sums[0] / sums[1])}


def rows_of(values):
    return np.stack([values, np.ones(len(values))], axis=1)


@pytest.mark.parametrize(("right", "trials"), [(90, 100), (300, 400), (50, 100)])
def test_the_interval_of_an_accuracy_is_that_of_the_binomial(right, trials):
    """Resamples of n trials of which k are right have a binomial(n, k/n) number of right ones."""
    rows = rows_of(np.arange(trials) < right)
    low, high = intervals(rows, mean)["mean"]
    expected = stats.binom(trials, right / trials).ppf([0.025, 0.975]) / trials
    # The standard error of an estimated quantile of 1,000 draws is a tenth of the half width.
    assert [low, high] == pytest.approx(expected, abs=0.2 * (expected[1] - expected[0]))


def test_the_same_seed_gives_the_same_interval_and_another_one_a_near_one():
    rows = rows_of(np.random.default_rng(1).normal(size=200))
    first, again, other = (intervals(rows, mean, seed=seed)["mean"] for seed in (1, 1, 2))
    assert first == again != other
    assert first == pytest.approx(other, abs=0.05)


def test_what_a_resample_does_not_have_counts_for_nothing():
    rows = np.array([[1.0, 1.0]] + [[0.0, 0.0]] * 3)
    found = intervals(rows, lambda sums: mean(sums) if sums[1] else {})
    assert found == {"mean": (1, 1)}


def test_a_figure_of_a_figure_moves_with_it():
    rows = rows_of(np.random.default_rng(1).normal(size=50))
    told = Evaluation([MetricSums(rows, mean)], {"measured": "by hand"}).also(
        lambda figures: {"double": 2 * figures["mean"]}
    )
    assert told.metrics() == {
        "mean": rows[:, 0].mean(),
        "double": 2 * rows[:, 0].mean(),
        "measured": "by hand",
    }
    ends = told.intervals()
    assert ends["double"] == pytest.approx([2 * end for end in ends["mean"]])


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_hold_the_truth():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        low, high = intervals(rows_of(random.random(300) < 0.8), mean)["mean"]
        held += low <= 0.8 <= high
    # Three standard errors of a share of 0.95 in 1,000 are 0.02; the method itself is a bit narrow.
    assert 0.92 <= held / 1000 <= 0.97

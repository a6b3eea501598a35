import numpy as np
import pytest

import zoo
from zoo.evaluation.joined import Joining
from zoo.evaluation.loop import RowSums
from zoo.training.objectives import CrossEntropy, SquaredError
from zoo.training.windows import example_windows, stream_windows


@pytest.fixture
def model():
    return zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)


@pytest.fixture
def random_text():
    """Sequences of tokens, each with the next one as its target, all of weight one."""

    def draw(length, count=1):
        rows = np.random.default_rng(1).integers(0, 9, (count, length + 1))
        return [(row[:-1], row[1:], np.ones(length)) for row in rows]

    return draw


class Apart(CrossEntropy):
    """Reads each window by itself, as whatever says nothing of targets."""

    def losses(self, model, window, state, training):
        return super().losses(model, window, state, training)


@pytest.mark.parametrize("streams", [pytest.param(1, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize("length", [7, 40, pytest.param(331, marks=pytest.mark.slow)])
def test_rows_are_those_of_windows_read_one_by_one(model, random_text, streams, length):
    windows = stream_windows(random_text(length, count=3), streams, 5, cut=False)
    assert Joining.of(windows)
    joined, apart = (RowSums(model, measure)(windows) for measure in (CrossEntropy(), Apart()))
    assert joined.shape == apart.shape == RowSums(model, CrossEntropy())(list(windows)).shape
    np.testing.assert_allclose(joined, apart, rtol=1e-5, atol=1e-5)


def test_groups_carry_the_state_from_one_to_the_next(model, random_text, monkeypatch):
    monkeypatch.setattr("zoo.evaluation.joined.ENOUGH", 10)
    monkeypatch.setattr("zoo.evaluation.joined.MOST", 60)
    windows = stream_windows(random_text(133, count=2), 1, 4, cut=False)
    joining = Joining.of(windows)
    assert joining.joined == 3 and len(joining.groups(windows)) > 2
    joined, apart = (RowSums(model, measure)(windows) for measure in (CrossEntropy(), Apart()))
    np.testing.assert_allclose(joined, apart, rtol=1e-5, atol=1e-5)


def test_rows_of_numbers_are_those_of_windows_read_one_by_one():
    random = np.random.default_rng(0)
    model = zoo.create("char-rnn", units=4, embedding=3, vocab_size=6, outputs=1)
    text = [(random.integers(0, 6, 50), random.normal(size=50), np.ones(50)) for _ in range(2)]
    windows = stream_windows(text, 2, 1, cut=False)
    sums = RowSums(model, SquaredError())
    assert Joining.of(windows)
    np.testing.assert_allclose(sums(windows), sums(list(windows)), rtol=1e-5, atol=1e-5)


def test_each_part_that_is_read_is_shown_once(model, random_text):
    windows = stream_windows(random_text(50), 1, 5, cut=False)
    seen = []

    def shown(parts):
        for part in parts:
            seen.append(part["reset"].shape)
            yield part

    sums = RowSums(model, CrossEntropy())
    sums(windows, shown)
    assert seen == [(1, 50)]


def test_what_is_no_stream_of_few_rows_is_not_joined(random_text):
    sequences = np.zeros((9, 5), "int32")
    assert Joining.of(example_windows(sequences, sequences, np.ones((9, 5)), 2)) is None
    long = stream_windows(random_text(900), 1, 300, cut=False)
    assert Joining.of(long) is None
    assert Joining.of(list(long)) is None
    assert Joining.of(stream_windows(random_text(4), 1, 5, cut=False)) is None


def test_only_the_objective_with_the_losses_says_that_windows_can_be_joined():
    assert CrossEntropy.by_target and type("Other", (CrossEntropy,), {}).by_target
    assert not Apart.by_target


def test_an_unused_row_is_left_out(model, random_text):
    ((inputs, targets, weights),) = random_text(30)
    weights[10:20] = 0
    windows = stream_windows([(inputs, targets, weights)], 1, 5, cut=False)
    rows = RowSums(model, CrossEntropy())(windows)
    assert rows[:, 1].tolist() == [5.0] * 4

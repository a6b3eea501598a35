import numpy as np
import pytest

from zoo.diagnostics.memory_tasks import TASKS


def draw(name, seed=3, batch=40, length=21):
    return TASKS[name].draw(np.random.default_rng(seed), batch, length)


@pytest.mark.parametrize("name", TASKS)
def test_a_seed_gives_the_same_sequences(name):
    for one, other in zip(draw(name), draw(name)):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(draw(name)[0], draw(name, seed=4)[0])
    x, target = draw(name)
    assert x.shape == (40, 21, TASKS[name].input_size) and x.dtype == np.float32
    assert target.shape[0] == 40


@pytest.mark.parametrize("name", TASKS)
def test_the_shortest_sequence_can_be_drawn(name):
    assert draw(name, length=TASKS[name].least)[0].shape[1] == TASKS[name].least


def test_adding_marks_one_number_of_each_half():
    x, target = draw("adding")
    np.testing.assert_array_equal(x[:, :10, 1].sum(1), 1)
    np.testing.assert_array_equal(x[:, 10:, 1].sum(1), 1)
    for row, wanted in zip(x, target):
        np.testing.assert_allclose(row[row[:, 1] == 1, 0].sum(), wanted[0], rtol=1e-6)


def test_copy_asks_for_what_was_shown_first():
    x, target = draw("copy")
    shown = x.argmax(axis=-1)
    np.testing.assert_array_equal(shown[:, :5], target)
    assert (shown[:, 5:-5] == 8).all() and (shown[:, -5:] == 9).all()


def test_parity_counts_the_ones():
    x, target = draw("parity")
    for row, wanted in zip(x[..., 0], target):
        assert [int((row[: t + 1] > 0).sum() % 2) for t in range(21)] == wanted.tolist()


@pytest.mark.parametrize(("name", "free"), [("adding", 0), ("copy", 0), ("parity", 1)])
def test_every_answer_that_needs_memory_is_scored_alike(name, free):
    task, (_, target) = TASKS[name], draw(name)
    right = target[..., None] if task.output_size == 1 else np.eye(task.output_size)[target]
    best, metrics = task.metric(right, target), []
    for n in range(target.shape[1]):
        wrong = right.copy()
        wrong[:, n] = right[:, n] + 1 if task.output_size == 1 else np.roll(right[:, n], 1, axis=-1)
        metrics.append(task.metric(wrong, target))
    assert metrics[:free] == [best] * free
    assert set(np.round(metrics[free:], 9)) == {np.round(metrics[-1], 9)} != {best}


def test_parity_of_one_bit_needs_no_memory():
    x, target = draw("parity")
    np.testing.assert_array_equal(x[:, 0, 0] > 0, target[:, 0] == 1)


@pytest.mark.parametrize("name", TASKS)
def test_scores_of_perfect_and_of_no_memory(name):
    task, (_, target) = TASKS[name], draw(name, batch=2000)
    if task.output_size == 1:
        perfect, constant = target[..., None], np.full((*target.shape, 1), target.mean())
    else:
        perfect = np.eye(task.output_size)[target]
        constant = np.eye(task.output_size)[np.zeros_like(target)]
    assert task.score(task.metric(perfect, target), target) == pytest.approx(1)
    assert task.score(task.metric(constant, target), target) < 0.05
    assert task.score(float("nan"), target) == 0

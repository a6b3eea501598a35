import numpy as np
import pytest

from zoo import UserError
from zoo.training.windows import example_windows, stream_windows


def _sequences(*lengths):
    rng = np.random.default_rng(1)
    return [(rng.integers(1, 99, n), rng.integers(0, 9, n), np.ones(n)) for n in lengths]


def _rows(windows):
    """Each stream's columns over all windows, `{name: [B, T]}`."""
    collected = [{k: v.numpy() for k, v in window.items()} for window in windows]
    return {k: np.concatenate([w[k] for w in collected], axis=1) for k in collected[0]}


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_uncut_streams_hold_every_sequence_whole_and_once(batch_size):
    sequences = _sequences(7, 3, 12, 1)
    rows = _rows(stream_windows(sequences, batch_size, window=4, cut=False))
    found = []
    for b in range(batch_size):
        real = np.flatnonzero(rows["weights"][b])
        starts = [t for t in np.flatnonzero(rows["reset"][b]) if t in real]
        for start, end in zip(starts, [*starts[1:], len(real)]):
            found.append(tuple(rows["inputs"][b][start:end]))
    assert sorted(found) == sorted(tuple(inputs) for inputs, *_ in sequences)


def test_cut_streams_read_on_where_the_row_was():
    sequences = _sequences(10, 6)
    rows = _rows(stream_windows(sequences, batch_size=2, window=3, cut=True))
    joined = np.concatenate([inputs for inputs, *_ in sequences])
    assert np.array_equal(rows["inputs"][:, :8].ravel(), joined)
    assert rows["reset"][:, :8].ravel().nonzero()[0].tolist() == [0, 8, 10]
    assert rows["weights"].sum() == 16


def test_every_example_counts_once_and_the_last_window_is_filled_up():
    windows = list(example_windows(np.arange(7), np.arange(7), np.ones(7), batch_size=3))
    seen = [int(x) for w in windows for x, y in zip(w["inputs"], w["weights"]) if y > 0]
    assert seen == list(range(7))
    assert {tuple(w["inputs"].shape) for w in windows} == {(3,)}
    assert all(w["reset"].numpy().all() for w in windows)


def test_shuffling_differs_between_epochs_and_follows_the_seed():
    def epochs(seed):
        windows = example_windows(np.arange(50), np.zeros(50), np.ones(50), 50, seed)
        return [next(iter(windows))["inputs"].numpy().tolist() for _ in range(2)]

    first, second = epochs(3)
    assert first != second and sorted(first) == sorted(second)
    assert epochs(3) == [first, second] and epochs(4) != [first, second]


def test_no_examples_is_an_error():
    with pytest.raises(UserError, match="no examples"):
        example_windows(np.zeros(0), np.zeros(0), np.zeros(0), 2)
    with pytest.raises(UserError, match="no text"):
        stream_windows([], 2, 3, cut=True)


def test_class_ids_become_int32_and_real_targets_stay_real():
    for targets, dtype in ((np.array([1, 2]), "int32"), (np.array([0.5, 1.5]), "float32")):
        window = next(iter(example_windows(np.arange(2), targets, np.ones(2), batch_size=2)))
        assert window["targets"].dtype == dtype
        assert window["targets"].numpy().tolist() == targets.tolist()

import numpy as np
import pytest

from zoo import UserError
from zoo.training import windows as module
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


def test_there_may_be_more_rows_than_time_steps():
    rows = _rows(stream_windows(_sequences(3), batch_size=5, window=2, cut=True))
    assert rows["weights"].sum(axis=1).tolist() == [1, 1, 1, 0, 0]
    assert rows["reset"].sum(axis=1).tolist() == [1] * 5


class Counting:
    """Sequences that are made when they are read: step t of sequence n holds 100 n + t."""

    lengths = np.array([7, 0, 12, 1])

    def __init__(self):
        self.longest = 0

    def read(self, index, begin, end):
        self.longest = max(self.longest, end - begin)
        steps = 100 * index + np.arange(begin, end)
        return steps, steps + 1, np.ones(end - begin)


@pytest.mark.parametrize("cut", [True, False])
def test_sequences_that_are_read_in_parts_give_the_windows_of_those_in_memory(cut, monkeypatch):
    whole = [Counting().read(index, 0, length) for index, length in enumerate(Counting.lengths)]
    expected = _rows(stream_windows(whole, 2, window=3, cut=cut, context=2))
    monkeypatch.setattr(module, "_BLOCK", 2 * (2 + 3) * 2)
    read = Counting()
    found = _rows(stream_windows(read, 2, window=3, cut=cut, context=2))
    for name, values in expected.items():
        assert np.array_equal(found[name], values)
    assert read.longest <= 2 * 3 + 2, "two windows and their context are read at once"


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("context", [1, 4, 9])
def test_context_is_what_was_before_and_counts_for_nothing(context, cut):
    sequences = _sequences(9, 5, 14)
    plain = _rows(stream_windows(sequences, 2, window=4, cut=cut))
    before = {name: np.pad(values, [(0, 0), (context, 0)]) for name, values in plain.items()}
    for number, window in enumerate(stream_windows(sequences, 2, 4, cut=cut, context=context)):
        assert window["inputs"].shape == (2, context + 4)
        seen = slice(4 * number, 4 * number + context + 4)
        for name in ("inputs", "targets", "reset"):
            assert np.array_equal(window[name], before[name][:, seen]), name
        assert not window["weights"][:, :context].numpy().any()
        new = slice(4 * number, 4 * number + 4)
        assert np.array_equal(window["weights"][:, context:], plain["weights"][:, new])


def test_windows_are_counted_and_go_on_anywhere_in_any_pass(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 20)
    windows = stream_windows(_sequences(50, 33), 2, window=5, cut=True)
    steps = int(windows.cardinality())
    first, second = ([window["inputs"].numpy().tolist() for window in windows] for _ in range(2))
    assert steps == len(first) == 9 and first == second
    for start in (0, 4, 9, 22):
        window = next(iter(windows.repeat().skip(start)))
        assert window["inputs"].numpy().tolist() == first[start % steps]


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


def test_rows_are_read_from_an_array_in_a_file_as_from_memory(tmp_path):
    held = np.arange(7 * 6).reshape(7, 2, 3).astype("uint8")
    np.save(tmp_path / "rows.npy", held)
    kept = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for seed in (None, 3):
        pairs = zip(*(example_windows({"x": x}, np.arange(7), np.ones(7), 3, seed)
                      for x in (held, kept)))  # fmt: skip
        for one, other in pairs:
            np.testing.assert_array_equal(one["inputs"]["x"], other["inputs"]["x"])
            real = one["weights"] > 0
            np.testing.assert_array_equal(one["inputs"]["x"][real], held[one["targets"][real]])


def test_all_examples_come_once_each_time_in_another_order():
    windows = example_windows(np.arange(7), np.arange(7), np.ones(7), 3, shuffle_seed=1)
    assert windows.cardinality() == 3
    orders = [
        np.concatenate([w["targets"][w["weights"] > 0] for w in windows]).tolist() for _ in range(2)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(7)) and orders[0] != orders[1]


def _forecasting(*lengths):
    """Streams of two floats and a flag, each step with the three numbers that come next."""
    rng = np.random.default_rng(2)
    return [
        (
            {"values": rng.normal(size=(n, 2)), "flag": rng.integers(0, 2, n).astype("uint8")},
            rng.normal(size=(n, 3)),
            rng.random((n, 3)),
        )
        for n in lengths
    ]


@pytest.mark.parametrize("context", [0, 2])
def test_streams_have_any_dtype_and_rank(context):
    sequences = _forecasting(10, 6)
    windows = list(stream_windows(sequences, 2, window=3, cut=True, context=context))
    new = slice(context, None)
    for part, dtype, shape in (("values", "float32", (2,)), ("flag", "uint8", ())):
        streams = np.concatenate([w["inputs"][part][:, new] for w in windows], axis=1)
        joined = np.concatenate([inputs[part] for inputs, *_ in sequences]).astype(dtype)
        assert windows[0]["inputs"][part].dtype == dtype
        np.testing.assert_array_equal(streams[:, :8].reshape(16, *shape), joined)
    for place, part in ((1, "targets"), (2, "weights")):
        streams = np.concatenate([w[part][:, new] for w in windows], axis=1)
        joined = np.concatenate([sequence[place] for sequence in sequences]).astype("float32")
        assert windows[0][part].dtype == "float32"
        np.testing.assert_array_equal(streams[:, :8].reshape(16, 3), joined)
        assert not streams[:, 8:].any()
    assert all(not w["weights"][:, :context].numpy().any() for w in windows)


def test_images_go_through_streams_as_they_are():
    images = np.random.default_rng(3).integers(0, 256, (5, 4, 4, 1)).astype("uint8")
    (window,) = stream_windows([(images, np.arange(5), np.ones(5))], 1, window=5, cut=False)
    assert window["inputs"].dtype == "uint8" and window["targets"].dtype == "int32"
    np.testing.assert_array_equal(window["inputs"][0], images)


@pytest.mark.parametrize("other", [np.ones((3, 3)), np.ones((3, 2)), np.ones(3, "int32")])
def test_sequences_that_are_not_of_one_kind_are_refused(other):
    first = (np.ones((4, 2), "int32"), np.zeros(4, "int32"), np.ones(4))
    second = (other, np.zeros(3, "int32"), np.ones(3))
    with pytest.raises(UserError, match=r"a step of sequence 1 is .* of sequence 0 is int32 \[2\]"):
        stream_windows([first, second], 1, 7, cut=True)

import numpy as np
import pytest

from tasks.video_classification.reading import Clips
from tasks.video_classification.windows import clip_windows, plan_parts

LENGTHS = np.array([7, 3, 1, 10, 4, 6])


@pytest.fixture
def clips():
    """Each step holds its clip's index and its own."""
    steps = [(index, step) for index, length in enumerate(LENGTHS) for step in range(length)]
    starts = np.cumsum([0, *LENGTHS[:-1]])
    return Clips(np.array(steps, "float32"), starts, LENGTHS, np.arange(6) + 10)


def as_numpy(windows):
    return list(windows.as_numpy_iterator())


def test_one_part_of_each_clip_is_its_middle(clips):
    windows = as_numpy(clip_windows(clips, rows=4, window=4))
    assert [window["inputs"]["frames"].shape for window in windows] == [(4, 4, 2)] * 2
    frames = windows[0]["inputs"]["frames"]
    assert frames[0, :, 1].tolist() == [1, 2, 3, 4] and frames[3, :, 1].tolist() == [3, 4, 5, 6]
    assert frames[1, :, 1].tolist() == [0, 1, 2, 0]
    assert windows[0]["inputs"]["lengths"].tolist() == [4, 3, 1, 4]
    assert windows[1]["weights"].tolist() == [1, 1, 0, 0]
    assert windows[1]["targets"].tolist()[:2] == [14, 15]
    assert all(window["reset"].all() for window in windows)


def test_training_draws_other_parts_in_another_order_each_time(clips):
    drawn = as_numpy(clip_windows(clips, rows=3, window=4, seed=5).repeat(3))
    passes = [drawn[start : start + 2] for start in (0, 2, 4)]
    seen = [np.concatenate([w["inputs"]["frames"] for w in part]) for part in passes]
    assert not np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[1], seen[2])
    for frames in seen:
        order = np.argsort(frames[:, 0, 0])
        begin = frames[order, 0, 1]
        assert frames[order, 0, 0].tolist() == list(range(6))
        assert (begin + 4 <= np.maximum(LENGTHS, 4)).all()
    begins = {frames[frames[:, 0, 0] == 3][0, 0, 1] for frames in seen}
    assert len(begins) > 1
    again = as_numpy(clip_windows(clips, rows=3, window=4, seed=5).repeat(3))
    assert np.array_equal(again[3]["inputs"]["frames"], drawn[3]["inputs"]["frames"])


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_whole_clips_go_on_in_the_row_where_they_began(clips, seed):
    windows = as_numpy(clip_windows(clips, rows=2, window=3, whole=True, seed=seed))
    seen = {}
    for row in range(2):
        shown = None
        for window in windows:
            length = window["inputs"]["lengths"][row]
            frames = window["inputs"]["frames"][row, :length]
            if window["reset"][row]:
                shown = []
            shown.extend(frames[:, 1].tolist())
            if window["weights"][row]:
                index = int(frames[0, 0])
                assert window["targets"][row] == 10 + index and index not in seen
                seen[index] = shown
    assert seen == {index: list(range(length)) for index, length in enumerate(LENGTHS)}


def test_each_plan_has_as_many_windows():
    plans = [
        plan_parts(LENGTHS, 3, 2, whole=True, rng=np.random.default_rng(seed)) for seed in range(20)
    ]
    assert {plan.clip.shape for plan in plans} == {(6, 3)}
    assert len({plan.clip.tobytes() for plan in plans}) > 10


def test_a_small_set_is_gone_through_several_times(clips):
    windows = clip_windows(clips, rows=4, window=3, seed=1, least=5)
    assert int(windows.cardinality()) == 6
    shown = np.concatenate([w["targets"][w["weights"] > 0] for w in windows.as_numpy_iterator()])
    # What is left of the last window of a pass shows some clips once more.
    assert len(shown) == 6 * 4 and np.bincount(shown)[10:].min() >= 3

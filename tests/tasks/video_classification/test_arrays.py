import re
from collections import Counter

import numpy as np
import pytest

from tasks.video_classification.clips import OwnClips, Reading
from tasks.video_classification.sources import find_clips
from zoo import UserError


def write(folder, x, y, ending=".npy", split=""):
    """`X` and `y` as two files, or as one with both."""
    folder.mkdir(parents=True, exist_ok=True)
    if ending == ".npz":
        np.savez(folder / "data.npz", **{f"X{split}": x, f"y{split}": y})
        return folder / "data.npz"
    np.save(folder / f"X{split}.npy", x)
    np.save(folder / f"y{split}.npy", y)
    return folder


def numbers(*shape):
    return np.random.default_rng(1).normal(size=shape)


@pytest.mark.parametrize("ending", [".npy", ".npz"])
@pytest.mark.parametrize("shape", [(20, 6, 3), (20, 6)])
def test_x_and_y_are_one_data_set(tmp_path, ending, shape):
    x, y = numbers(*shape), np.arange(20) % 2
    path = write(tmp_path / "d", x, y, ending)
    source = OwnClips(str(path), str(tmp_path))
    width = shape[2] if len(shape) == 3 else 1
    assert source.classes == ["0", "1"] and source.frame_shape() == [width]
    rows = {}
    for split in ("train", "validation", "test"):
        clips = source.clips(split, Reading((width,)), source.classes)
        for index, label in enumerate(clips.labels):
            rows[clips.clip(index).tobytes()] = label
    assert rows == {
        row.astype("float32").tobytes(): label for row, label in zip(x.reshape(20, 6, width), y)
    }
    assert find_clips(path.parent if ending == ".npz" else path) == find_clips(path)


def test_splits_of_arrays_are_taken_and_equal_sequences_stay_together(tmp_path):
    x = numbers(30, 4, 2)
    x[15:] = x[:15]
    write(tmp_path, x, np.array([*"ab"] * 15), split="_train")
    write(tmp_path, x[:6], np.array([*"ab"] * 3), split="_test")
    clips = find_clips(tmp_path)
    assert Counter((clip.split, clip.label) for clip in clips) == {
        ("train", "a"): 15, ("train", "b"): 15, ("test", "a"): 3, ("test", "b"): 3
    }  # fmt: skip
    train = [clip.group for clip in clips if clip.split == "train"]
    assert train[:15] == train[15:] and len({*train}) == 15


@pytest.mark.parametrize(
    ("y", "names"),
    [
        ([1.0, 2.0, 1.0], ["1", "2", "1"]),
        ([[3], [4], [3]], ["3", "4", "3"]),
        ([" walk", "sit", "walk"], ["walk", "sit", "walk"]),
        ([b"caf\xc3\xa9", b"x", b"x"], ["caf\u00e9", "x", "x"]),
    ],
)
def test_labels_are_whole_numbers_or_texts(tmp_path, y, names):
    write(tmp_path, numbers(3, 4, 2), np.array(y))
    assert [clip.label for clip in find_clips(tmp_path)] == names


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ((3,), [0, 1, 0], "X.npy holds an array of shape [3], not [N, T, D]"),
        ((3, 2, 2, 1), [0, 1, 0], "X.npy holds an array of shape [3, 2, 2, 1], not [N, T, D]"),
        ((3, 4), [0, 1], "has 3 sequences in X, but 2 labels in y"),
        ((3, 4), np.eye(3), "y.npy holds an array of shape [3, 3], but [N] is needed"),
        ((3, 4), [0.5, 1.0, 2.0], "y.npy holds float64, but whole numbers or texts are needed"),
        ((3, 4), np.array(["a", None, "b"]), "y.npy holds objects, but numbers of one kind"),
    ],
)
def test_arrays_that_do_not_fit_are_one_line(tmp_path, x, y, message):
    write(tmp_path, numbers(*x), np.array(y))
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        find_clips(tmp_path)
    assert "\n" not in str(caught.value)


def test_one_array_without_the_other_is_one_line(tmp_path):
    np.save(tmp_path / "X_train.npy", numbers(3, 4))
    with pytest.raises(UserError, match="has X_train, but no y to it"):
        find_clips(tmp_path)
    (tmp_path / "data.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"data.npz is not a .npz file of arrays"):
        find_clips(tmp_path / "data.npz")


def test_a_sequence_that_is_no_number_is_named_and_left_out(tmp_path, capsys):
    x = numbers(12, 4, 2)
    x[7, 2] = np.nan
    source = OwnClips(str(write(tmp_path / "d", x, np.arange(12) % 2)), str(tmp_path))
    source.clips("train", Reading((2,)), source.classes)
    told = capsys.readouterr().err
    assert "skipped 1 of 12 clips" in told
    assert "X.npy[7] has a value that is no number at time step 2" in told

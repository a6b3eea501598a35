import re

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tasks.common import cache
from tasks.video_classification import clips as module
from tasks.video_classification.clip import Clip
from tasks.video_classification.clips import NamedClips, OwnClips, Reading
from tasks.video_classification.dataset import CLIPS
from zoo import UserError

READING = Reading((12, 16, 1), 8.0)


@pytest.fixture
def folder(tmp_path, write_video):
    """Four clips of each of two classes, in several formats."""
    for index, ending in enumerate((".mp4", ".avi", ".webm", ".gif")):
        write_video(tmp_path / f"my/dark/{index}{ending}", [20 + index] * 6)
        write_video(tmp_path / f"my/light/{index}{ending}", [200 + index] * (6 + index))
    return tmp_path / "my"


def split_clips(source, reading=READING):
    return {
        split: source.clips(split, reading, source.classes)
        for split in ("train", "validation", "test")
    }


def test_a_folder_of_videos_becomes_clips_of_one_size(folder, tmp_path):
    parts = split_clips(OwnClips(str(folder), str(tmp_path)))
    assert [len(part.lengths) for part in parts.values()] == [4, 2, 2]
    for part in parts.values():
        for index, label in enumerate(part.labels):
            clip = part.clip(index)
            assert clip.shape[1:] == (12, 16, 1) and clip.dtype == np.uint8
            assert np.abs(clip.mean() - (22, 202)[label]) < 5
    lengths = sorted(n for part in parts.values() for n in part.lengths.tolist())
    assert lengths == [6, 6, 6, 6, 6, 7, 8, 9]


@pytest.fixture
def frames(tmp_path):
    """Four clips of each of two classes, of numbered pictures with gaps, of two sizes."""
    for label, level in (("dark", 20), ("light", 200)):
        for clip in range(4):
            folder = tmp_path / f"frames/{label}/{clip}"
            folder.mkdir(parents=True)
            for n in (1, 2, 5, 10, 11):
                size = (24, 32, 3) if n < 5 else (12, 20, 3)
                picture = np.full(size, level + n, "uint8")
                picture[0, 0, 0] += clip
                Image.fromarray(picture).save(folder / f"frame{n}.{'bmp' if clip else 'PNG'}")
    return tmp_path / "frames"


def test_a_folder_of_frames_is_read_in_the_order_of_its_numbers(frames, tmp_path):
    parts = split_clips(OwnClips(str(frames), str(tmp_path)))
    assert sum(len(part.lengths) for part in parts.values()) == 8
    for part in parts.values():
        for index, label in enumerate(part.labels):
            levels = part.clip(index).mean((1, 2, 3)) - (20, 200)[label]
            np.testing.assert_allclose(levels, [1, 2, 5, 10, 11], atol=1.01)
    middle = module._read(Clip(frames / "dark/0", "", "", ""), Reading((12, 16, 1), 8.0, keep=3))
    np.testing.assert_allclose(middle.mean((1, 2, 3)), [22, 25, 30], atol=1.01)


def test_a_frame_that_changes_or_cannot_be_read_is_noticed(frames, tmp_path, capsys):
    split_clips(OwnClips(str(frames), str(tmp_path)))
    (frames / "dark/0/frame2.PNG").write_bytes(b"nothing")
    (frames / "dark/1/frame5.jpg").write_bytes(b"nothing")
    parts = split_clips(OwnClips(str(frames), str(tmp_path)))
    assert sum(len(part.lengths) for part in parts.values()) == 6
    told = capsys.readouterr().err
    assert "skipped 2 of 8 clips" in told and "dark/0/frame2.PNG is not an image" in told
    assert "dark/1 has frame5.bmp and frame5.jpg: keep one of each frame" in told


def test_clips_are_decoded_once(folder, tmp_path, monkeypatch):
    first = split_clips(OwnClips(str(folder), str(tmp_path)))
    monkeypatch.setattr(module, "_read", None)
    second = split_clips(OwnClips(str(folder), str(tmp_path)))
    assert np.array_equal(first["train"].steps, second["train"].steps)
    assert isinstance(second["train"].steps, np.memmap)
    assert len(list((tmp_path / "zoo_cache").glob("*/array"))) == 1
    (folder / "dark/0.mp4").write_bytes((folder / "light/0.mp4").read_bytes())
    with pytest.raises(UserError, match="no clip that can be read"):
        monkeypatch.setattr(module, "_read", refuse)
        split_clips(OwnClips(str(folder), str(tmp_path)))


def refuse(clip, reading, columns):
    raise UserError(f"{clip.name} is bad")


def test_of_a_long_clip_the_middle_is_kept(tmp_path, write_video):
    levels = list(range(0, 240, 10))
    path = write_video(tmp_path / "a/1.mp4", levels)
    array = np.repeat(np.array(levels, "uint8")[:, None, None, None], 144, 1)
    np.save(tmp_path / "2.npy", array.reshape(24, 12, 12, 1))
    for file in (path, tmp_path / "2.npy"):
        kept = module._read(Clip(file, "", "", ""), Reading((12, 12, 1), 8.0, keep=4))
        assert np.abs(kept.mean((1, 2, 3)) - levels[10:14]).max() < 4


def test_clips_that_cannot_be_read_are_named_and_counted(
    folder, tmp_path, write_sound, write_video, capsys
):
    write_sound(folder / "dark/sound.mp4")
    (folder / "light/bad.avi").write_bytes(b"nothing")
    whole = write_video(tmp_path / "whole.mp4", [9] * 8).read_bytes()
    (folder / "light/cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "light/none.mp4").touch()
    (folder / "torn").mkdir()
    (folder / "torn/array.npy").write_bytes(b"nothing")
    parts = split_clips(OwnClips(str(folder), str(tmp_path)))
    assert sum(len(part.lengths) for part in parts.values()) == 8
    said = capsys.readouterr().err
    assert said.count("skipped") == 1 and f"{folder}: skipped 5 of 13 clips" in said
    for name in ("sound.mp4 has no video", "bad.avi is not", "cut.mp4", "none.mp4", "array.npy"):
        assert name in said
    assert f"{folder}: no clip can be read of torn\n" in said


def test_a_folder_where_no_clip_decodes_is_refused(tmp_path):
    for name in ("a/1.mp4", "b/1.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"nothing")
    source = OwnClips(str(tmp_path), str(tmp_path))
    with pytest.raises(UserError, match=r"no clip that can be read: .*1.mp4 is not a video"):
        source.clips("train", READING, source.classes)


def sequences(folder, ending, count=8):
    """Sequences of two classes and different lengths, as arrays or as lines."""
    rng = np.random.default_rng(1)
    for label, offset in (("still", 0.0), ("move", 5.0)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            steps = rng.normal(offset, 2.0, (3 + index, 4)).astype("float32")
            path = folder / label / f"{index}{ending}"
            np.save(path, steps) if ending == ".npy" else np.savetxt(path, steps, delimiter=",")
    return folder


@pytest.mark.parametrize(
    ("shape", "said"),
    [((12,), None), ((1, 12, 3), None), ((4, 12, 3), "[4, 12, 3]"), ((), "[]"), ((0, 3), "[0, 3]")],
)
def test_arrays_of_other_shapes_are_sequences_or_refused(tmp_path, shape, said):
    rng = np.random.default_rng(1)
    for name in ("a/1", "a/2", "b/1", "b/2"):
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "s" / name, rng.normal(size=shape).astype("float32"))
    source = OwnClips(str(tmp_path / "s"), str(tmp_path))
    if said:
        with pytest.raises(UserError, match=re.escape(f"holds an array of shape {said}, not [T")):
            source.frame_shape()
    else:
        [width] = source.frame_shape()
        assert width == (1 if len(shape) == 1 else 3)
        train = source.clips("train", Reading((width,)), source.classes)
        assert train.clip(0).shape == (12, width) and train.steps.dtype == np.float32


@pytest.mark.parametrize("top", [1, 255])
def test_videos_of_real_numbers_are_refused_for_what_they_are(tmp_path, top):
    for name in ("a/1", "b/1"):
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "s" / name, np.full((4, 8, 8, 3), top, "float32"))
    source = OwnClips(str(tmp_path / "s"), str(tmp_path))
    with pytest.raises(UserError, match=r"an array of float32, but \[T, h, w\] of uint8, 0 to 255"):
        source.clips("train", READING, source.classes)


@pytest.mark.parametrize("ending", [".npy", ".csv"])
def test_sequences_keep_their_numbers_and_lengths(tmp_path, ending):
    source = OwnClips(str(sequences(tmp_path / "s", ending)), str(tmp_path))
    assert source.frame_shape() == [4] and source.classes == ["move", "still"]
    parts = split_clips(source, Reading((4,)))
    lengths = sorted(n for part in parts.values() for n in part.lengths.tolist())
    assert lengths == sorted([*range(3, 11)] * 2)
    train = parts["train"]
    file = {(len(np.load(f)) if ending == ".npy" else len(np.loadtxt(f, delimiter=","))): f
            for f in (tmp_path / "s" / source.classes[train.labels[0]]).iterdir()}  # fmt: skip
    path = file[train.lengths[0]]
    expected = np.load(path) if ending == ".npy" else np.loadtxt(path, delimiter=",")
    np.testing.assert_allclose(train.clip(0), expected, rtol=1e-6)


def test_sequences_that_do_not_fit_are_named_and_counted(tmp_path, capsys):
    folder = sequences(tmp_path / "s", ".csv")
    (folder / "move/0 wide.csv").write_text("1,2,3,4,5\n")
    (folder / "still/nan.csv").write_text("1,2,3,4\n1,2,nan,4\n")
    source = OwnClips(str(folder), str(tmp_path))
    assert source.frame_shape() == [4], "as most have, not the first"
    split_clips(source, Reading((4,)))
    said = capsys.readouterr().err
    assert "skipped 2 of 18" in said
    assert "wide.csv has 5 features a time step, but 4 are needed" in said
    assert "nan.csv is no sequence: line 2 has 'nan'" in said


def test_two_clips_a_class_are_enough_and_the_empty_split_is_told(tmp_path, capsys):
    folder = sequences(tmp_path / "s", ".npy", count=2)
    source = OwnClips(str(folder), str(tmp_path))
    for split in ("train", "validation"):
        clips = source.clips(split, Reading((4,)), source.classes)
        assert sorted(clips.labels.tolist()) == [0, 1]
    told = [line for line in capsys.readouterr().err.splitlines() if "no clip" in line]
    assert (
        len(told) == 1 and f"{folder}: no clips in test, where nothing can be measured" in told[0]
    )
    with pytest.raises(UserError, match="has no clips in test: a class of three sources has some"):
        source.clips("test", Reading((4,)), source.classes)
    assert len(source.some(3, Reading((4,)), source.classes)) == 2


def sensors(folder, count=4):
    """Files of a time, a text and three sensors; returns the sensors of each."""
    rng = np.random.default_rng(2)
    steps = {}
    for label in ("walk", "sit"):
        (folder / label).mkdir(parents=True)
        for index in range(count):
            values = rng.normal(size=(5 + index, 3)).astype("float32")
            lines = ["Time,place,x,y,z"]
            lines += [f"{n / 10},home,{x},{y},{z}" for n, (x, y, z) in enumerate(values)]
            (folder / label / f"{index}.csv").write_text("\n".join(lines))
            steps[label, 5 + index] = values
    return steps


def test_a_column_of_labels_is_not_learned_from(tmp_path):
    for label in "ab":
        for n in range(3):
            file = tmp_path / "s" / label / f"{n}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x,Label,y\n" + "".join(f"{n}.5,{label},2\n" for n in range(4)))
    with pytest.raises(UserError, match=r"0.csv has a column label, .* with columns=x,y, or"):
        OwnClips(str(tmp_path / "s"), str(tmp_path))
    assert OwnClips(str(tmp_path / "s"), str(tmp_path), ["x", "y"]).frame_shape() == [2]


@pytest.mark.parametrize(("line", "told"), [("{},25", True), ("{}.5,2", False), ("{},2,3", False)])
def test_what_may_be_a_decimal_comma_is_told(tmp_path, line, told, capsys):
    for label in "ab":
        for n in range(3):
            file = tmp_path / "s" / label / f"{n}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(line.format(n * n % 3) + "\n" for n in range(4)))
    OwnClips(str(tmp_path / "s"), str(tmp_path)).frame_shape()
    assert ("one number with a decimal comma" in capsys.readouterr().err) == told


def test_classes_that_differ_by_case_only_are_told(tmp_path, capsys):
    for label in ("Jump", "jump", "run"):
        for n in range(3):
            (tmp_path / "s" / label).mkdir(parents=True, exist_ok=True)
            np.save(
                tmp_path / "s" / label / f"{n}.npy", np.random.default_rng(n).normal(size=(4, 2))
            )
    assert len(OwnClips(str(tmp_path / "s"), str(tmp_path)).classes) == 3
    assert "Jump and jump differ by case only" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [["z", "X"], ["5", "3"]])
def test_columns_of_sensors_are_chosen_by_name_or_number(tmp_path, columns, capsys):
    steps = sensors(tmp_path / "s")
    source = OwnClips(str(tmp_path / "s"), str(tmp_path), columns)
    assert source.frame_shape() == [2]
    for part in split_clips(source, Reading((2,))).values():
        for index, label in enumerate(part.labels):
            clip = part.clip(index)
            expected = steps[source.classes[label], len(clip)][:, [2, 0]]
            np.testing.assert_allclose(clip, expected, rtol=1e-5)
    assert "rises from step to step" not in capsys.readouterr().err
    with pytest.raises(UserError, match=r"has Time, place, x, y, z in its first line, but no col"):
        OwnClips(str(tmp_path / "s"), str(tmp_path), ["w"]).frame_shape()


def test_a_column_that_counts_is_told(tmp_path, capsys):
    sensors(tmp_path / "s")
    assert OwnClips(str(tmp_path / "s"), str(tmp_path), ["x", "time", "y"]).frame_shape() == [3]
    told = capsys.readouterr().err
    assert f"{tmp_path / 's'}: feature 2 rises from step to step" in told


@pytest.mark.parametrize("clock", [lambda n: 1_700_000_000 + n, lambda n: n / 50 + n % 3 / 1000])
def test_a_clock_is_told_that_is_uneven_or_too_large_for_its_steps(tmp_path, clock, capsys):
    rng = np.random.default_rng(3)
    for clip in [tmp_path / "s" / label / f"{n}.txt" for label in "ab" for n in range(3)]:
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_text("".join(f"{clock(n)}\t{rng.normal()}\n" for n in range(9)))
    OwnClips(str(tmp_path / "s"), str(tmp_path)).frame_shape()
    assert "feature 1 rises from step to step" in capsys.readouterr().err


def test_columns_in_another_order_are_never_mixed_up(tmp_path):
    for n, header in enumerate(["x,y", "y,x", "x,y"]):
        for label in "ab":
            (tmp_path / "s" / label).mkdir(parents=True, exist_ok=True)
            x, y = (1, 2) if header == "x,y" else (2, 1)
            (tmp_path / "s" / label / f"{n}.csv").write_text(f"{header}\n{x},{y}\n{x},{y}\n")
    for columns in ([], ["1"]):
        with pytest.raises(
            UserError, match=r"has the columns x, y, but \S+ y, x: say with columns"
        ):
            OwnClips(str(tmp_path / "s"), str(tmp_path), columns)
    source = OwnClips(str(tmp_path / "s"), str(tmp_path), ["x", "y"])
    for part in split_clips(source, Reading((2,))).values():
        assert {tuple(row) for row in part.steps.tolist()} == {(1.0, 2.0)}


def test_columns_are_of_text_files_alone(tmp_path):
    folder = sequences(tmp_path / "s", ".npy", count=2)
    with pytest.raises(UserError, match=r"columns are a, b, but \S+ has not only text files of"):
        OwnClips(str(folder), str(tmp_path), ["a", "b"])


def test_mending_a_clip_moves_no_other(tmp_path):
    folder = sequences(tmp_path / "s", ".csv")

    def sides():
        parts = split_clips(OwnClips(str(folder), str(tmp_path)), Reading((4,)))
        return {
            clip: split
            for split, part in parts.items()
            for clip in zip(part.labels.tolist(), part.lengths.tolist())
        }

    whole = sides()
    for path in sorted(folder.glob("*/*")):
        text = path.read_text()
        path.write_text("torn")
        try:
            assert sides().items() <= whole.items()
        except UserError as error:
            assert "has no clips in" in str(error) and "can be read" in str(error)
        path.write_text(text)
    assert sides() == whole


def test_videos_and_sequences_are_not_mixed(tmp_path):
    folder = sequences(tmp_path / "s", ".npy")
    np.save(folder / "still/video.npy", np.zeros((2, 3, 4), "uint8"))
    with pytest.raises(UserError, match="videos and sequences of numbers"):
        OwnClips(str(folder), str(tmp_path))


def test_a_class_that_the_model_does_not_know_is_refused(folder, tmp_path):
    source = OwnClips(str(folder), str(tmp_path))
    with pytest.raises(UserError, match="has the classes light, but the model knows dark, grey"):
        source.clips("test", READING, ["dark", "grey"])


def test_a_named_set_is_read_one_by_one_at_the_rate_that_is_known(tmp_path, monkeypatch):
    features = tfds.features.FeaturesDict(
        {
            "video": tfds.features.Video(shape=(None, 20, 30, 3)),
            "label": tfds.features.ClassLabel(names=["a", "b"]),
        }
    )

    def clip(number):
        return np.tile(np.arange(25 + number, dtype="uint8")[:, None, None, None], (1, 20, 30, 3))

    tfds.dataset_builders.store_as_tfds_dataset(
        name="clips25",
        version="1.0.0",
        features=features,
        split_datasets={
            "train": [(n, {"video": clip(n), "label": n % 2}) for n in range(10)],
            "test": [(n, {"video": clip(n), "label": 1}) for n in range(2)],
        },
        data_dir=str(tmp_path),
    )
    monkeypatch.setitem(module._FILMED, "clips25", 25.0)
    read_ahead = []
    monkeypatch.setattr(cache, "_AHEAD", 1)
    fitted = NamedClips._fitted
    monkeypatch.setattr(NamedClips, "_fitted", lambda *a: (read_ahead.append(1), fitted(*a))[1])
    source = NamedClips("clips25", str(tmp_path))
    assert source.frame_shape() == [20, 30, 3]
    reading = Reading((10, 10, 3), 5.0)
    parts = {s: source.clips(s, reading, ["a", "b"]) for s in ("train", "validation", "test")}
    assert [len(part.lengths) for part in parts.values()] == [9, 1, 2]
    assert len(read_ahead) == 12
    for index, length in enumerate(parts["train"].lengths):
        assert parts["train"].clip(index)[:, 0, 0, 0].tolist() == [*range(0, 5 * length, 5)]
    assert {*parts["test"].lengths.tolist()} == {5}
    assert parts["test"].labels.tolist() == [1, 1]


def test_vectors_are_not_for_a_model_of_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.video_classification.dataset.CLIPS", dict.fromkeys(CLIPS, 12))
    source = NamedClips("moving_points", str(tmp_path))
    assert source.frame_shape() == [6]
    assert source.clips("test", Reading((6,)), source.classes).steps.dtype == np.float32
    with pytest.raises(UserError, match=r"has sequence of \[6\], but \[12, 16, 1\] is needed"):
        source.clips("test", READING, source.classes)

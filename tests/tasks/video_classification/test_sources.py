from pathlib import Path

import numpy as np
import pytest

from tasks.video_classification.sources import find_clips, is_sequence
from zoo import UserError


@pytest.fixture
def files(tmp_path):
    """Makes files that hold nothing."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


@pytest.fixture
def index(files):
    """Writes a csv beside two clips."""

    def write(text, name="clips.csv"):
        folder = files("a.mp4", "b.mp4")
        (folder / name).write_text(text)
        return folder / name

    return write


def found(path):
    return [(str(c.path.relative_to(path)), c.label, c.split) for c in find_clips(path)]


def test_a_folder_a_class(files, capsys):
    folder = files("jump/1.mp4", "jump/day/2.MOV", "run/v_Run_g07_c02.avi", "empty/x.jpg")
    files("run/.hidden.mp4", "jump/notes.txt", ".git/1.mp4")
    assert found(folder) == [
        ("jump/1.mp4", "jump", ""),
        ("jump/day/2.MOV", "jump", ""),
        ("run/v_Run_g07_c02.avi", "run", ""),
    ]
    groups = [clip.group for clip in find_clips(folder)]
    assert groups == ["jump/1.mp4", "jump/day/2.MOV", "v_Run_g07"]
    said = capsys.readouterr().err
    assert "2 of its files" in said and "no clips in empty" in said


def test_folders_of_splits(files):
    folder = files("train/a/1.npy", "train/b/1.npy", "val/a/2.npy", "test/b/3.npy")
    assert found(folder) == [
        ("test/b/3.npy", "b", "test"),
        ("train/a/1.npy", "a", "train"),
        ("train/b/1.npy", "b", "train"),
        ("val/a/2.npy", "a", "validation"),
    ]
    with pytest.raises(UserError, match="has more beside train"):
        find_clips(files("more/a/1.npy"))


def test_a_group_in_folders_of_two_splits_is_refused(files):
    names = [f"{part}_c0{n}.mp4" for n, part in enumerate(("train/a/v_g01", "test/a/v_g01"))]
    with pytest.raises(UserError, match=r"group v_g01 in .* test/a/v_g01_c01.mp4") as told:
        find_clips(files(*names, "train/b/v_g02_c01.mp4", "test/b/v_g03_c01.mp4"))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_names_clips(index, separator):
    lines = ["Path,label,split,group", "a.mp4,jump,train,one", "", "b.mp4,run,dev,two"]
    path = index("\n".join(lines).replace(",", separator))
    for given in (path, path.parent):
        clips = find_clips(given)
        assert [clip.path.name for clip in clips] == ["a.mp4", "b.mp4"]
        assert [clip[1:] for clip in clips] == [
            ("jump", "train", "one"),
            ("run", "validation", "two"),
        ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na.mp4,x", "clips.csv has the columns file, label, but path is needed"),
        ("path,class\na.mp4,x", "has the columns path, class, but label is needed"),
        ("path,label\na.mp4,x\nc.mp4,y", "clips.csv, line 3: there is no file .*c.mp4"),
        ("path,label\na.mp4,x\nb.mp4,", "clips.csv, line 3: the label of b.mp4 is empty"),
        ("path,label\n,x", "line 2 has no path"),
        ("path,label\na.mp4,x\na.mp4,y", "line 3 names .*a.mp4 once more: line 2"),
        ("path,label,split\na.mp4,x,some", "line 2 has the split 'some'"),
        (
            "path,label,split,group\na.mp4,x,train,1\nb.mp4,y,test,1",
            "line 3 has the group 1 in test, but line 2 in train",
        ),
        ('path,label\na.mp4,x\nb.mp4,"y\nc.mp4,z', "line 3 is no row .*: is a quote left open"),
        ('path,label\na.mp4,"x\nb.mp4,"y"', "line 2 is no row .*: is a quote left open"),
        ('path,label\na.mp4,"x\n' + "b" * 140_000, "line 2 is no row .*: is a quote left open"),
        ('path,label\na.mp4,"x\ny"', "line 2: the label holds a line break"),
        ('path,"label\na.mp4,x', "line 1 is no row"),
        ("path,label\na.mp4,x\nb.mp4,x", "has one class, x"),
        ("path,label", "has no clips"),
    ],
)
def test_a_csv_that_is_wrong_is_told_with_its_line(index, text, said):
    with pytest.raises(UserError, match=said):
        find_clips(index(text))


def test_a_clip_of_two_spellings_is_one_clip(index):
    path = index("path,label\na.mp4,x\n")
    path.write_text(f"path,label\na.mp4,x\n../{path.parent.name}/a.mp4,y")
    with pytest.raises(UserError, match=r"line 3 names .*a.mp4 once more: line 2"):
        find_clips(path)


def test_of_several_csv_files_one_must_be_named(index):
    folder = index("path,label\na.mp4,x").parent
    index("path,label\nb.mp4,x", "more.csv")
    with pytest.raises(UserError, match=r"clips.csv and more.csv: give one"):
        find_clips(folder)


def test_an_empty_folder_is_told_what_is_needed(tmp_path):
    with pytest.raises(UserError, match=r"one folder a class is needed, such as jump/clip1.mp4"):
        find_clips(tmp_path)


def test_pictures_and_vectors_are_told_apart(tmp_path):
    np.save(tmp_path / "video.npy", np.zeros((2, 3, 4), "uint8"))
    np.save(tmp_path / "joints.npy", np.zeros((2, 3)))
    names = ["video.npy", "joints.npy", "a.csv", "a.mp4"]
    kinds = [is_sequence(tmp_path / name) for name in names]
    assert kinds == [False, True, True, False]
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad.npy is not a .npy array"):
        is_sequence(Path(tmp_path / "bad.npy"))

import numpy as np
import pytest

from tasks.video_classification.clip import Clip, is_sequence
from tasks.video_classification.sources import find_clips
from tasks.video_classification.splits import assign
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
    assert (
        "left out 2 files of another kind: empty/x.jpg, jump/notes.txt\n" in said
        and "no clips in empty" in said
    )


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


def test_a_folder_of_pictures_is_a_clip(files, capsys):
    folder = files(*(f"jump/v_Jump_g0{n}_c01/frame{k:04}.jpg" for n in (1, 2) for k in range(3)))
    files(*(f"run/day/v_Run_g03_c01/rgb/{k}.PNG" for k in (1, 2, 10)), "run/one/1.tif")
    files("run/loose1.jpg", "run/loose2.jpg", "jump/v_Jump_g01_c01/notes.txt", "jump/.x/1.jpg")
    assert found(folder) == [
        ("jump/v_Jump_g01_c01", "jump", ""),
        ("jump/v_Jump_g02_c01", "jump", ""),
        ("run/day/v_Run_g03_c01/rgb", "run", ""),
        ("run/one", "run", ""),
    ]
    groups = [clip.group for clip in find_clips(folder)]
    assert groups == ["v_Jump_g01", "v_Jump_g02", "v_Run_g03", "run/one"]
    said = capsys.readouterr().err
    assert (
        "left out 2 pictures loose in the folder of a class: run/loose1.jpg, run/loose2.jpg\n"
        in said
    )
    assert "left out 1 file of another kind: jump/v_Jump_g01_c01/notes.txt\n" in said


def test_folders_of_pictures_lie_in_splits_and_csv_files_too(files):
    folder = files(*(f"{side}/{c}/v1/1.jpg" for side in ("train", "test") for c in "ab"))
    assert [clip[1:3] for clip in find_clips(folder)] == [
        ("a", "test"), ("b", "test"), ("a", "train"), ("b", "train")
    ]  # fmt: skip
    index = folder / "clips.csv"
    index.write_text("path,label\ntrain/a/v1/,x\ntest/a/v1,y")
    assert [clip.path.name for clip in find_clips(index)] == ["v1", "v1"]
    index.write_text("path,label\ntrain/a,x\ntest/a/v1,y")
    with pytest.raises(UserError, match=r"train/a has no pictures: a folder is a clip if"):
        find_clips(index)


def test_pictures_beside_videos_are_notes_on_them(files, capsys):
    folder = files("jump/1.mp4", "jump/1/thumbnail.jpg", "run/2.mp4")
    assert found(folder) == [("jump/1.mp4", "jump", ""), ("run/2.mp4", "run", "")]
    assert "left out 1 file of another kind: jump/1/thumbnail.jpg\n" in capsys.readouterr().err


def test_pictures_that_are_loose_alone_are_no_clips(files):
    with pytest.raises(UserError, match=r"has no clips: .* or jump/clip1/frame1.jpg and on"):
        find_clips(files("jump/1.jpg", "jump/2.jpg", "run/1.jpg"))


@pytest.mark.parametrize("names", [("freight_train", "bus"), ("test drive", "latest")])
def test_a_class_may_have_the_word_of_a_split_in_its_name(files, names):
    folder = files(*(f"{name}/1.mp4" for name in names))
    assert {(clip.label, clip.split) for clip in find_clips(folder)} == {(n, "") for n in names}


def test_a_group_in_folders_of_two_splits_is_refused(files):
    names = [f"{part}_c0{n}.mp4" for n, part in enumerate(("train/a/v_g01", "test/a/v_g01"))]
    with pytest.raises(UserError, match=r"group v_g01 in .* test/a/v_g01_c01.mp4") as told:
        find_clips(files(*names, "train/b/v_g02_c01.mp4", "test/b/v_g03_c01.mp4"))
    assert "\n" not in str(told.value)


def test_equal_clips_are_of_one_group_whatever_they_are_called(files):
    folder = files(*(f"{label}/{n}.mp4" for label in "ab" for n in range(9)))
    for n, path in enumerate(sorted(folder.rglob("*.mp4"))):
        path.write_bytes(b"clip %d" % (n % 10))
    clips = find_clips(folder)
    assert [clip.group for clip in clips[:8]] == [clip.group for clip in clips[10:]]
    assert len({clip.group for clip in clips}) == 10
    sides = {}
    for clip, side in zip(clips, assign(clips, "x")):
        sides.setdefault(clip.path.read_bytes(), set()).add(side)
    assert all(len(side) == 1 for side in sides.values())


def test_copies_of_one_clip_are_told_apart_by_their_names(files, capsys):
    folder = files(*(f"{label}/{n}.mp4" for label in "ab" for n in range(9)))
    for path in folder.rglob("*.mp4"):
        path.write_bytes(b"clip")
    assert len({clip.group for clip in find_clips(folder)}) == 18
    assert "17 of its 18 files are copies of others" in capsys.readouterr().err


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_names_clips(index, separator):
    lines = ["Path,label,split,group", "a.mp4,jump,train,one", "", "b.mp4,run,dev,two"]
    path = index("\n".join(lines).replace(",", separator))
    for given in (path, path.parent):
        clips = find_clips(given)
        assert [clip.path.name for clip in clips] == ["a.mp4", "b.mp4"]
        assert [clip[1:4] for clip in clips] == [
            ("jump", "train", "one"),
            ("run", "validation", "two"),
        ]


def test_objects_of_a_line_each_name_clips(index):
    lines = ['{"file_name": "a.mp4", "label": 1}', '{"file_name": "b.mp4", "label": 2}']
    path = index("\n".join(lines), "metadata.jsonl")
    assert [clip.label for clip in find_clips(path)] == ["1", "2"]
    assert find_clips(path.parent) == find_clips(path)


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
        (
            'path,label\na.mp4,x\nb.mp4,"y\nc.mp4,z',
            "line 3 has a quotation mark that is not",
        ),
        ('path,label\na.mp4,"x\nb.mp4,"y"', "line 2 is no row of fields"),
        (
            'path,label\na.mp4,"x\n' + "b" * 140_000,
            "line 2 has a quotation mark that is not",
        ),
        ('path,label\na.mp4,"x\ny"', "line 2: the label holds a line break"),
        ('path,"label\na.mp4,x', "line 1 has a quotation mark that is not"),
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
    np.save(tmp_path / "batch.npy", np.zeros((1, 2, 3), "float32"))
    np.save(tmp_path / "values.npy", np.zeros(2))
    (tmp_path / "clip").mkdir()
    names = ["video.npy", "joints.npy", "batch.npy", "values.npy", "a.csv", "a.mp4", "clip"]
    kinds = [is_sequence(Clip(tmp_path / name, "", "", "")) for name in names]
    assert kinds == [False, True, True, True, True, False, False]
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad.npy is not a .npy array"):
        is_sequence(Clip(tmp_path / "bad.npy", "", "", ""))


def test_a_table_that_is_no_index_is_told_where_folders_are_taken_for_classes(tmp_path, capsys):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.txt").write_text("1 2\n")
    (tmp_path / "labels.csv").write_text("file,class\none/0.txt,walk\ntwo/0.txt,sit\n")
    assert {clip.label for clip in find_clips(tmp_path)} == {"one", "two"}
    message = "left out 1 file beside the folders of classes (a table of clips has the columns path"
    assert message in capsys.readouterr().err

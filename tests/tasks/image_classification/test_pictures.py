import numpy as np
import pytest
from PIL import Image

from tasks.common.splits import SPLITS
from tasks.image_classification.pictures import read_pictures
from tasks.image_classification.sources import OwnPictures
from zoo.errors import UserError

LEVELS = {"dark": 40, "light": 210}


@pytest.fixture
def paint(tmp_path):
    """Writes pictures, each of another grey, dark or light as the last folder says."""

    def paint(*names, size=(12, 10), mode="L"):
        for number, name in enumerate(names):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(number).integers(-30, 30, size[::-1])
            level = LEVELS.get(path.parent.name, 100)
            Image.fromarray((level + noise).astype("uint8")).convert(mode).save(path)
        return tmp_path

    return paint


def in_classes(count=10, part=""):
    return [f"{part}{label}/{n}.png" for label in LEVELS for n in range(count)]


def sides(parts):
    return {each.source.name: split for split in SPLITS for each in parts[split]}


def test_a_folder_a_class_is_split_with_each_class_in_all_splits(paint, capsys):
    folder = paint(*in_classes())
    paint("dark/day/more.jpg", "loose.png")
    (folder / "dark" / "notes.txt").write_text("words")
    parts = read_pictures(folder)
    assert sum(map(len, parts.values())) == 21
    assert all({each.label for each in parts[split]} == {*LEVELS} for split in SPLITS)
    told = capsys.readouterr().err
    assert "left out 1 picture beside the folders of classes: loose.png" in told
    assert "left out 1 file of another kind: dark/notes.txt" in told


def test_folders_of_splits_are_kept(paint):
    folder = paint(*in_classes(4, "train/"), *in_classes(2, "val/"), *in_classes(3, "test/"))
    assert [len(part) for part in read_pictures(folder).values()] == [8, 4, 6]
    paint("more/dark/1.png")
    with pytest.raises(UserError, match="has more beside train: validation and test are"):
        read_pictures(folder)


def test_equal_pictures_are_in_one_split_whatever_they_are_called(paint):
    folder = paint(*in_classes(40))
    for n in range(12):
        (folder / f"dark/copy{n}.png").write_bytes((folder / f"dark/{n}.png").read_bytes())
    side = {each.source: split for split, part in read_pictures(folder).items() for each in part}
    dark = folder / "dark"
    assert all(side[dark / f"{n}.png"] == side[dark / f"copy{n}.png"] for n in range(12))


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("path,label", "{label}/{n}.png,{label}"),
        ("Filename;Class", "{label}/{n}.png;{label}"),
        ("id,category", "{label}{n},{label}"),
        ("", "{label}/{n}.png,{label}"),
    ],
)
def test_a_table_names_pictures_and_their_classes(paint, header, line):
    rows = [(label, n) for label in LEVELS for n in range(9)]
    folder = paint(*(f"{label}/{n}.png" for label, n in rows))
    paint(*(f"all/{label}{n}.png" for label, n in rows))
    (folder / "labels.csv").write_text(
        "\n".join([*filter(None, [header]), *(line.format(label=a, n=n) for a, n in rows)])
    )
    for path in (folder, folder / "labels.csv"):
        parts = read_pictures(path)
        assert sum(map(len, parts.values())) == 18
        assert all(each.source.is_file() and each.label in LEVELS for each in parts["train"])


def test_a_table_may_say_splits_and_groups(paint):
    folder = paint(*in_classes(12))
    lines = [f"{label}/{n}.png,{label},{n // 3}" for label in LEVELS for n in range(12)]
    (folder / "a.csv").write_text("\n".join(["file,label,group", *lines]))
    parts = read_pictures(folder)
    groups = [{int(each.source.stem) // 3 for each in parts[split]} for split in SPLITS]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 4
    (folder / "a.csv").unlink()
    for name, chosen in (("train", range(8)), ("val", [8, 9]), ("test", [10, 11])):
        lines = [f"{label}/{n}.png,{label}" for label in LEVELS for n in chosen]
        (folder / f"{name}.csv").write_text("\n".join(["file,label", *lines]))
    assert [len(part) for part in read_pictures(folder).values()] == [16, 4, 4]


def test_a_table_of_other_things_is_left_alone(paint):
    folder = paint(*in_classes())
    (folder / "classes.csv").write_text("id,label\n0,dark\n1,light\n")
    assert sum(map(len, read_pictures(folder).values())) == 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\ndark/0.png,a\ngone.png,b", r"line 3: there is no file \S+gone.png"),
        ("path,label\ndark/0.png,", "line 2 has no label"),
        ("path,label\ndark/0.png,a\ndark/0.png,b", "line 3 names .* once more: line 2"),
        ("path,label,split\ndark/0.png,a,some", "line 2 has the split 'some'"),
        ("picture,colour\ndark/0.png,a", "has the columns picture, colour, but path and label"),
        ("path,label\ndark/0.png,a\ndark/1.png,a", "has 1 classes to learn, a, but 2 are needed"),
        (
            "path,label,split\ndark/0.png,a,\ndark/1.png,b,\ndark/2.png,c,test",
            "dark/2.png, for test, has the class c, which is none of those for training: a, b",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_one_line(paint, text, message):
    folder = paint(*in_classes(3))
    (folder / "labels.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_pictures(folder / "labels.csv")
    assert "\n" not in str(error.value)


def test_a_picture_is_no_data_set(paint):
    with pytest.raises(UserError, match="is one picture, but a data set of many is needed"):
        read_pictures(paint("alone.png") / "alone.png")


def test_a_folder_without_classes_is_refused(paint):
    with pytest.raises(UserError, match="has no pictures of classes: one folder a class is needed"):
        read_pictures(paint("1.png", "2.png"))


@pytest.mark.parametrize(
    ("size", "mode", "side", "shape"),
    [
        ((12, 10), "L", 0, [10, 12, 1]),
        ((12, 10), "RGB", 0, [10, 12, 3]),
        ((12, 10), "L", 28, [28, 28, 1]),
        ((90, 70), "RGB", 0, [64, 64, 3]),
    ],
)
def test_pictures_are_brought_to_one_size(paint, tmp_path, size, mode, side, shape, capsys):
    folder = paint(*in_classes(5), size=size, mode=mode)
    source = OwnPictures(folder, str(tmp_path / "data"))
    assert source.image_shape(side) == shape
    assert ("are brought to 64 by 64" in capsys.readouterr().err) == (shape[0] == 64)
    images, labels = source.read("train", shape, source.classes)
    assert images.shape == (len(labels), *shape) and images.dtype == np.uint8
    assert all(abs(image.mean() - (40, 210)[label]) < 15 for image, label in zip(images, labels))


def test_a_picture_that_cannot_be_read_is_told(paint, tmp_path, capsys):
    folder = paint(*in_classes(5))
    source = OwnPictures(folder, str(tmp_path / "data"))
    damaged = source._parts["train"][0].source
    damaged.write_bytes(b"no picture")
    count = len(source._parts["train"])
    assert len(source.read("train", [10, 12, 1], source.classes).labels) == count - 1
    assert f"left out 1 picture that cannot be read: {damaged}" in capsys.readouterr().err
    with pytest.raises(UserError, match="has the class light, but the model knows dark, other"):
        source.read("train", [10, 12, 1], ["dark", "other"])

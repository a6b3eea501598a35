"""Pictures of a person's own: a table says what each shows."""

import numpy as np
import pytest

from tasks.common.images import encode_png
from tasks.transcription.task import Transcription
from zoo.errors import UserError
from zoo.training.settings import Settings

SETTINGS = Settings(batch_size=8)
ROWS = ["one fish", "two fish", "fish", "one two fish"] * 5


@pytest.fixture
def write(tmp_path):
    """Writes a folder of pictures and a table: its heading, and what stands beside each picture."""

    def write(rows, heading="picture,labels", name="index.csv", size=(9, 12)):
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(1)
        for number in range(len(rows)):
            pixels = rng.integers(0, 256, (*size, 1)).astype("uint8")
            (folder / f"{number}.png").write_bytes(encode_png(pixels))
        lines = [heading, *[f"{number}.png,{row}" for number, row in enumerate(rows)]]
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
        return str(folder)

    return write


def sequences(task, split):
    names = [*task.classes, ""]
    return [
        " ".join(names[label] for label in row if names[label])
        for window in task.windows(split, SETTINGS)
        for row, used in zip(window["targets"].numpy(), window["weights"].numpy())
        if used.any()
    ]


def test_a_table_says_the_labels_in_their_order(write, tmp_path):
    task = Transcription(write(ROWS), str(tmp_path / "cache"))
    assert task.classes == ["fish", "one", "two"] and task.image_shape == [9, 12, 1]
    # Three words, and the end.
    assert task.labels == 4 and task.model_options()["classes"] == 4
    read = [text for split in ("train", "validation", "test") for text in sequences(task, split)]
    assert sorted(read) == sorted(ROWS)
    window = next(iter(task.windows("train", SETTINGS)))
    longest = window["weights"].numpy().sum(axis=1)
    targets = window["targets"].numpy()
    assert all(row[int(n) - 1] == 3 for row, n in zip(targets, longest))
    assert task.groups("test") is None and task.resampled == "pictures"


def test_splits_of_the_table_are_kept_and_each_character_may_be_a_label(write, tmp_path):
    rows = [f"{text},{split}" for text, split in
            [("ab", "train"), ("ba", "train"), ("bb", "val"), ("aa", "test")]]  # fmt: skip
    path = write(rows, "picture,labels,split")
    task = Transcription(path, str(tmp_path / "cache"), unit="character")
    # All are of one length, and so none has an end.
    assert task.classes == ["a", "b"] and task.labels == 2
    assert [sequences(task, split) for split in ("train", "validation", "test")] == [
        ["a b", "b a"], ["b b"], ["a a"],
    ]  # fmt: skip
    assert [case.expected for case in task.cases(1)] == ["aa"]


@pytest.mark.parametrize(
    ("rows", "heading", "message"),
    [
        (["a b,train", "b a,train", "a c,val", "b b,test"], "picture,labels,split",
         r"2\.png, for validation, has the label c, but the model knows a, b"),
        (["a b,train", "b a,train", "a,val", "b b a,test"], "picture,labels,split",
         r"3\.png, for test, has 3 labels, but the model names 2 at most"),
        (["a", "b", "", "a"], "picture,labels", "line 4 has no labels"),
        (["a a", "a", "a a a"] * 3, "picture,labels", "has one label to learn, a, but 2 are"),
        (["a b", "b"], "picture,labels", "2 different pictures and no validation and test"),
        (["a", "b"] * 6, "picture,colour", "has no table of pictures and labels"),
        (["a,train", "b,sometimes", "b,val"], "picture,labels,split", "has the split"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_in_one_line(write, tmp_path, rows, heading, message):
    with pytest.raises(UserError, match=message) as refused:
        task = Transcription(write(rows, heading), str(tmp_path / "cache"))
        for split in ("train", "validation", "test"):
            list(task.windows(split, SETTINGS))
    assert "\n" not in str(refused.value)


def test_folders_of_classes_are_no_sequences(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "1.png").write_bytes(encode_png(np.zeros((4, 4, 1), "uint8")))
    with pytest.raises(
        UserError, match=r"index\.csv with the columns picture and labels is needed"
    ):
        Transcription(str(tmp_path / "mine"))
    with pytest.raises(UserError, match="unit is 'syllable', but word or character is needed"):
        Transcription(unit="syllable")
    with pytest.raises(UserError, match="image_size is -1, but 0 or more is needed"):
        Transcription(image_size=-1)
    with pytest.raises(UserError, match="paths is 65, but 0 to 64 is needed"):
        Transcription(paths=65)


def test_pictures_inside_of_parquet_are_read(tmp_path, write_parquet):
    pixels = np.random.default_rng(1).integers(0, 256, (len(ROWS), 12, 9, 1)).astype("uint8")
    images = [{"bytes": encode_png(each), "path": None} for each in pixels]
    path = write_parquet(tmp_path / "a.parquet", {"image": images, "labels": ROWS})
    task = Transcription(str(path), str(tmp_path))
    assert task.image_shape == [12, 9, 1]
    rows = [row for split in ("train", "validation", "test") for row in sequences(task, split)]
    assert sorted(rows) == sorted(ROWS)

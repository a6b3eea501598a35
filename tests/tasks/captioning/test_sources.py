import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import zoo
from tasks.captioning.sources import MOST_CAPTIONS, Captioned, open_source
from tasks.captioning.task import Captioning
from tasks.common.splits import SPLITS
from tasks.common.text import END, PADDING, START
from zoo.errors import UserError
from zoo.readers import images
from zoo.training.settings import Settings

TINY = {"units": 8, "features": 8, "embedding": 8, "filters": (4,), "jit_compile": False}


def colours(images):
    """Which of red, green and blue each image is."""
    return [("red", "green", "blue")[c] for c in np.asarray(images).mean(axis=(1, 2)).argmax(-1)]


def test_each_image_keeps_its_own_captions(kaggle, tmp_path):
    folder, _ = kaggle
    source = open_source(str(folder), str(tmp_path))
    counts = []
    for split in SPLITS:
        data = source.read(split, [16, 24, 3])
        assert data.images.shape[1:] == (16, 24, 3) and data.images.dtype == np.uint8
        counts.append(len(data.images))
        said = [texts[0].split()[1] for texts in data.captions]
        assert colours(data.images) == said
        assert all(texts[0].islower() and len(texts) == 2 for texts in data.captions)
    assert sum(counts) == 12 and min(counts) > 0


def test_images_are_decoded_once_and_again_when_they_change(kaggle, tmp_path):
    folder, _ = kaggle

    def key():
        return open_source(str(folder), str(tmp_path)).read("train", [8, 8, 3]).key

    first = key()
    (folder / "captions.txt").write_text((folder / "captions.txt").read_text().upper().lower())
    assert key() == first
    (folder / "Images" / "photo3.jpg").write_bytes((folder / "Images" / "photo4.jpg").read_bytes())
    (folder / "Images" / "photo4.jpg").write_bytes(b"")
    assert key() != first


def test_damaged_images_are_named_counted_and_skipped(kaggle, tmp_path, capsys, monkeypatch):
    folder, _ = kaggle
    monkeypatch.setattr(images, "MOST_PIXELS", 48 * 32)
    source = open_source(str(folder), str(tmp_path))
    first, second, *rest = (item.name for item in source._items("train"))
    with open(first, "wb") as file:
        file.write(b"no picture")
    Image.new("RGB", (64, 64)).save(second, "png")
    data = source.read("train", [8, 8, 3])
    assert len(data.images) == len(data.captions) == len(rest)
    assert colours(data.images) == [texts[0].split()[1] for texts in data.captions]
    told = capsys.readouterr().err
    assert "train: left out 2 images that cannot be read: " in told
    assert f"{first} is not an image" in told and f"{second} is too large: 64x64 pixels" in told
    assert source.size() == (32, 48)
    # Those that were skipped are told of in the next run, too.
    open_source(str(folder), str(tmp_path)).read("train", [8, 8, 3])
    assert "2 images that cannot be read" in capsys.readouterr().err


def test_a_damaged_image_alone_in_a_split_gets_another_beside_it(kaggle, tmp_path, capsys):
    folder, _ = kaggle
    source = open_source(str(folder), str(tmp_path))
    damaged = {split: [item.name for item in source._items(split)] for split in SPLITS[1:]}
    for name in damaged["validation"] + damaged["test"]:
        with open(name, "wb") as file:
            file.write(b"no picture" + name.encode())
    source = open_source(str(folder), str(tmp_path))
    counts = [len(source.read(split, [8, 8, 3]).images) for split in SPLITS]
    assert min(counts) > 0 and sum(counts) == 12 - sum(map(len, damaged.values()))
    told = capsys.readouterr().err
    for split, names in damaged.items():
        assert f"{split}: left out {len(names)} image" in told and names[0] in told


def test_a_folder_of_damaged_images_is_one_line(kaggle, tmp_path):
    folder, _ = kaggle
    for path in (folder / "Images").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"no image of \S+, train, has a caption and can be read"):
        Captioning(str(folder), str(tmp_path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"image_shape": [64, 64]}, r"image_shape is \[64, 64\], but \[height, width, 1 or 3\]"),
        ({"image_shape": ["a", 2, 3]}, "image_shape is"),
        ({"image_size": -1}, "image_size is -1, but at least 0"),
        ({"max_length": 0}, "max_length is 0, but at least 1"),
    ],
)
def test_options_out_of_range_are_one_line(kaggle, options, said):
    with pytest.raises(UserError, match=said):
        Captioning(str(kaggle[0]), **options)


@pytest.mark.parametrize(("text", "words"), [("{}", 4), ("...", None)])
def test_captions_of_few_words_have_a_vocabulary_if_they_can(tmp_path, photos, text, words):
    lines = [f"{name},{text.format(n)}" for n, name in enumerate(photos(tmp_path, 6))]
    (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]))
    if words:
        task = Captioning(str(tmp_path), str(tmp_path / "data"))
        assert len(task.vocabulary.tokens) == words
    else:
        with pytest.raises(UserError, match=r"no image of \S+ has a caption"):
            Captioning(str(tmp_path), str(tmp_path / "data"))


@pytest.mark.parametrize("unit", ["word", "character"])
def test_captions_without_spaces_are_learnt_by_letter(tmp_path, photos, unit):
    whose = ["一只狗在公园里。", "两只狗在街上跑！"]
    lines = [f"{name},{whose[n % 2]}" for n, name in enumerate(photos(tmp_path, 10))]
    (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]), encoding="utf-8")
    task = Captioning(str(tmp_path), str(tmp_path / "data"), unit=unit)
    assert {*task.vocabulary.tokens} == {*"一只狗在公园里两街上跑"}
    (captions,) = (w["inputs"]["tokens"] for w in task.windows("train", Settings(batch_size=8)))
    ids = captions[0, 0, 1:].numpy()
    written = task.vocabulary.decode(ids[None], np.array([np.count_nonzero(ids)]))
    assert written.numpy()[0].decode() in {text[:-1] for text in whose}


def test_captions_by_character_have_no_signs_but_spaces(tmp_path, photos):
    lines = [f'{name},"A dog, running."' for name in photos(tmp_path, 6)]
    (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]))
    task = Captioning(str(tmp_path), str(tmp_path / "data"), unit="character")
    assert {*task.vocabulary.tokens} == {*"a dog running"}
    moved = Captioning(**task.get_config())
    assert moved.get_config() == task.get_config() and moved.unit == "character"


@pytest.fixture
def uneven(tmp_path, photos):
    """A task of images with one caption each, but one with 301 and one with three."""
    lines = [f"{name},a b c" for name in photos(tmp_path, 10)]
    for split in ("validation", "test"):
        (tmp_path / f"{split}.txt").write_text(lines.pop().partition(",")[0])
    many = [f"photo0.jpg,a b {'c ' * (n % 9)}d" for n in range(300)]
    some = ["photo1.jpg,a", "photo1.jpg,b"]
    (tmp_path / "captions.txt").write_text(
        "\n".join(["image,caption", *lines, "photo8.jpg,a", "photo9.jpg,a", *many, *some])
    )
    return Captioning(str(tmp_path), str(tmp_path / "data"), captions_per_image=3, minimum_count=1)


def test_each_caption_counts_once_and_an_image_has_no_more_than_some(uneven, capsys):
    window = next(iter(uneven.windows("train", Settings(batch_size=8))))
    weights = window["weights"].numpy()
    assert weights.shape[:2] == (8, MOST_CAPTIONS)
    assert (weights[..., 0].sum(axis=1) == [MOST_CAPTIONS, 3, 1, 1, 1, 1, 1, 1]).all()
    # Three words and the end.
    assert (weights[2:].sum(axis=(1, 2)) == 4).all()
    open_source(uneven.dataset, uneven.data_dir).read("train", uneven.image_shape)
    told = capsys.readouterr().err
    assert f"left out 281 captions without words, or after the first {MOST_CAPTIONS}" in told


def test_training_draws_no_caption_twice(uneven):
    for window in uneven.windows("train", Settings(batch_size=8), seed=1).repeat(5):
        targets, weights = window["targets"].numpy(), window["weights"].numpy()
        assert targets.shape[:2] == (8, 3)
        counts = sorted(weights[..., 0].sum(axis=1))
        assert counts == [1, 1, 1, 1, 1, 1, 3, 3]
        # Alone in having captions of one word: "a b c", "a" and "b".
        [three] = targets[weights.sum(axis=2).min(axis=1) == 2]
        assert len({*map(bytes, three)}) == 3


def test_captions_without_a_word_do_no_harm(uneven):
    data = Captioned(
        np.zeros((2, *uneven.image_shape), "uint8"), [["..."], ["a b"]], [None] * 2, ""
    )
    window = next(iter(uneven._windows(data, data.images, Settings(batch_size=2))))
    assert window["inputs"]["tokens"].numpy()[:, 0, 0].tolist() == [START, START]
    assert window["targets"].numpy()[0, 0].tolist() == [END, PADDING, PADDING]


def test_a_path_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"there is no folder of images and captions \S+/gone"):
        Captioning(str(tmp_path / "gone"))


def test_a_run_of_before_is_told_that_its_splits_were_others(kaggle, tmp_path, capsys):
    folder, _ = kaggle
    first = Captioning(str(folder), str(tmp_path)).get_config()
    assert first["split_rule"] and "another rule" not in capsys.readouterr().err
    del first["split_rule"]
    Captioning(**first)._data("test")
    assert "when splits were made by another rule" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("size", "given", "shape"),
    [((48, 32), 0, [32, 48, 3]), ((300, 200), 0, [128, 128, 3]), ((48, 32), 20, [20, 20, 3])],
)
def test_the_size_of_images_is_that_of_the_first_or_as_given(tmp_path, photos, size, given, shape):
    captions = photos(tmp_path, 4)
    for name in captions:
        Image.new("L", size).save(tmp_path / name)
    lines = [f"{name},a b a b" for name in captions]
    (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]))
    task = Captioning(str(tmp_path), str(tmp_path / "data"), image_size=given)
    assert task.image_shape == shape


@pytest.mark.slow
def test_a_folder_trains_from_one_line_and_is_scored_from_elsewhere(kaggle, tmp_path, monkeypatch):
    folder, _ = kaggle
    monkeypatch.chdir(folder.parent)
    options = {"data_dir": str(tmp_path / "data"), "runs": tmp_path / "runs", "verbose": False}
    run = zoo.fit("caption-lstm", "flickr", steps=1, batch_size=4, **options, **TINY)
    monkeypatch.chdir(tmp_path.parent)
    figures = zoo.evaluate(run, "train")
    assert {"bleu1", "bleu4", "bleu_signature", "picture_gap", "loss"} <= set(figures)
    assert "truth_rate" not in figures
    assert zoo.predict(run, str(folder / "Images" / "photo1.jpg"))[0]["text"] is not None


@pytest.fixture
def coco(tmp_path, kaggle):
    """`coco_captions` as tensorflow-datasets prepares it, of a few images."""
    folder, captions = kaggle
    builder = tfds.builder("coco_captions", data_dir=str(tmp_path / "tfds"))

    def examples(chosen):
        for index in chosen:
            path = folder / "Images" / f"photo{index}.jpg"
            texts = [{"id": n, "text": text} for n, text in enumerate(captions[path.name])]
            yield (
                index,
                {
                    "image": str(path),
                    "image/filename": path.name,
                    "image/id": index,
                    "captions": texts if index != 2 else [],
                    "objects": [],
                },
            )

    sides = {"train": range(8), "val": [8, 9], "test": [10, 11]}
    builder._split_generators = lambda *_: {side: examples(ids) for side, ids in sides.items()}
    (folder / "Images" / "photo5.jpg").write_bytes(b"no picture")
    builder.download_and_prepare()
    return str(tmp_path / "tfds")


def test_coco_captions_is_read_by_name(coco, capsys):
    source = open_source("coco_captions", coco)
    assert source.size() == (32, 48) and source.channels() == 3
    for split, count in (("train", 6), ("validation", 2), ("test", 2)):
        data = source.read(split, [16, 16, 3])
        assert len(data.images) == count and data.scenes == [None] * count
        assert colours(data.images) == [texts[0].split()[1] for texts in data.captions]
    told = capsys.readouterr().err
    assert "train: left out 1 image without captions: photo2.jpg" in told
    assert "train: left out 1 image that cannot be read: photo5.jpg is not an image" in told

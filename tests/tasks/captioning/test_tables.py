"""Pictures and their captions inside of Parquet, as the Hugging Face hub has them."""

import numpy as np
import pytest

from tasks.captioning.sources import open_source
from tasks.common.images import encode_png
from zoo.errors import UserError


def pixels_of(number):
    return np.random.default_rng(number).integers(0, 255, (3, 4, 1), "uint8")


def images(*numbers):
    return [{"bytes": encode_png(pixels_of(n)), "path": None} for n in numbers]


def captioned(source, split):
    data = source.read(split, [3, 4, 3])
    return {image[..., 0].tobytes(): texts for image, texts in zip(data.images, data.captions)}


def test_captions_are_a_text_or_a_list_of_texts(tmp_path, write_shards, write_parquet):
    def table(numbers, captions):
        return {"image": images(*numbers), "caption": captions}

    lists = [[f"A {n}", f"one {n}", "..."] for n in range(12)]
    write_shards(tmp_path / "hub/data", "train", table(range(12), lists))
    write_shards(tmp_path / "hub/data", "test", table([12, 13], [["x"], ["y"]]), count=1)
    source = open_source(str(tmp_path / "hub"), str(tmp_path))
    assert captioned(source, "test") == {
        pixels_of(n).tobytes(): [text] for n, text in ((12, "x"), (13, "y"))
    }
    both = captioned(source, "train") | captioned(source, "validation")
    assert both == {pixels_of(n).tobytes(): [f"a {n}", f"one {n}"] for n in range(12)}
    # A row for each caption.
    rows = table([*range(9)] * 2, [f"{word} {n}" for word in ("a", "b") for n in range(9)])
    source = open_source(str(write_parquet(tmp_path / "a.parquet", rows)), str(tmp_path))
    parts = [captioned(source, split) for split in ("train", "validation", "test")]
    assert all(parts) and parts[0] | parts[1] | parts[2] == {
        pixels_of(n).tobytes(): [f"a {n}", f"b {n}"] for n in range(9)
    }
    assert sum(map(len, parts)) == 9


def test_captions_that_cannot_be_used_are_left_out_or_refused(tmp_path, write_parquet, capsys):
    table = {
        "image": images(*range(8), 7),
        "text": [*"abcdef", None, "h", "h"],
        "split": ["train"] * 5 + ["val", "train", "train", "test"],
    }
    path = write_parquet(tmp_path / "a.parquet", table)
    source = open_source(str(path), str(tmp_path))
    assert [len(captioned(source, split)) for split in ("train", "validation", "test")] == [5, 1, 1]
    told = capsys.readouterr().err
    assert f"left out 1 picture without a caption: {path}, row 7" in told
    assert f"of train that is in another split, too: {path}, row 8" in told
    table["words"] = table.pop("text")
    with pytest.raises(UserError, match="beside pictures, split, words, but caption is needed"):
        open_source(str(write_parquet(tmp_path / "b.parquet", table)), None)
    table["caption"] = [{"de": "a"}] * 9
    with pytest.raises(UserError, match=r"row 1: caption is neither a text nor a list of texts"):
        open_source(str(write_parquet(tmp_path / "c.parquet", table)), None)

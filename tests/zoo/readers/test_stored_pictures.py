import io

import numpy as np
import pyarrow
import pytest
from PIL import Image
from pyarrow.parquet import write_table

import zoo.readers.stored_pictures
from zoo.errors import UserError
from zoo.readers.images import read_picture
from zoo.readers.parquet import parquet_rows
from zoo.readers.stored_pictures import has_pictures, stored_pictures


def png(number):
    file = io.BytesIO()
    Image.new("L", (4, 3), number).save(file, "png")
    return file.getvalue()


def images(*contents):
    return [{"bytes": content, "path": f"{n}.png"} for n, content in enumerate(contents)]


def grey(picture):
    return read_picture(picture, str(picture)).getpixel((0, 0))


@pytest.mark.parametrize("form", ["struct", "bytes", "large_binary"])
def test_pictures_of_any_form_are_read_one_by_one(tmp_path, write_parquet, form):
    contents = [png(n) for n in range(5)]
    columns = {"n": [*range(5)], "image": images(*contents)}
    if form != "struct":
        columns["image"] = pyarrow.array(contents, {"bytes": "binary"}.get(form, form))
    path = write_parquet(tmp_path / "a.parquet", columns)
    pictures = stored_pictures(path)
    assert has_pictures(path)
    assert [grey(each) for each in reversed(pictures)] == [4, 3, 2, 1, 0]
    assert pictures[1].read_bytes() == contents[1] and str(pictures[1]) == f"{path}, row 2"
    assert [values for _, values in parquet_rows(path)] == [{"n": str(n)} for n in range(5)]


def test_pictures_of_shards_know_their_file(tmp_path, write_shards):
    contents = [png(n) for n in range(6)]
    first = write_shards(tmp_path, "train", {"image": images(*contents)})
    pictures = stored_pictures(first)
    assert [grey(each) for each in pictures] == [0, 3, 1, 4, 2, 5]
    assert str(pictures[3]) == f"{first.with_name('train-00001-of-00003.parquet')}, row 2"


def test_no_more_than_two_groups_of_rows_are_in_memory(tmp_path, monkeypatch):
    """And each is read once by who goes through a table in its order."""
    table = pyarrow.table({"image": images(*(png(n) for n in range(40)))})
    write_table(table, tmp_path / "a.parquet", row_group_size=10)
    module = zoo.readers.stored_pictures
    monkeypatch.setattr(module, "_group", module.lru_cache(maxsize=2)(module._group.__wrapped__))
    assert [grey(each) for each in stored_pictures(tmp_path / "a.parquet")] == [*range(40)]
    info = module._group.cache_info()
    assert info.misses == 4 and info.currsize == 2


@pytest.mark.parametrize("missing", [None, b""])
def test_a_path_without_bytes_is_refused_with_what_to_do(tmp_path, write_parquet, missing):
    path = write_parquet(tmp_path / "a.parquet", {"image": images(png(1), missing)})
    with pytest.raises(
        UserError, match=r"row 2 has no bytes .* at most a path: write the pictures"
    ):
        stored_pictures(path)


def test_of_several_columns_of_bytes_one_is_called_as_pictures_are(tmp_path, write_parquet):
    columns = {"mask": images(png(1)), "image": images(png(2)), "sound": [b"x"]}
    [picture] = stored_pictures(write_parquet(tmp_path / "a.parquet", columns))
    assert picture.column == "image.bytes" and grey(picture) == 2
    del columns["image"]
    with pytest.raises(UserError, match="bytes in the columns mask and sound: call that of the"):
        stored_pictures(write_parquet(tmp_path / "b.parquet", columns))
    plain = write_parquet(tmp_path / "c.parquet", {"text": ["a"], "at": [{"path": "b"}]})
    assert not has_pictures(plain) and stored_pictures(plain) == ()


def test_what_is_no_picture_is_named_by_its_row(tmp_path, write_parquet):
    noise = np.random.default_rng(0).bytes(50)
    _, damaged = stored_pictures(write_parquet(tmp_path / "a.parquet", {"image": [png(1), noise]}))
    with pytest.raises(UserError, match=r"a\.parquet, row 2 is not an image that can be read"):
        grey(damaged)


def test_a_table_that_is_written_anew_is_read_anew(tmp_path, write_parquet):
    path = tmp_path / "a.parquet"
    for content in (png(1), png(2)):
        [picture] = stored_pictures(write_parquet(path, {"image": images(content)}))
        assert picture.read_bytes() == content

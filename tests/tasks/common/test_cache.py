import os
import shutil
import subprocess
import sys
import threading
from collections import namedtuple

import numpy as np
import pytest

from tasks.common.cache import cached_array, cached_rows, file_key, in_threads
from zoo.errors import UserError


def rows_of(index):
    """Item 1 cannot be made; item 2 is shorter than the others."""
    if index == 1:
        raise UserError("item 1 is broken")
    return np.full((2 if index == 2 else 3, 2), index)


def test_what_was_made_is_read_again_and_not_made_again(tmp_path):
    first = cached_array("key", (4, 3, 2), "uint8", rows_of, "", str(tmp_path))
    again = cached_array("key", (4, 3, 2), "uint8", lambda _: 1 / 0, "", str(tmp_path))
    for cached in (first, again):
        assert isinstance(cached.array, np.memmap) and cached.array.dtype == np.uint8
        assert cached.array[:, :, 0].tolist() == [[0, 0, 0], [2, 2, 0], [3, 3, 3]]
        assert cached.indices.tolist() == [0, 2, 3] and cached.lengths.tolist() == [3, 2, 3]
        assert cached.failed == {1: "item 1 is broken"}


def test_rows_of_any_length_lie_one_after_the_other(tmp_path):
    for make in (rows_of, None):
        cached = cached_array("key", (4, None, 2), "uint8", make, "", str(tmp_path))
        assert cached.array[:, 0].tolist() == [0, 0, 0, 2, 2, 3, 3, 3]
        assert cached.indices.tolist() == [0, 2, 3] and cached.lengths.tolist() == [3, 2, 3]


@pytest.mark.parametrize("other", [("other", (4, 3, 2), "uint8"), ("key", (4, 3, 2), "float16")])
def test_another_key_or_type_is_another_array(tmp_path, other):
    cached_array("key", (4, 3, 2), "uint8", rows_of, "", str(tmp_path))
    made = []
    cached_array(*other, lambda i: made.append(i) or np.zeros((3, 2)), "", str(tmp_path))
    assert sorted(made) == [0, 1, 2, 3]


def test_rows_in_a_stream_keep_their_notes(tmp_path):
    rows = [(np.ones(2), "red"), UserError("no"), (np.zeros(2), ["a", "b"])]
    for source in (lambda: iter(rows), lambda: 1 / 0):
        cached = cached_rows("key", (3, 2), "float16", source, "", str(tmp_path))
        assert cached.notes == ["red", ["a", "b"]] and cached.indices.tolist() == [0, 2]


def test_nothing_made_is_an_empty_array(tmp_path):
    cached = cached_array("key", (1, 2), "uint8", lambda _: rows_of(1), "", str(tmp_path))
    assert cached.array.shape == (0, 2) and list(cached.failed) == [0]


def test_a_file_that_changes_changes_the_key(tmp_path):
    path = tmp_path / "a.jpg"
    missing = file_key([path])
    path.write_bytes(b"1")
    before = file_key([path])
    os.utime(path, ns=(1, 1))
    assert len({str(key) for key in (missing, before, file_key([path]))}) == 3


def test_a_run_that_was_killed_leaves_nothing_that_counts(tmp_path):
    code = (
        "import os, sys; from tasks.common.cache import cached_array\n"
        "make = lambda i: os._exit(9) if i == 60 else [i]\n"
        "cached_array('key', (99, 1), 'uint8', make, '', sys.argv[1])"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == 9
    assert [p.suffix for p in (tmp_path / "zoo_cache").iterdir() if p.is_dir()] == [".part"]
    cached = cached_array("key", (99, 1), "uint8", lambda i: [i], "", str(tmp_path))
    assert cached.array[:, 0].tolist() == list(range(99))
    assert [p.suffix for p in (tmp_path / "zoo_cache").iterdir() if p.is_dir()] == [""]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot keep images in .*file.*; choose another"):
        cached_array("key", (1, 1), "uint8", lambda i: [i], "images", str(tmp_path / "file"))


def test_a_folder_that_is_only_read_can_have_its_cache_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "there"))
    cached = cached_array("key", (1, 1), "uint8", lambda i: [7], "", str(tmp_path / "here"))
    assert cached.array.tolist() == [[7]]
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_too_small_a_disk_is_told_before_the_work(tmp_path, monkeypatch):
    disk = namedtuple("disk", "total used free")(2, 1, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk)
    with pytest.raises(UserError, match=r"0 MB left, but images takes 8 MB"):
        cached_array("key", (8, 10**6), "uint8", lambda _: 1 / 0, "images", str(tmp_path))


def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(tmp_path):
    def make(index):
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left on device; choose another --data-dir"):
        cached_array("key", (1, 1), "uint8", make, "images", str(tmp_path))
    assert not [path for path in (tmp_path / "zoo_cache").iterdir() if path.is_dir()]


def test_threads_keep_the_order_and_do_not_run_far_ahead():
    begun = []
    lock = threading.Lock()

    def make(item):
        with lock:
            begun.append(item)
        return item * 2

    made = in_threads(make, iter(range(1000)))
    assert [next(made) for _ in range(3)] == [0, 2, 4]
    assert len(begun) < 1000
    made.close()
    assert list(in_threads(make, range(50))) == list(range(0, 100, 2))

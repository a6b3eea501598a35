import gzip

import numpy as np
import pytest

from zoo import UserError
from zoo.readers import text
from zoo.readers.modality import modality
from zoo.readers.text import read_pieces, read_text_file

TEXT_KIND = modality("text")


def test_text_is_itself_or_a_utf8_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("naïve café", encoding="utf-8")
    assert TEXT_KIND.read("a prompt. with/slashes") == "a prompt. with/slashes"
    assert TEXT_KIND.read(str(path)) == "naïve café"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no file"),
        (b"", "empty"),
        (b"caf\xe9 \xff", "UTF-8"),
        ("a text".encode("utf-16-le"), "is UTF-16 or no text"),
    ],
)
def test_text_files_that_cannot_be_read(tmp_path, content, said):
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        TEXT_KIND.read(str(path))


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "words.txt").write_bytes(b"\xef\xbb\xbfwords")
    assert TEXT_KIND.read(str(tmp_path / "words.txt")) == "words"


TEXT = "\ufeffnaïve café\r\n\r\nthe 我们 mat\rand so on, and on\n"
SAID = "naïve café\n\nthe 我们 mat\nand so on, and on\n"


@pytest.mark.parametrize("size", [3, 4, 7, 1000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_text_read_in_pieces_is_the_whole_text(tmp_path, monkeypatch, size, pack):
    monkeypatch.setattr(text, "_PIECE", size)
    path = tmp_path / "words.anything"
    path.write_bytes(pack(TEXT.encode()))
    pieces = list(read_pieces(path))
    assert "".join(pieces) == read_text_file(path) == SAID
    assert all(piece.endswith((" ", "\n")) or size < 9 for piece in pieces)


def test_pieces_end_with_a_line_or_else_with_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "_PIECE", 8)
    path = tmp_path / "words.txt"
    path.write_text("ab cd\nef gh ijkl mn\nop")
    assert list(read_pieces(path)) == ["ab cd\n", "ef gh ", "ijkl mn\n", "op"]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("before", ["", "\ufeff", "naïve\r\n"])
def test_the_byte_that_is_not_utf8_is_counted_from_the_beginning(
    tmp_path, monkeypatch, size, before
):
    monkeypatch.setattr(text, "_PIECE", size)
    path = tmp_path / "words.txt"
    path.write_bytes(before.encode() + b"caf\xe9 au lait")
    place = len(before.encode()) + 3
    with pytest.raises(UserError, match=rf"words.txt is not UTF-8 text \(byte {place}\)"):
        read_text_file(path)


@pytest.mark.parametrize(
    "damage", [lambda gz: gz[:-9], lambda gz: gz[:40] + b"\0" * 20 + gz[60:], lambda gz: gz[:5]]
)
def test_a_damaged_gz_file_is_named(tmp_path, damage):
    path = tmp_path / "words.gz"
    path.write_bytes(damage(gzip.compress(np.random.default_rng(1).bytes(300).hex().encode())))
    with pytest.raises(UserError, match=r"words.gz is a damaged gz file: \w"):
        read_text_file(path)


def test_long_text_in_any_script_is_itself():
    assert TEXT_KIND.read("我" * 200) == "我" * 200


def test_texts_are_read_from_bytes_and_paths_and_refused_from_anything_else(tmp_path):
    path = tmp_path / "no-ending"
    path.write_bytes("été".encode())
    assert TEXT_KIND.read(path) == TEXT_KIND.read("été".encode()) == "été"
    with pytest.raises(UserError, match=r"not UTF-8 \(byte 3\)"):
        TEXT_KIND.read(b"caf\xe9")
    with pytest.raises(UserError, match="int is no text that can be read"):
        TEXT_KIND.read(3)

"""Reads text files of any length."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zoo.errors import UserError

TEXT_FILES = {".txt", ".md", ".py", ".text", ".rst"}
"""How the name of a text file ends."""
_PIECE = 1 << 18
_HEAD = 1 << 13


def read_text(given: str) -> str:
    """Return the words themselves, or what the file of that name says.

    Raises:
        UserError: the file cannot be read, or the text is not UTF-8.
    """
    path = Path(given)
    try:
        size = len(given.encode())
    except UnicodeEncodeError as error:
        raise UserError("the text is not UTF-8: convert it first") from error
    # Only what looks like a path is one: the words of a prompt may hold dots and slashes.
    looks_like_file = path.suffix in TEXT_FILES and not any(c.isspace() for c in given)
    if not (looks_like_file or (size < 256 and path.is_file())):
        return given
    return read_text_file(given)


def read_text_file(path: str | Path) -> str:
    """What a UTF-8 text file says, plain or gz.

    Raises:
        UserError: as `read_pieces`.
    """
    return "".join(read_pieces(path))


def read_pieces(path: str | Path) -> Iterator[str]:
    """What a UTF-8 text file says, plain or gz, piece by piece, so that it may be of any length.

    A piece has some 250,000 characters at most. It ends where a line ends, or else a word; only
    inside a longer word it ends anywhere. Line breaks are `\\n`, whatever they are in the file.

    Raises:
        UserError: there is no such file, or it is empty, not UTF-8, or cannot be read. Each is
            found when the reading comes to it.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}")
    blank, held = True, ""
    for text in _decoded(Path(path)):
        text = held + text
        end = text.rfind("\n") + 1 or text.rfind(" ") + 1 or len(text)
        piece, held = text[:end], text[end:]
        if piece:
            blank = blank and piece.isspace()
            yield piece
    if held:
        yield held
    elif blank:
        raise UserError(f"{path} is empty: expected text")


def read_head(path: Path) -> bytes:
    """The first 8,192 bytes of a file, unpacked if it is gz: no text has a zero byte there.

    Raises:
        UserError: it cannot be read.
    """
    with opened(path) as file:
        return file.read(_HEAD)


def _decoded(path: Path) -> Iterator[str]:
    utf8 = codecs.getincrementaldecoder("utf-8")()
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    begin, block = 0, b"-"
    with opened(path) as file:
        while block:
            block = file.read(_PIECE)
            # What a block leaves of a character is decoded with the next one.
            kept = len(utf8.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path} is not UTF-8 text (byte {begin - kept + error.start}): "
                    "convert it first"
                ) from error
            yield text if begin else text.removeprefix("\ufeff")
            begin += len(block)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked if it is gz, whatever its name; a failure to read is the user's.

    Raises:
        UserError: it cannot be opened or read, by whoever reads it inside the `with`.
    """
    try:
        with path.open("rb") as file:
            packed = file.peek(2).startswith(b"\x1f\x8b")
            yield gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path} is a damaged gz file: {error}") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error

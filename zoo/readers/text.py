"""Texts: the words that were typed, files of any length, and pipes."""

import codecs
import gzip
import io
import json
import shlex
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import IO, Any

from zoo.errors import UserError
from zoo.readers.modality import Modality
from zoo.registry import register
from zoo.utils.html import element

TEXT_FILES = {".txt", ".md", ".py", ".text", ".rst"}
"""How the name of a text file ends."""
_PIECE = 1 << 18
_HEAD = 1 << 13
_ZEROES = 5
_STREAMED = 4096
"""Bytes of a stream at a time, at most: of a file that is there whole, too."""


@register("modality", "text")
class Text(Modality):
    """A text of any script: the words themselves, or a UTF-8 text file."""

    unit = ""
    dtype = "string"
    shape = ()
    made = "text"

    def read(self, source: Any, **options: Any) -> str:
        """Return the words, or what a file says; bytes are UTF-8."""
        if isinstance(source, bytes):
            try:
                return source.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"the text is not UTF-8 (byte {error.start}): convert it first"
                ) from error
        if isinstance(source, Path):
            return read_text_file(source)
        if isinstance(source, str):
            return read_text(str(source))
        raise self.refusal(source)

    def pieces(self, path: Path, **options: Any) -> Iterator[str]:
        """Read a file as `text_pieces` does, one that is empty too."""
        with opened(path) as file:
            yield from text_pieces(file)

    def standard_input(self, file: IO[bytes], **options: Any) -> Iterator[str]:
        """Read text as it comes, see `text_pieces`."""
        return text_pieces(file)

    def write(self, stem: Path, raw: str) -> Path:
        """Write a UTF-8 file."""
        path = stem.with_suffix(".txt")
        path.write_text(raw, encoding="utf-8")
        return path

    def write_shown(self, stem: Path, raw: str) -> dict[str, Any]:
        """Return the text, which a card has room for."""
        return {"text": raw}

    def show(self, raw: str) -> str:
        """Return the text."""
        return element("p", escape(raw), class_="text")

    def read_shown(self, shown: dict[str, Any], folder: Path) -> str:
        """Return the text."""
        return shown["text"]

    def use(self, path: str, raw: str | None) -> tuple[str, str, list[str]]:
        """Write the first line of the text, unless a shell or `read` would not take it as one."""
        line = next((line for line in (raw or "").splitlines() if line.strip()), "")
        if not line or line.startswith("-") or not line.isprintable() or read_text(line) != line:
            return shlex.quote(path), f'[open("{path}", "rb").read()]', []
        return shlex.quote(line), f"[{json.dumps(line, ensure_ascii=False)}]", []

    def key(self, raw: str) -> str:
        """Return the text."""
        return raw

    def batch_key(self, raw: str) -> tuple[()]:
        """Return one key for all: texts of any length fit into one batch."""
        return ()


def read_text(words: str) -> str:
    """Return the words themselves, or what the file of that name says.

    Raises:
        UserError: the file cannot be read, or the text is not UTF-8.
    """
    path = Path(words)
    try:
        size = len(words.encode())
    except UnicodeEncodeError as error:
        raise UserError("the text is not UTF-8: convert it first") from error
    # Only what looks like a path is one: the words of a prompt may hold dots and slashes.
    looks_like_file = path.suffix in TEXT_FILES and not any(c.isspace() for c in words)
    if not (looks_like_file or (size < 256 and path.is_file())):
        return words
    return read_text_file(words)


def read_text_file(path: str | Path) -> str:
    """Return what a UTF-8 text file says, plain or gz.

    Raises:
        UserError: as `read_pieces`.
    """
    return "".join(read_pieces(path))


def read_pieces(path: str | Path) -> Iterator[str]:
    """Read a UTF-8 text file, plain or gz, piece by piece, so that it may be of any length.

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
    """Return the first 8,192 bytes of a file, unpacked if it is gz: no text has a zero byte there.

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
            pending = len(utf8.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path} is not UTF-8 text (byte {begin - pending + error.start}): "
                    "convert it first"
                ) from error
            if not begin and text.count("\0") * _ZEROES > len(text):
                raise UserError(
                    f"{path} is UTF-16 or no text, as many of its bytes are zero: UTF-8 is "
                    "needed, convert it first"
                )
            yield text if begin else text.removeprefix("\ufeff")
            begin += len(block)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file's bytes, unpacked if it is gz, whatever its name.

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


def text_pieces(file: IO[bytes]) -> Iterator[str]:
    """Read UTF-8 text as it comes, also from a pipe that stays open.

    A character that is cut at the end of a piece comes whole in the next one. A byte that is no
    UTF-8 is read as U+FFFD, as a stream cannot be sent back. Line breaks are `\\n`.

    Example:
        >>> list(text_pieces(io.BytesIO(b"caf\\xc3\\xa9 \\xff\\r\\n")))
        ['café \ufffd\\n']
    """
    utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    # Unlike `read`, it does not wait until there is as much as that.
    while block := file.read1(_STREAMED):  # type: ignore[attr-defined]
        if text := decoder.decode(block):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text

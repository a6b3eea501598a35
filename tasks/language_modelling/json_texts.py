"""Reads texts in lines of JSON, an object each."""

from collections.abc import Iterator
from pathlib import Path

from zoo.errors import UserError
from zoo.readers.json_rows import read_members
from zoo.readers.text import read_pieces

TEXT = ("text", "content")
"""What the member with the text may be called; the first that there is."""


def read_texts(path: Path) -> Iterator[str]:
    """Yield the `text` or `content` of each object, with a line break at its end; not blank ones.

    Raises:
        UserError: the file cannot be read, or an object has none.
    """
    for line, values in read_members(read_pieces(path), path):
        name = next((name for name in TEXT if name in values), None)
        text = values[name] if name else None
        if name is None or not isinstance(text, str | None):
            raise UserError(
                f"{path}, line {line} has {', '.join(values) or 'nothing'}, but a text is needed "
                "that is called text or content"
            )
        if text and not text.isspace():
            yield text if text.endswith("\n") else f"{text}\n"

"""Reads texts in lines of JSON, an object each, or in rows of Parquet."""

from collections.abc import Iterator
from pathlib import Path

from zoo.errors import UserError
from zoo.readers.json_rows import file_members, is_json_lines
from zoo.readers.parquet import is_parquet
from zoo.readers.shards import whole_table

TEXT = ("text", "content")
"""What the member with the text may be called; the first that there is."""


def holds_texts(path: Path) -> bool:
    """Return whether the name of a file is that of lines of JSON, or of Parquet."""
    return is_json_lines(path) or is_parquet(path)


def read_texts(path: Path) -> Iterator[str]:
    """Yield the `text` or `content` of each object, with a line break at its end; not blank ones.

    Raises:
        UserError: the file cannot be read, or an object has none.
    """
    for line, values in file_members(path):
        name = next((name for name in TEXT if name in values), None)
        text = values[name] if name else None
        if name is None or not isinstance(text, str | None):
            raise UserError(
                f"{whole_table(path)}, line {line} has {', '.join(values) or 'nothing'}, but a "
                "text is needed that is called text or content"
            )
        if text and not text.isspace():
            yield text if text.endswith("\n") else f"{text}\n"

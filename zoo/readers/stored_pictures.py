"""Pictures inside of Parquet tables, as Hugging Face's `datasets` writes them."""

from bisect import bisect_right
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from zoo.errors import UserError
from zoo.readers.parquet import alike_shards, bytes_in, reading

NAMES = ("image", "img", "picture", "photo")
"""What the column of pictures may be called if there are several of bytes; the first there is."""

_ROWS = 100
# Else each thread that decodes would read the same rows for itself.
_LOCK = Lock()


class StoredPicture(NamedTuple):
    """A picture in a row of a Parquet file.

    Attributes:
        file: the table, or the shard of one.
        column: that of its bytes, such as "image.bytes".
        row: of the file, from 0 on.
        digest: SHA-256 of its bytes.
    """

    file: Path
    column: str
    row: int
    digest: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row + 1}"

    def read_bytes(self) -> bytes:
        """Return the picture as it is stored; the group of rows that it is in stays in memory.

        Raises:
            OSError: the file is no longer there.
            UserError: it cannot be read.
        """
        changed = self.file.stat().st_mtime_ns
        with _LOCK:
            starts = _starts(self.file, changed)
            group = bisect_right(starts, self.row) - 1
            pictures = _group(self.file, changed, self.column, group)
        return bytes(pictures[self.row - starts[group]].as_py())


def has_pictures(path: Path) -> bool:
    """Return whether a column of a Parquet file holds pictures, or other bytes.

    Raises:
        UserError: it cannot be read, or has several such columns, of unknown names.
    """
    with reading(path) as opened:
        return bool(_column(path, opened.schema_arrow))


def stored_pictures(path: Path) -> tuple[StoredPicture, ...]:
    """Return the picture of each row of a table in Parquet; nothing, if it has no such column.

    It is a column of bytes, or one of groups with a member `bytes`, as the hub's `Image` is. Some
    are in memory at a time.

    Args:
        path: of a file, or of any shard of the table.

    Raises:
        UserError: as `has_pictures` or `zoo.readers.parquet.alike_shards`, or a row has no bytes.
    """
    shards = alike_shards(path)
    return _stored(tuple((file, file.stat().st_mtime_ns) for file in shards))


@lru_cache(maxsize=8)
def _stored(shards: tuple[tuple[Path, int], ...]) -> tuple[StoredPicture, ...]:
    pictures = []
    for file, _ in shards:
        with reading(file) as opened:
            column, row = _column(file, opened.schema_arrow), 0
            for batch in opened.iter_batches(_ROWS, columns=[column]) if column else ():
                for content in _flat(batch).to_pylist():
                    if not content:
                        raise UserError(
                            f"{file}, row {row + 1} has no bytes of a picture, at most a path: "
                            "write the pictures into the table, as push_to_hub of datasets does, "
                            "or give a folder of them with a table of path and label"
                        )
                    digest = sha256(content).hexdigest()
                    pictures.append(StoredPicture(file, column, row, digest))
                    row += 1
    return tuple(pictures)


def _column(path: Path, schema: Any) -> str:
    """Return the column of pictures, `name` or `name.bytes`; "" if there is none."""
    columns = {field.name: at for field in schema if (at := bytes_in(field))}
    if len(columns) < 2:
        return next(iter(columns.values()), "")
    if named := next((name for name in NAMES if name in columns), None):
        return columns[named]
    raise UserError(
        f"{path} has bytes in the columns {' and '.join(columns)}: call that of the pictures image"
    )


@lru_cache(maxsize=8)
def _starts(file: Path, changed: int) -> list[int]:
    """Return the first row of each group of rows."""
    with reading(file) as opened:
        about = opened.metadata
        sizes = [about.row_group(n).num_rows for n in range(about.num_row_groups)]
        return [0, *accumulate(sizes[:-1])]


@lru_cache(maxsize=2)
def _group(file: Path, changed: int, column: str, group: int) -> Any:
    """Return the pictures of a group of rows: 100, where `datasets` has written them."""
    with reading(file) as opened:
        return _flat(opened.read_row_group(group, columns=[column]))


def _flat(rows: Any) -> Any:
    """Return the only column of rows, or the only member of its groups."""
    import pyarrow

    table = rows if isinstance(rows, pyarrow.Table) else pyarrow.Table.from_batches([rows])
    return table.flatten().column(0)

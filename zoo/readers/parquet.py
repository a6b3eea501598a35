"""Reads Parquet files, each value as it would be written in a text."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.readers.shards import shards_of, whole_table

PARQUET = (".parquet", ".pq")
"""How the names of Parquet files end."""

_ROWS = 8192
# Without one, a whole column is read at once.
_BUFFER = 1 << 16
# What stands in place of a file where a repository of the hub was cloned without git-lfs.
_POINTER = b"version https://git-lfs"
_INDEX = re.compile(r"__index_level_\d+__")  # as pandas calls the numbers of rows


def is_parquet(path: Path) -> bool:
    """Return whether the name of a file is that of a Parquet file.

    Example:
        >>> is_parquet(Path("train-00000-of-00001.parquet")), is_parquet(Path("a.csv"))
        (True, False)
    """
    return path.suffix.lower() in PARQUET


def open_parquet(path: Path) -> Any:
    """Return the `pyarrow.Table` of a file, or of all shards of a table, at least one row of it.

    Args:
        path: of the file, or of any shard, see `zoo.readers.shards`.

    Raises:
        UserError: pyarrow cannot be imported, it is no Parquet file, or it has no rows; or a shard
            is missing, or has other columns than the first.
    """
    tables = []
    for file in alike_shards(path):
        with reading(file) as opened:
            tables.append(opened.read())
    table = tables[0]
    if len(tables) > 1:
        import pyarrow

        table = pyarrow.concat_tables(tables, promote_options="permissive")
    if not table.num_rows:
        raise UserError(f"{whole_table(path)} has no rows")
    return table


def parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each row, from 1 on, and what it holds by the names of the columns.

    Values are texts, numbers as they would be written, or None; lists hold such values, and a group
    of columns is a dictionary. What Hugging Face's `datasets` wrote as the number of a class is its
    name, and no class (-1) is None. The index of pandas is left out, and so are bytes, see
    `bytes_in`: for pictures see `zoo.readers.stored_pictures`. Some rows are in memory at a time.

    Args:
        path: of the file, or of any shard of a table, whose rows are counted through all of them.

    Raises:
        UserError: as `open_parquet`.
    """
    number = 0
    for file in alike_shards(path):
        with reading(file) as opened:
            schema = opened.schema_arrow
            classes = _class_names(schema.metadata)
            names = [
                field.name
                for field in schema
                if not _INDEX.fullmatch(field.name) and not bytes_in(field)
            ]
            for batch in opened.iter_batches(_ROWS, columns=names):
                columns = [_named(_written(batch[name]), classes.get(name)) for name in names]
                for values in zip(*columns) if columns else [()] * batch.num_rows:
                    number += 1
                    yield number, dict(zip(names, values))
    if not number:
        raise UserError(f"{whole_table(path)} has no rows")


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Open a file as a `pyarrow.parquet.ParquetFile`, which reads no further ahead than it must.

    Raises:
        UserError: pyarrow cannot be imported, the file is not there, or is no Parquet file.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"{path} is a Parquet file, but pyarrow cannot be imported ({error}): install it by "
            "`pip install --upgrade pyarrow`, or write csv"
        ) from error
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as opened:
            yield opened
    except (pyarrow.ArrowException, OSError) as error:
        with path.open("rb") as file:
            if file.read(len(_POINTER)) == _POINTER:
                raise UserError(
                    f"{path} is a pointer of git-lfs, not the file itself: run `git lfs pull` there"
                ) from error
        raise UserError(f"{path} is no Parquet file: {str(error).splitlines()[0]}") from error


def alike_shards(path: Path) -> list[Path]:
    """Return the files of a table, see `zoo.readers.shards.shards_of`.

    Raises:
        UserError: as `reading` or `shards_of`, or one has other columns than the first, or other
            names of classes.
    """
    shards = shards_of(path)
    first, *others = shards
    if others:
        columns = _schema(first)
        for file in others:
            _check_alike(file, _schema(file), first, columns)
    return shards


def _schema(file: Path) -> Any:
    with reading(file) as opened:
        return opened.schema_arrow


def _check_alike(file: Path, columns: Any, first: Path, expected: Any) -> None:
    import pyarrow

    classes, expected_classes = _class_names(columns.metadata), _class_names(expected.metadata)
    for name in dict.fromkeys([*expected.names, *columns.names]):
        problem = ""
        if _INDEX.fullmatch(name):
            continue
        if name not in expected.names:
            problem = f"has the column {name}, but {first.name} has not"
        elif name not in columns.names:
            problem = f"has no column {name}, but {first.name} has"
        elif classes.get(name) != expected_classes.get(name):
            problem = f"has other names of classes in the column {name} than {first.name}"
        else:
            pair = [pyarrow.schema([each.field(name)]) for each in (expected, columns)]
            try:
                pyarrow.unify_schemas(pair, promote_options="permissive")
            except pyarrow.ArrowException:
                types = [each.field(name).type for each in (columns, expected)]
                problem = f"has {types[0]} in the column {name}, but {first.name} has {types[1]}"
        if problem:
            raise UserError(f"{file} {problem}: shards of one table need the same columns")


def bytes_in(field: Any) -> str:
    """Return where in a column of a schema bytes are: "name", or "name.bytes" of groups, as the
    hub's `Image` is; "" if it is no such column."""
    import pyarrow

    members = [*field.type] if pyarrow.types.is_struct(field.type) else []
    if any(inner.name == "bytes" and _is_bytes(inner.type) for inner in members):
        return f"{field.name}.bytes"
    return field.name if _is_bytes(field.type) else ""


def _is_bytes(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def _written(column: Any) -> list[Any]:
    """Return the values of a column as they would be written."""
    import pyarrow

    types = pyarrow.types
    if types.is_timestamp(column.type):
        # No sensor needs more, and what reads times knows no more.
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    texts = pyarrow.string()
    lists = types.is_list(column.type) or types.is_large_list(column.type)
    try:
        return column.cast(pyarrow.list_(texts) if lists else texts).to_pylist()
    except pyarrow.ArrowException:
        # Such as groups, and lists of lists.
        return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return []
    return value if value is None else str(value)


def _class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """Return the names of the classes of each column that holds their numbers, or lists of them."""
    try:
        features = dict(json.loads((metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, TypeError, ValueError):
        return {}
    named = {}
    for name, feature in features.items():
        listed = feature if isinstance(feature, list) else [feature]
        for each in (each for each in listed if isinstance(each, dict)):
            inner = each.get("feature") or each
            if isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
                named[name] = [str(called) for called in inner.get("names") or ()]
    return named


def _named(values: list[Any], names: list[str] | None) -> list[Any]:
    """Return values in which the numbers of classes are their names."""
    if not names:
        return values
    called = {str(number): name for number, name in enumerate(names)} | {"-1": None}
    name_of: Callable[[Any], Any] = lambda value: called.get(value, value)  # noqa: E731
    return [
        [name_of(each) for each in value] if isinstance(value, list) else name_of(value)
        for value in values
    ]

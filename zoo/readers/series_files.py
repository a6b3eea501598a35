"""Files of series: text tables, `.tsf` and Parquet."""

from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.frames import Frame, drop_columns, make_frame
from zoo.readers.parquet import PARQUET, is_parquet, open_parquet
from zoo.readers.series_columns import Chosen, read_columns
from zoo.readers.series_rows import Parts, has_series_in_rows, read_series_in_rows
from zoo.readers.series_tsf import read_tsf
from zoo.readers.shards import whole_table
from zoo.readers.tables import read_rows

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".tsf", *PARQUET)
"""How the names of files of series end, before `.gz`."""


def load_file(path: Path, chosen: Chosen) -> Parts | Frame:
    """Read a file: its series, where each row is one, or else its columns.

    Args:
        path: of a text table or a `.tsf`, plain or gz, or of a Parquet file.
        chosen: the parts of columns that a person names.

    Raises:
        UserError: it cannot be read.
    """
    if is_parquet(path):
        return drop_columns(_read_parquet(path))
    if path.name.lower().removesuffix(".gz").endswith(".tsf"):
        return read_tsf(path)
    table = read_rows(path, ragged=True)
    if not table.rows:
        raise UserError(f"{path} has no cells: expected a table of series")
    if has_series_in_rows(table.rows, chosen.target):
        return read_series_in_rows(path, table)
    return make_frame(path, table)


def read_file(path: Path, chosen: Chosen) -> Parts:
    """Read the series of a file.

    Raises:
        UserError: it cannot be read, or holds something else.
    """
    loaded = load_file(path, chosen)
    return loaded if isinstance(loaded, Parts) else read_columns(loaded, chosen)


def _read_parquet(path: Path) -> Frame:
    """Read a Parquet file, each cell as it would be written in a text.

    Raises:
        UserError: as `open_parquet`, or a column holds lists.
    """
    table = open_parquet(path)
    import pyarrow

    columns = []
    for name, column in zip(table.column_names, table.columns):
        try:
            if pyarrow.types.is_timestamp(column.type):
                # What has a time zone is in UTC.
                column = column.cast(pyarrow.timestamp("s"))
            cells = column.cast(pyarrow.string()).to_pylist()
        except pyarrow.ArrowException as error:
            raise UserError(
                f"{path}: the column {name} holds {column.type}, but a number, a text or a time in "
                "whole seconds is needed in each row"
            ) from error
        columns.append([cell or "" for cell in cells])
    # There are no lines: rows are counted from 1 on.
    lines = np.arange(table.num_rows) + 1
    return Frame(whole_table(path), list(table.column_names), lines, columns)

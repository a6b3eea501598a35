"""Reads the dates and times of a column of a table."""

import re
from collections.abc import Sequence

import numpy as np

from zoo.errors import UserError

_ISO = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?)?")


def read_stamps(cells: Sequence[str]) -> np.ndarray | None:
    """Return the times that cells say, datetime64[s]; None if one says none.

    Example:
        >>> read_stamps(["2024-02", "2024-03-01 12:00"]).astype(str).tolist()
        ['2024-02-01T00:00:00', '2024-03-01T12:00:00']
    """
    if not cells or not all(map(_ISO.fullmatch, cells)):
        return None
    try:
        return np.array(cells, "datetime64[s]")
    except ValueError as error:
        raise UserError(f"{error}: expected dates such as 2024-02-29") from error

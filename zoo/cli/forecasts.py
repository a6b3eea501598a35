"""Forecasts as tables: on the screen, and in files that other programs read."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.cli.common import print_table
from zoo.errors import UserError
from zoo.utils.files import write_whole

COLUMNS = ["unique_id", "ds", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]
"""What Nixtla's libraries call the same."""

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_SERIES, _ROWS = 5, 40
"""That are printed at most."""


def forecast_rows(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each step of each forecast.

    Args:
        answers: as `zoo.predict` gives them for series.

    Example:
        >>> answer = {name: [2.0, 3.0] for name in COLUMNS[1:]}
        >>> [row["forecast"] for row in forecast_rows([{"unique_id": "sales", **answer}])]
        [2.0, 3.0]
    """
    columns = _columns(answers[0])[1:] if answers else []
    return [
        {"unique_id": answer["unique_id"], **{key: answer[key][step] for key in columns}}
        for answer in answers
        for step in range(len(answer["ds"]))
    ]


def _columns(answer: dict[str, Any]) -> list[str]:
    """Return the columns of a table, those of intervals where the model has some."""
    return [column for column in COLUMNS if column in answer]


def check_output(path: str, others: Sequence[str] = ()) -> None:
    """Raise UserError for a file whose ending says no format, or whose folder is not there.

    Args:
        path: of the file.
        others: endings of what is no table.
    """
    *first, last = [*_SEPARATORS, *others]
    if Path(path).suffix.lower() not in (*first, last):
        raise UserError(f"--output {path} has another ending than {', '.join(first)} or {last}")
    if not Path(path).parent.is_dir():
        raise UserError(f"--output {path}: there is no folder {Path(path).parent}")


def write_forecasts(path: str, answers: Sequence[dict[str, Any]]) -> None:
    """Write all rows of forecasts.

    Raises:
        UserError: the file cannot be written.
    """
    if Path(path).suffix.lower() not in _SEPARATORS:
        raise UserError(f"--output {path}: forecasts are written as {' or '.join(_SEPARATORS)}")
    text = io.StringIO()
    separator = _SEPARATORS[Path(path).suffix.lower()]
    lines = csv.DictWriter(text, _columns(answers[0]), delimiter=separator, lineterminator="\n")
    lines.writeheader()
    lines.writerows(forecast_rows(answers))
    try:
        write_whole(Path(path), text.getvalue())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def print_forecasts(answers: Sequence[dict[str, Any]], output: str | None) -> None:
    """Print sentences and a table of the first series; of many, how to get all of them.

    Args:
        answers: as `zoo.predict` gives them for series.
        output: the file to which all were written; None for none.
    """
    shown = answers[:_SERIES]
    for answer in shown:
        print(f"{answer['unique_id']}: {answer['text']}")
    steps = len(answers[0]["ds"])
    most = max(_ROWS // len(shown), 1)
    rows = [row for answer in shown for row in _written(answer, most)]
    several = len(answers) > 1
    columns = _columns(answers[0])
    print_table(columns if several else columns[1:], rows)
    parts = []
    if len(shown) < len(answers):
        parts.append(f"{len(shown)} of {len(answers)} series")
    if most < steps:
        parts.append(f"{most} of {steps} steps")
    if parts:
        rest = f"all are in {output}" if output else "--output FILE.csv writes all"
        print(f"{' and '.join(parts)} are shown: {rest}", file=sys.stderr)


def _written(answer: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """Yield the first rows of a forecast, its numbers with as many decimals as say something."""
    # Listings import no numpy.
    from zoo.readers.series_text import decimals_for

    rows = forecast_rows([answer])
    values = answer["forecast"]
    width = max(values) - min(values)
    if "lo-80" in answer:
        width = max(row["hi-80"] - row["lo-80"] for row in rows)
    decimals = decimals_for(width, max(map(abs, values)))
    for row in rows[:most]:
        numbers = {key: f"{row[key]:z.{decimals}f}" for key in _columns(answer)[2:]}
        yield {"unique_id": row["unique_id"], "ds": row["ds"], **numbers}

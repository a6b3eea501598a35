"""Phrases in English and in another language, both written by Babel from one underlying value.

A phrase is a date, a time of day, a date with a time, a duration, a measure, an amount of money, or
a list of one to three countries or languages. Both sides are rendered from the same value with the
patterns and names of the Unicode CLDR, so they translate each other exactly. What is said depends
on the CLDR release inside the installed Babel; for one release everything is deterministic.
"""

import datetime
import math
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache, partial
from typing import Literal, NamedTuple

from babel import Locale
from babel.dates import (
    format_date,
    format_skeleton,
    format_time,
    format_timedelta,
    get_datetime_format,
)
from babel.lists import format_list
from babel.numbers import format_currency, get_currency_name, get_territory_currencies
from babel.units import format_unit

TimeUnit = Literal["year", "month", "week", "day", "hour", "minute", "second"]
ListStyle = Literal["standard", "or"]

SIZES = {"train": 24_000, "validation": 1_000, "test": 2_000}
"""How many phrases each split has."""

MAX_LENGTH = 45
"""Characters of the longer side of a phrase: one context vector has to hold it all."""

_MAX_NAME_LENGTH = 24
_DATE_FORMS = ("long", "full", "yMd", "MMMMd", "yMMMM", "yQQQQ", "medium", "yMMMEd")
_MOMENT_FORMS = ("long", "full", "yMd", "MMMMd")
_FIRST_DAY = datetime.date(1900, 1, 1)
_DAYS = 73_000  # until 2099
_SECONDS: dict[TimeUnit, int] = {
    "year": 31_536_000, "month": 2_592_000, "week": 604_800, "day": 86_400,
    "hour": 3_600, "minute": 60, "second": 1,
}  # fmt: skip
# Of each unit the next smaller one, and how many of them make up the larger.
_SUBUNITS: dict[TimeUnit, tuple[TimeUnit, int]] = {
    "year": ("month", 12), "week": ("day", 7), "day": ("hour", 24),
    "hour": ("minute", 60), "minute": ("second", 60),
}  # fmt: skip
_UNITS = {
    "angle": ("degree",),
    "area": ("acre", "hectare", "square-foot", "square-kilometer", "square-meter", "square-mile"),
    "digital": ("bit", "byte", "kilobyte", "megabyte", "gigabyte", "terabyte"),
    "electric": ("ampere", "ohm", "volt"),
    "energy": ("calorie", "joule", "kilowatt-hour"),
    "frequency": ("hertz", "kilohertz", "megahertz", "gigahertz"),
    "graphics": ("pixel", "megapixel"),
    "length": ("nanometer", "millimeter", "centimeter", "meter", "kilometer", "light-year",
               "inch", "foot", "yard", "mile", "nautical-mile"),
    "light": ("lumen", "lux"),
    "mass": ("milligram", "gram", "kilogram", "tonne", "ounce", "pound"),
    "power": ("watt", "kilowatt", "megawatt", "gigawatt", "horsepower"),
    "pressure": ("pascal", "hectopascal", "bar"),
    "speed": ("kilometer-per-hour", "knot", "meter-per-second", "mile-per-hour"),
    "temperature": ("celsius", "fahrenheit", "kelvin"),
    "volume": ("milliliter", "centiliter", "liter", "cubic-centimeter", "cubic-meter", "cubic-foot",
               "drop", "pinch", "teaspoon", "tablespoon", "fluid-ounce", "cup", "pint", "quart",
               "gallon", "barrel"),
}  # fmt: skip
_NUMBER = re.compile(r"\d+(?:[.,:/ ]+\d+)*")
# Before an i Spanish says "e" for "y", before an o it says "u" for "o"; Babel does not know.
_UNEUPHONIC = re.compile(r" (?:y h?[ií]|o h?[oó])", re.IGNORECASE)

AnyLocale = Locale | str
"""A locale or its name: Babel takes either, the first is quicker."""

Say = Callable[[AnyLocale], str]
"""Says one value in the language that it is given."""

Sample = tuple[Say, list[Say]]
"""A value and, if it is a list, its items."""


class Phrase(NamedTuple):
    """One example: `source` in English and `target` in the other language say the same.

    `names` is what a translator has to have met before, in both languages: "Spain = Espagne" and
    "Oman = Oman" for a list of the two, "# euros = # euros" for an amount of money.
    """

    kind: str
    source: str
    target: str
    names: tuple[str, ...]


def phrases(language: str, sizes: Mapping[str, int] = SIZES) -> dict[str, list[Phrase]]:
    """Return the splits of the data set that translates from English to one language.

    No source and no target occurs twice in all splits together, so the source determines the
    target. Every name in a later split occurs in the first one: what is new is the combination.

    Args:
        language: the language of the targets, such as `"fr"`: any locale that Babel knows.
        sizes: how many phrases each split gets, the one to train on first. `KINDS` says how the
            kinds share them.

    Returns:
        For each split its phrases, kind after kind.

    Raises:
        babel.UnknownLocaleError: if Babel does not know the language.

    Example:
        >>> splits = phrases("fr", {"train": 200, "test": 20})
        >>> len(splits["train"]), len(splits["test"])
        (200, 20)
    """
    first = next(iter(sizes))
    splits: dict[str, list[Phrase]] = {split: [] for split in sizes}
    used: set[tuple[str, str]] = set()
    for kind, (share, sample) in KINDS.items():
        draws = _draws(kind, sample, language)
        known: set[str] = set()
        for split, size in sizes.items():
            wanted = len(splits[split]) + round(share * size)
            while len(splits[split]) < wanted:
                phrase = next(draws)
                texts = {("en", phrase.source), (language, phrase.target)}
                if used & texts or (split != first and not known.issuperset(phrase.names)):
                    continue
                used |= texts
                if split == first:
                    known.update(phrase.names)
                splits[split].append(phrase)
    return splits


def _draws(
    kind: str, sample: Callable[[random.Random, str], Sample], language: str
) -> Iterator[Phrase]:
    """Yield endless random phrases of one kind that are well formed in both languages."""
    rng = random.Random(kind)
    locales = Locale("en"), Locale.parse(language)
    while True:
        say, items = sample(rng, language)
        source, target = (normalise(say(locale)) for locale in locales)
        if max(len(source), len(target)) > MAX_LENGTH:
            continue
        if language == "es" and _UNEUPHONIC.search(target):
            continue
        named = [[normalise(item(locale)) for locale in locales] for item in items]
        names = (" = ".join(both) for both in named or [[source, target]])
        yield Phrase(kind, source, target, tuple(_NUMBER.sub("#", name) for name in names))


def normalise(text: str) -> str:
    """Return text in NFC, with each of the CLDR's special spaces (no-break, narrow) a plain one.

    Example:
        >>> normalise("2,5\\u00a0me\\u0300tres")
        '2,5 mètres'
    """
    return re.sub(r"\s", " ", unicodedata.normalize("NFC", text))


def say_date(day: datetime.date, form: str, locale: AnyLocale) -> str:
    """Return a date as the CLDR writes it.

    Args:
        day: the date.
        form: a length that each language fills in its own way (`"full"`, `"long"`, `"medium"`), or
            the skeleton of the fields to name, such as `"MMMMd"`.
        locale: the language.

    Example:
        >>> day = datetime.date(1999, 1, 5)
        >>> say_date(day, "long", "en"), say_date(day, "MMMMd", "fr")
        ('January 5, 1999', '5 janvier')
    """
    if form in ("full", "long", "medium"):
        return format_date(day, form, locale)
    return format_skeleton(form, day, locale=locale)


def say_moment(moment: datetime.datetime, form: str, locale: AnyLocale) -> str:
    """Return a date in one of the forms of `say_date`, then the time of day to the minute.

    Example:
        >>> say_moment(datetime.datetime(1999, 1, 5, 17, 8), "long", "fr")
        '5 janvier 1999, 17:08'
    """
    pattern = str(get_datetime_format("long", locale)).replace("'", "")
    time = format_time(moment, "short", locale=locale)
    return pattern.replace("{1}", say_date(moment, form, locale)).replace("{0}", time)


def say_distance(count: int, unit: TimeUnit, locale: AnyLocale) -> str:
    """Return how far off a point in time is: `count` units ahead, or ago if negative.

    Example:
        >>> say_distance(3, "week", "fr"), say_distance(-1, "day", "fr")
        ('dans 3 semaines', 'il y a 1 jour')
    """
    seconds = count * _SECONDS[unit]
    return format_timedelta(seconds, unit, math.inf, add_direction=True, locale=locale)


def say_measure(number: Decimal | int, unit: str, locale: AnyLocale) -> str:
    """Return a number of units, such as `"length-meter"`, written out.

    Example:
        >>> say_measure(Decimal("2.5"), "length-meter", "zh")
        '2.5米'
    """
    text = format_unit(number, unit, "long", locale=locale)
    # The CLDR leaves a long form out that equals the short one, and Babel then finds none.
    return text if unit not in text else format_unit(number, unit, "short", locale=locale)


def say_amount(amount: int, currency: str, locale: AnyLocale) -> str:
    """Return an amount of money with the name of its currency.

    Example:
        >>> say_amount(1250, "CHF", "es")
        '1.250 francos suizos'
    """
    return format_currency(
        amount, currency, "#,##0", locale, currency_digits=False, format_type="name"
    )


def say_list(items: Sequence[Say], style: ListStyle, locale: AnyLocale) -> str:
    """Return a list of things in one of Babel's styles (`"standard"`: and, `"or"`).

    Example:
        >>> say_list([partial(say_country, code) for code in ("DE", "ES", "IT")], "or", "fr")
        'Allemagne, Espagne ou Italie'
    """
    return format_list([item(locale) for item in items], style, locale)


def say_country(code: str, locale: AnyLocale) -> str:
    """Return the name of a territory, or an empty text if the language has none."""
    return str(Locale.parse(locale).territories.get(code, ""))


def say_language(code: str, locale: AnyLocale) -> str:
    """Return the name of a language, or an empty text if the language has none."""
    return str(Locale.parse(locale).languages.get(code, ""))


def say_currency(code: str, locale: AnyLocale) -> str:
    """Return the name of a currency for several units, or its code if the language has none."""
    return get_currency_name(code, count=2, locale=locale)


@cache
def countries(language: str) -> list[str]:
    """Return codes of the countries and territories that have a currency and usable names."""
    codes = [code for code in _territories() if len(code) == 2 and _currencies_of(code)]
    return _usable(codes, say_country, language)


@cache
def languages(language: str) -> list[str]:
    """Return codes of the languages that have a code of two letters and usable names."""
    codes = [code for code in map(str, Locale("en").languages) if len(code) == 2]
    return _usable(codes, say_language, language)


@cache
def currencies(language: str) -> list[str]:
    """Return codes of the currencies that are legal tender somewhere and have usable names."""
    codes = {code for territory in _territories() for code in _currencies_of(territory)}
    return _usable(codes, say_currency, language)


def _territories() -> list[str]:
    return [str(code) for code in Locale("en").territories]


def _currencies_of(territory: str) -> list[str]:
    return get_territory_currencies(territory, datetime.date(2024, 1, 1))  # the default is today


def _usable(codes: Iterable[str], say: Callable[[str, AnyLocale], str], language: str) -> list[str]:
    """Return the codes, sorted, whose names are short, plain and unique in both languages."""
    usable = set(codes)
    for locale in ("en", language):
        names = {code: say(code, locale) for code in codes}
        counts = Counter(names.values())
        usable -= {
            code
            for code, name in names.items()
            if name in ("", code)
            or counts[name] > 1
            or len(name) > _MAX_NAME_LENGTH
            or re.search(r"[,()（）]", name)
        }
    return sorted(usable)


def _date(rng: random.Random, language: str) -> Sample:
    day, form = _day(rng), rng.choice(_DATE_FORMS)
    # "May 5, 1999" is the long as well as the medium form: the first that reads so is meant.
    english = Locale("en")
    text = say_date(day, form, english)
    form = next(first for first in _DATE_FORMS if say_date(day, first, english) == text)
    return _whole(partial(say_date, day, form))


def _time(rng: random.Random, language: str) -> Sample:
    time = datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60))
    form = rng.choice(("short", "medium"))
    return _whole(lambda locale: format_time(time, form, locale=locale))


def _moment(rng: random.Random, language: str) -> Sample:
    time = datetime.time(rng.randrange(24), rng.randrange(60))
    moment = datetime.datetime.combine(_day(rng), time)
    return _whole(partial(say_moment, moment, rng.choice(_MOMENT_FORMS)))


def _duration(rng: random.Random, language: str) -> Sample:
    count = rng.randint(1, 99)
    if rng.random() < 0.5:
        count *= rng.choice((1, -1))
        return _whole(partial(say_distance, count, rng.choice(list(_SECONDS))))
    unit = rng.choice(list(_SUBUNITS))
    subunit, most = _SUBUNITS[unit]
    parts = ((count, unit), (rng.randrange(1, most), subunit))
    return _listed([partial(say_measure, n, f"duration-{name}") for n, name in parts])


def _measure(rng: random.Random, language: str) -> Sample:
    number = Decimal(rng.randrange(1, 1_000)) / 10 if rng.random() < 0.2 else _count(rng)
    unit = rng.choice([f"{of}-{name}" for of, names in _UNITS.items() for name in names])
    return _whole(partial(say_measure, number, unit))


def _amount(rng: random.Random, language: str) -> Sample:
    return _whole(partial(say_amount, _count(rng), rng.choice(currencies(language))))


def _names(
    codes: Callable[[str], list[str]],
    say: Callable[[str, AnyLocale], str],
    rng: random.Random,
    language: str,
) -> Sample:
    chosen = rng.sample(codes(language), rng.choice((1, 2, 2, 3, 3)))
    return _listed([partial(say, code) for code in chosen], rng.choice(("standard", "or")))


def _day(rng: random.Random) -> datetime.date:
    return _FIRST_DAY + datetime.timedelta(days=rng.randrange(_DAYS))


def _count(rng: random.Random) -> int:
    """Draw a whole number of one to four digits, short ones more often than they are many."""
    return rng.randrange(1, rng.choice((100, 100, 1_000, 10_000)))


def _whole(say: Say) -> Sample:
    return say, []


def _listed(items: list[Say], style: ListStyle = "standard") -> Sample:
    return partial(say_list, items, style), items


KINDS: dict[str, tuple[float, Callable[[random.Random, str], Sample]]] = {
    "date": (0.20, _date),
    "time": (0.05, _time),
    "date_time": (0.10, _moment),
    "duration": (0.10, _duration),
    "measure": (0.15, _measure),
    "money": (0.15, _amount),
    "country": (0.15, partial(_names, countries, say_country)),
    "language": (0.10, partial(_names, languages, say_language)),
}
"""The kinds of phrases: the share of each split that is of this kind, and what draws one."""

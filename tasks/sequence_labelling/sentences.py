"""English sentences with entities, filled with what Babel writes from the Unicode CLDR.

A sentence is one or two clauses with slots. What stands in a slot is a date, a time, an amount and
so on in one of the ways that the CLDR has for it. Its kind cannot be looked up: a number may be a
year, an hour, an amount, or count what is no entity; "May", "second", "pounds", "Turkish" and
"Jordan" each mean several things; and half of the names in validation and test are in no other
split.
"""

import datetime
import random
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple

import tensorflow as tf
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_name,
    get_territory_currencies,
)
from babel.units import format_unit

from tasks.common.text import split_tokens
from tasks.common.words import word_pattern

SIZES = {"train": 4000, "validation": 500, "test": 1000}
"""How many sentences each split has."""

KINDS = (
    "CURRENCY", "DATE", "DURATION", "LANGUAGE", "MONEY", "PERCENT", "PLACE", "QUANTITY", "TIME",
)  # fmt: skip
"""What an entity may be."""

TAGS = ("O", *[f"{letter}-{kind}" for kind in KINDS for letter in "BI"])
"""The tags of words, in the scheme BIO."""

CLAUSES = (
    "the meeting in {PLACE} starts at {TIME} on {DATE.day}",
    "on {DATE.day} the bridge was closed for {DURATION}",
    "it may rain in {PLACE} on {DATE.day}",
    "they may march to {PLACE} before {DATE.day}",
    "the march through {PLACE} began at {TIME}",
    "in {DATE.month} the company paid {MONEY} for a farm of {QUANTITY.area}",
    "in {DATE.month} there were {number} people in the hall",
    "{number} visitors came to {PLACE} in {DATE.month}",
    "room {number} is open until {TIME}",
    "flight {number} from {PLACE} to {PLACE} takes {DURATION}",
    "flight {number} lands at {TIME}",
    "chapter {number} was translated from {LANGUAGE} into {LANGUAGE}",
    "her second book appeared in {LANGUAGE} and {LANGUAGE}",
    "the second train was late by {DURATION}",
    "a second of silence is worth more than {MONEY}",
    "she speaks {LANGUAGE} with her children and {LANGUAGE} at work",
    "he learned {LANGUAGE} within {DURATION}",
    "the {nation} minister does not speak {LANGUAGE}",
    "the {nation} team flew to {PLACE} on {DATE.day}",
    "{nation} food is loved in {PLACE}",
    "nobody in the village understands {LANGUAGE}",
    "{person} said that {PERCENT} of the village speaks {LANGUAGE}",
    "{person} and {person} met in {PLACE} at {TIME}",
    "{person} left {PLACE} for {PLACE} {DURATION} ago",
    "{person} pays in {CURRENCY}",
    "{person} ran {QUANTITY.length} in {DURATION}",
    "{person} ate turkey in {PLACE}",
    "{person} put the china on the table at {TIME}",
    "the price rose by {PERCENT} to {MONEY} in {DATE.month}",
    "the price fell from {MONEY} to {MONEY} within {DURATION}",
    "a ticket costs {MONEY} and is valid for {DURATION}",
    "one can pay in {CURRENCY} or {CURRENCY} in {PLACE}",
    "the bank changes {CURRENCY} into {CURRENCY} until {TIME}",
    "the debt of {MONEY} is due on {DATE.day}",
    "the parcel of {QUANTITY.mass} to {PLACE} costs {MONEY}",
    "the recipe needs {QUANTITY.mass} of flour and {QUANTITY.volume} of water",
    "take {QUANTITY.mass} of sugar and {number} eggs",
    "the lake near {PLACE} holds {QUANTITY.volume} of water",
    "the wall is {QUANTITY.length} high and {number} years old",
    "the road from {PLACE} to {PLACE} is {QUANTITY.length} long",
    "the shop in {PLACE} closes at {TIME}",
    "call {number} before {TIME}",
    "about {PERCENT} of the {number} answers were written in {LANGUAGE}",
    "page {number} of the report of {DATE.day} says so",
    "{PLACE} and {PLACE} signed the treaty on {DATE.day}",
    "exports from {PLACE} to {PLACE} grew by {PERCENT}",
    "tea from {PLACE} is sold at {MONEY} a pound",
    "the pound lost {PERCENT} against {CURRENCY} in {DATE.month}",
)
"""Clauses: in capital letters entities, in small letters what only looks like one."""

_JOINTS = (", and ", ", but ", "; ", " while ", ", as ")
_NATIONS = ("French", "German", "Turkish", "Greek", "Finnish", "Thai", "Danish", "Polish")
_PERSONS = ("Chad", "Jordan", "Georgia", "April", "June", "May", "Israel", "Malta", "Anna")
_UNITS = {
    "area": ("acre", "hectare", "square-foot", "square-kilometer", "square-meter", "square-mile"),
    "length": ("centimeter", "meter", "kilometer", "inch", "foot", "yard", "mile"),
    "mass": ("gram", "kilogram", "tonne", "ounce", "pound"),
    "volume": ("milliliter", "liter", "cubic-meter", "cup", "pint", "gallon", "tablespoon"),
}
_DATES = {
    "day": ("full", "long", "medium", "short", "MMMMd", "yMMMEd"),
    "month": ("y", "y", "y", "yMMMM", "yMMM", "yQQQQ"),
}
_MONEY = ("USD", "EUR", "GBP", "JPY", "CHF", "INR", "CAD", "BRL", "SEK")
_LOCALES = [Locale("en", region) for region in ("US", "GB", "AU", "CA", "IN")]
_SLOT = re.compile(r"\{(\w+)\.?(\w*)\}")
_FIRST_DAY = datetime.date(1900, 1, 1)
_DAYS = 54_000  # until 2047
_TOGETHER = 1000


class Labelled(NamedTuple):
    """A sentence's words, and the tag of each."""

    words: list[str]
    tags: list[str]


def sentences(sizes: Mapping[str, int] = SIZES, seed: int = 1) -> dict[str, list[Labelled]]:
    """Return the sentences of each split, all different; equal arguments give equal sentences.

    Example:
        >>> made = sentences({"train": 3, "test": 2})
        >>> [len(part) for part in made.values()], set(made["test"][0].tags) <= {*TAGS}
        ([3, 2], True)
    """
    names = {kind: share_out(known, seed) for kind, known in entity_names().items()}
    seen: set[str] = set()
    made = {}
    for number, (split, size) in enumerate(sizes.items()):
        writer = _Writer(split, names, random.Random(f"{seed} {number}"))
        written: list[list[tuple[str, str]]] = []
        while len(written) < size:
            pieces = writer.sentence()
            text = "".join(piece for piece, _ in pieces)
            if text not in seen:
                seen.add(text)
                written.append(pieces)
        made[split] = _labelled(written)
    return made


def entity_names() -> dict[str, list[str]]:
    """Return the English names of countries, languages and currencies that are made of letters."""
    locale = Locale("en")
    codes = [code for code in sorted(locale.territories) if code.isalpha() and code[0] not in "XZ"]
    money = {code for region in codes for code in get_territory_currencies(region)}
    names = {
        "PLACE": [locale.territories[code] for code in codes],
        "LANGUAGE": [name for code, name in locale.languages.items() if len(code) == 2],
        "CURRENCY": [get_currency_name(code, count=2, locale=locale) for code in money],
    }
    plain = re.compile(r"[^\W\d_]+(?:[ .-]+[^\W\d_]+)*")
    return {kind: sorted({n for n in some if plain.fullmatch(n)}) for kind, some in names.items()}


def share_out(names: list[str], seed: int) -> dict[str, list[str]]:
    """Return three fifths of the names for all splits, one for validation, one for the test."""
    names = random.Random(seed).sample(names, len(names))
    one, two = len(names) // 5, 2 * len(names) // 5
    return {"validation": names[:one], "test": names[one:two], "all": names[two:]}


class _Writer:
    """Writes sentences for one split, with names of its own among those of all."""

    def __init__(
        self, split: str, names: dict[str, dict[str, list[str]]], random: random.Random
    ) -> None:
        self.random = random
        self.names = {kind: (parts["all"], parts.get(split, [])) for kind, parts in names.items()}
        self.say: dict[str, Callable[[str], str]] = {
            **{kind: partial(self._name, kind) for kind in names},
            "DATE": self._date,
            "DURATION": self._duration,
            "MONEY": self._money,
            "PERCENT": self._percent,
            "QUANTITY": self._quantity,
            "TIME": self._time,
            "number": self._count,
            "nation": lambda form: self.random.choice(_NATIONS),
            "person": lambda form: self.random.choice(_PERSONS),
        }

    def sentence(self) -> list[tuple[str, str]]:
        """Return pieces of text with the kind of each, or "" for no entity."""
        clauses = self.random.sample(CLAUSES, self.random.choice((1, 1, 2)))
        text, end, pieces = self.random.choice(_JOINTS).join(clauses) + ".", 0, []
        text = text if text.startswith("{") else text[0].upper() + text[1:]
        for slot in _SLOT.finditer(text):
            kind, form = slot.groups()
            pieces.append((text[end : slot.start()], ""))
            pieces.append((self.say[kind](form), kind if kind in KINDS else ""))
            end = slot.end()
        return [*pieces, (text[end:], "")]

    def _name(self, kind: str, form: str) -> str:
        """Return a name that all splits have or, as often, one that only this split has."""
        shared, own = self.names[kind]
        return self.random.choice(own if own and self.random.random() < 0.5 else shared)

    def _locale(self) -> Locale:
        return self.random.choice(_LOCALES)

    def _number(self) -> int:
        """Draw a number from 1 on, smaller ones more often."""
        return max(1, int(10 ** self.random.uniform(0, 4)))

    def _count(self, form: str) -> str:
        if self.random.random() < 0.4:
            return str(self.random.randrange(1900, 2048))
        return format_decimal(self._number(), locale=self._locale())

    def _date(self, form: str) -> str:
        day = _FIRST_DAY + datetime.timedelta(self.random.randrange(_DAYS))
        chosen = self.random.choice(_DATES[form])
        if chosen in ("full", "long", "medium", "short"):
            return format_date(day, chosen, self._locale())
        return format_skeleton(chosen, day, locale=self._locale())

    def _time(self, form: str) -> str:
        minute = self.random.randrange(0, 1440, self.random.choice((1, 5, 15, 60)))
        chosen = self.random.choice(("short", "short", "medium"))
        return format_time(datetime.time(*divmod(minute, 60)), chosen, locale=self._locale())

    def _duration(self, form: str) -> str:
        length = datetime.timedelta(seconds=10 ** self.random.uniform(0.5, 9))
        return format_timedelta(length, threshold=1.5, locale=self._locale())

    def _percent(self, form: str) -> str:
        return format_percent(self._number() / 1000, locale=self._locale())

    def _money(self, form: str) -> str:
        code, amount, locale = self.random.choice(_MONEY), self._number(), self._locale()
        if self.random.random() < 0.3:
            return format_compact_currency(amount * 1000, code, locale=locale)
        forms: tuple[Literal["standard", "name"], ...] = ("standard", "name")
        return format_currency(amount, code, locale=locale, format_type=self.random.choice(forms))

    def _quantity(self, form: str) -> str:
        lengths: tuple[Literal["long", "short"], ...] = ("long", "long", "short")
        unit, length = f"{form}-{self.random.choice(_UNITS[form])}", self.random.choice(lengths)
        return format_unit(self._number(), unit, length, locale=self._locale())


def _labelled(written: list[list[tuple[str, str]]]) -> list[Labelled]:
    """Return pieces of text cut into words, as those of a user's text are."""
    rows = []
    for start in range(0, len(written), _TOGETHER):
        some = written[start : start + _TOGETHER]
        flat = [" ".join(piece.split()) for pieces in some for piece, _ in pieces]
        cut = iter(split_tokens(tf.constant(flat), word_pattern("signs", rule=1)).to_list())
        for pieces in some:
            row = Labelled([], [])
            for (_, kind), words in zip(pieces, cut):
                row.words.extend(word.decode() for word in words)
                begin = [f"B-{kind}"] + [f"I-{kind}"] * (len(words) - 1) if kind else []
                row.tags.extend(begin or ["O"] * len(words))
            rows.append(row)
    return rows

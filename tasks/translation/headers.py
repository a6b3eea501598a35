"""Recognises a first row that names the columns of a table of pairs."""

import re
from collections.abc import Sequence
from functools import cache

from babel import Locale
from babel.core import get_global

SOURCE = ("source", "src", "original", "input")
TARGET = ("target", "tgt", "trg", "translation", "output")
"""What the columns of a table may be called."""

_SOURCES = (
    *SOURCE, "from", "orig", "quelle", "quelltext", "originaltext", "ausgangstext",
    "origine", "origen", "fuente", "origem", "fonte", "bron", "brontekst",
    "źródło", "oryginał", "источник", "оригинал", "kaynak", "källa", "kilde", "lähde",
    "原文", "源", "源语言", "源文", "원문", "المصدر",
)  # fmt: skip
_TARGETS = (
    *TARGET, "to", "translated", "ziel", "zieltext", "übersetzung", "uebersetzung", "cible",
    "traduction", "destino", "objetivo", "traducción", "traduccion", "tradução", "traducao",
    "destinazione", "traduzione", "doel", "doeltekst", "vertaling", "cel", "tłumaczenie",
    "przekład", "цель", "перевод", "hedef", "çeviri", "mål", "översättning", "oversættelse",
    "kohde", "käännös", "译文", "目标", "目标语言", "訳文", "翻訳", "翻译", "번역", "الترجمة",
)  # fmt: skip
_BESIDE = {"text", "texts", "sentence", "sentences", "language", "lang", "phrase", "segment"}
"""Words that a name may have beside the one that says which column it is."""

_LOCALES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "cs", "tr", "sv", "da",
            "nb", "fi", "hu", "el", "zh", "ja", "ko", "ar", "hi", "vi", "id")  # fmt: skip
"""The languages whose names of languages are known."""


def column_role(name: str) -> str:
    """Return what a column is by its name: "source", "target", a language's code, or "".

    A code may have a region or a script. Languages are known by the codes of ISO 639, and by their
    names in some large languages.

    Example:
        >>> [column_role(name) for name in ("Quelle", "target_text", "eng", "pt-BR", "Hund")]
        ['source', 'target', 'en', 'pt-br', '']
        >>> column_role("Deutsch"), column_role("English sentence"), column_role("英語")
        ('de', 'en', 'en')
    """
    name = name.strip().casefold()
    if name in _roles():
        return _roles()[name]
    words = re.findall(r"[^\W_]+", name)
    telling = [word for word in words if word not in _BESIDE]
    if len(telling) == 1 and (len(words) > 1 or telling[0] != name):
        return _roles().get(telling[0], "")
    regional = re.fullmatch(r"([a-z]{2,3})[-_]([a-z]{2}|[a-z]{4}|\d{3})", name)
    language = _roles().get(regional[1]) if regional else None
    return f"{language}-{regional[2]}" if regional and language else ""


def is_header(cells: Sequence[str]) -> bool:
    """Return whether a row names columns: a source and a target, or two languages.

    A pair of words that mean one language, or are both a word for a source, is no header: it is
    what a dictionary has. So has it short words that are codes, too: these must be of one length.

    Example:
        >>> is_header(["Quelle", "Ziel"]), is_header(["eng", "deu"]), is_header(["id", "en", "fr"])
        (True, True, True)
        >>> is_header(["German", "Deutsch"]), is_header(["source", "Quelle"])
        (False, False)
        >>> is_header(["is", "est"]), is_header(["a cat", "eine Katze"])
        (False, False)
    """
    roles = [(column_role(cell), len(cell.strip())) for cell in cells]
    names = {role for role, _ in roles}
    languages = {role: size for role, size in roles if role not in ("", "source", "target")}
    short = {size for size in languages.values() if size <= _LONGEST_CODE}
    mixed = short and len({*languages.values()}) > 1
    return {"source", "target"} <= names or (len(languages) > 1 and not mixed)


_LONGEST_CODE = 3


@cache
def _roles() -> dict[str, str]:
    """Return the role of each name that is known, in small letters."""
    roles = {
        alias: code for alias, code in get_global("language_aliases").items() if "_" not in code
    }
    for language in _LOCALES:
        for code, name in Locale(language).languages.items():
            if code.isalpha():
                roles.setdefault(name.casefold(), code)
                roles[code] = code
    roles |= dict.fromkeys(map(str.casefold, _TARGETS), "target")
    return {**roles, **dict.fromkeys(map(str.casefold, _SOURCES), "source")}

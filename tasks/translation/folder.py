"""Reads pairs of texts from a person's own folder, in TFDS' TranslateFolder form."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tasks.common.splits import name_without_split, split_named
from zoo.errors import UserError
from zoo.readers.text import read_text_file

_LANGUAGE = r"(?!(?:txt|tsv|tab|csv|json|jsonl|ndjson|parquet|pq|md|log)\b)[A-Za-z][\w-]*"
_NAMES = [
    re.compile(rf"(?P<language>{_LANGUAGE})\.(?P<part>[^.]+)\.txt(?:\.gz)?", re.IGNORECASE),
    re.compile(rf"(?P<part>[^.]+)\.(?P<language>{_LANGUAGE})(?:\.gz)?", re.IGNORECASE),
]


class Folder:
    """Texts in two languages or more, a file for each language and split, plain or gz.

    A file is named as `de.train.txt` or as `train.de`, by any name of the split, see
    `tasks.common.splits`. Of several for one split, such as the tests of Multi30k, the first of
    the alphabet is taken, and others are named. A line of one file is the translation of the same
    line of the other.

    Args:
        path: the folder.

    Raises:
        UserError: there is no such folder, or it has no texts to train on.

    Source: the class TranslateFolder of tensorflow-datasets.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise UserError(f"there is no folder {path}")
        self.path = path
        self._files: dict[str, dict[str, Path]] = defaultdict(dict)
        rests: dict[Path, str] = {}
        for file in sorted(path.iterdir()):
            if not (named := _named(file)):
                continue
            language, part, split = named
            rest = name_without_split(part)
            first = self._files[split].setdefault(language, file)
            if rests.setdefault(first, rest) != rest:
                print(f"{path}: left out {file.name}, as {first.name} is there", file=sys.stderr)
            elif first != file:
                both = f"{first.name} and {file.name}"
                raise UserError(f"{path} has {both}, of one language and split: keep one of them")
        if not self._files["train"]:
            raise UserError(
                f"{path} has no texts to train on: expected files such as de.train.txt and "
                "en.train.txt; or give the path of one .tsv file"
            )

    @property
    def languages(self) -> list[str]:
        """Return the languages of the texts to train on, in the order of the alphabet."""
        return sorted(self._files["train"])

    def read(self, source: str, target: str) -> dict[str, list[tuple[str, str]]]:
        """Return the pairs of each split that has files.

        Lines that are blank in either language are skipped, and counted.

        Raises:
            UserError: a file is not there or cannot be read, or has not as many lines as the
                other.
        """
        return {
            split: self._whole(split, source, target)
            for split, files in self._files.items()
            if files
        }

    def _whole(self, split: str, source: str, target: str) -> list[tuple[str, str]]:
        files = [self._file(split, language) for language in (source, target)]
        sides = [_lines(file) for file in files]
        counts = [len(side) for side in sides]
        shorter = counts.index(min(counts))
        # Blank lines at the end of only one file shift nothing.
        if any(line.strip() for line in sides[1 - shorter][counts[shorter] :]):
            raise UserError(
                f"{files[0]} has {counts[0]:,} lines and {files[1]} has {counts[1]:,}: each line "
                f"of one must translate the same line of the other, but line "
                f"{min(counts) + 1:,} is missing in {files[shorter].name}"
            )
        pairs = [(a.strip(), b.strip()) for a, b in zip(*sides)]
        blank = [number for number, pair in enumerate(pairs, start=1) if not all(pair)]
        if blank:
            print(
                f"{files[0]} and {files[1].name}: skipped {len(blank):,} lines that are blank in "
                f"one or both, the first is line {blank[0]:,}",
                file=sys.stderr,
            )
        pairs = [pair for pair in pairs if all(pair)]
        if not pairs:
            raise UserError(f"{files[0]} and {files[1].name} have no pair of lines")
        return pairs

    def _file(self, split: str, language: str) -> Path:
        files = self._files[split]
        if language not in files:
            there = " and ".join(file.name for file in files.values())
            raise UserError(f"{self.path} has {there}, but no {split} file of {language}")
        return files[language]


def has_languages(path: Path) -> bool:
    """Return whether a folder has a file that is named after a language and a split."""
    return any(map(_named, path.iterdir()))


def _named(file: Path) -> tuple[str, str, str] | None:
    """Return the language that a file's name speaks of, its part, and the split that this says."""
    match = next((m for name in _NAMES if (m := name.fullmatch(file.name))), None)
    split = split_named(match["part"]) if match else None
    return (match["language"], match["part"], split) if match and split else None


def choose(known: Iterable[str], source: str, target: str, owner: str) -> tuple[str, str]:
    """Return the languages to translate from and to.

    Args:
        known: those that there are.
        source: one of them; empty for the one that is not the target or, of two, the one that
            comes first in the alphabet.
        target: likewise.
        owner: what has them, for errors.

    Raises:
        UserError: one is not there, both are the same, or there are several to choose from.

    Example:
        >>> choose(["de", "en"], "", "", "the folder"), choose(["de", "en"], "en", "", "the folder")
        (('de', 'en'), ('en', 'de'))
    """
    known = sorted(known)
    listed = f"{', '.join(known[:-1])} and {known[-1]}" if len(known) > 1 else "".join(known)
    for name, value in (("source", source), ("target", target)):
        if value and value not in known:
            raise UserError(f"{name} is {value!r}, but {owner} has {listed}")
    left = [language for language in known if language not in (source, target)]
    if source == target != "" or len(known) < 2:
        raise UserError(f"{owner} has {listed}: two languages are needed, source and target")
    if (source and target) or len(known) == 2:
        source = source or left.pop(0)
        return source, target or left.pop(0)
    raise UserError(
        f"{owner} has {listed}: choose two, such as source={known[0]} target={known[1]}"
    )


def _lines(file: Path) -> list[str]:
    """Return the lines of a file: a line break at its end begins none."""
    return read_text_file(file).removesuffix("\n").split("\n")

"""Where text comes from: a data set by name, or a person's own files."""

import re
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from tasks.common.class_folders import files_in
from tasks.common.data import iterate_split
from tasks.common.sources import own_path
from tasks.common.splits import (
    RULE,
    SPLITS,
    assign,
    file_keys,
    name_without_split,
    side,
    split_named,
    tell_rule,
)
from tasks.common.tables import hub_folder
from tasks.common.words import NEWEST
from tasks.language_modelling.corpus import Corpus
from tasks.language_modelling.json_texts import holds_texts, read_texts
from zoo.errors import UserError
from zoo.readers.shards import first_shards, unsharded_name
from zoo.readers.text import read_head, read_pieces

BUNDLED = "python_docs"

Piece = tuple[str, bool]
"""Some text of a document, and whether it is the document's beginning."""


class Unit(NamedTuple):
    """Some text that is for one split.

    Attributes:
        key: what it is told apart by from others.
        text: of it, or of a part of it.
        starts: whether a document begins with it.
    """

    key: str
    text: str
    starts: bool


BEGINNING = 12_000_000
"""Characters that say how often each token is: of a longer text no more, as counting takes time."""

_SMALLEST, _LARGEST, _GROWTH = 64, 1 << 14, 16
# As in WikiText: alone between blank lines, with one sign on each side.
_HEADING = re.compile(r"^ = (?!= ).+(?<! =) = \n(?= ?\n)", re.MULTILINE)


class Source:
    """The text of a data set, split by split.

    Args:
        dataset: a tensorflow-datasets name; or the path of a text file or of a folder, see
            `find_files` for the splits of those.
        data_dir: folder of prepared data sets.
        unit: what its tokens are.
        rule: see `tasks.common.splits.tell_rule`.
        cut_by: the rule that words are cut by, see `tasks.common.words.word_pattern`.

    Raises:
        UserError: the file or folder is not there, or has no text; `pieces` and `corpus` raise it
            if the text or the data set cannot be read.
    """

    def __init__(
        self,
        dataset: str,
        data_dir: str | None,
        unit: str,
        rule: str = RULE,
        cut_by: int = NEWEST,
    ) -> None:
        self.dataset, self.data_dir, self.unit, self.rule = dataset, data_dir, unit, rule
        self.cut_by = cut_by
        path = own_path(dataset, BUNDLED)
        self._files = find_files(path) if path else None
        self._root = path.parent if path and path.is_file() else path
        self._sides: dict[str, str] = {}
        self._corpora: dict[str, Corpus] = {}

    def corpus(self, split: str) -> Corpus:
        """Return the corpus of a split, encoded once."""
        if split not in self._corpora:
            title = f"reading {Path(self.dataset).name}, {split}"
            self._corpora[split] = Corpus(self.pieces(split), self.unit, title, self.cut_by)
        return self._corpora[split]

    def beginning(self) -> Corpus:
        """Return the first `BEGINNING` characters of the training text, as a corpus."""
        title = f"counting in {Path(self.dataset).name}"
        return Corpus(_first(self.pieces("train"), BEGINNING), self.unit, title, self.cut_by)

    def pieces(self, split: str) -> Iterator[Piece]:
        """Yield the text of a split."""
        if self._files is None:
            for example in iterate_split(self.dataset, split, self.data_dir, ("text",)):
                yield example["text"].decode(), True
        elif split in self._files and (split != "train" or len(self._files) == len(SPLITS)):
            yield from read_documents(self._files[split])
        else:
            yield from self._taken(split)

    def _taken(self, split: str) -> Iterator[Piece]:
        """Yield the part of the training text that is for a split, as others have no files."""
        if not self._sides:
            self._sides = self._assigned()
        before = ""
        for unit in self._units():
            now = self._sides[unit.key]
            if now == split:
                yield unit.text, unit.starts or before != split
            before = now

    def _units(self) -> Iterator[Unit]:
        assert self._files and self._root
        for file in self._files["train"]:
            yield from read_units(file, file.relative_to(self._root).as_posix())

    def _assigned(self) -> dict[str, str]:
        """Return the split of each unit of the training text, and say how many each has."""
        lacking = [split for split in SPLITS if split not in (self._files or {})]
        keys = list(dict.fromkeys(unit.key for unit in self._units()))
        if len(keys) <= len(lacking):
            raise UserError(
                f"{self.dataset} is too short to take {' and '.join(lacking)} from it, as there "
                f"is no file for them: some {_SMALLEST * 4} characters are needed"
            )
        sides = dict(zip(keys, assign(keys, lacking)))
        counts = [[*sides.values()].count(split) for split in ("train", *lacking)]
        listed = ", ".join(f"{n} for {split}" for n, split in zip(counts, ("train", *lacking)))
        print(
            f"{self.dataset}: its text was cut into {len(keys)} parts, a document or some lines "
            f"each, and split by a hash of each, {listed}",
            file=sys.stderr,
        )
        tell_rule(self.rule, self.dataset)
        return sides


def _first(pieces: Iterator[Piece], count: int) -> Iterator[Piece]:
    """Yield pieces until there are so many characters."""
    for text, starts in pieces:
        yield text, starts
        count -= len(text)
        if count <= 0:
            return


def find_files(path: Path) -> dict[str, list[Path]]:
    """Return the text files of each split.

    - A file whose name says that it is the training part, such as `train.txt`, `ptb.train.txt` or
      `wiki.train.tokens.gz`: those beside it that are called like it but for the split, see
      `tasks.common.splits`, are the other splits.
    - A folder with one such file: the same. The parts may also be folders, `train/` and so on.
    - Any other folder: every text file in it and below, but for hidden and binary ones, is a
      document that goes whole to one of the splits, by a hash of its path; equal ones to one.
    - Any other file: all of it is `train`.

    Of a table in shards it is the first of them, and of a folder of the Hugging Face hub it is
    looked for where `tasks.common.tables.hub_folder` says.

    What is not found is left out: a tenth of the training text takes its place, see `read_units`.

    Raises:
        UserError: there is no such file, several are for training, or the folder has no text.
    """
    if not path.is_dir():
        parts = _beside(path)
    else:
        path = hub_folder(path)
        children = first_shards(sorted(path.iterdir()))
        trios = [parts for child in children if len(parts := _beside(child)) > 1]
        if len(trios) > 1:
            names = " and ".join(parts["train"].name for parts in trios[:2])
            raise UserError(f"{path} has the training parts {names}: give one of them")
        if not trios:
            return _assigned(_text_files(path), path)
        parts = trios[0]
    return {split: _text_files(at) if at.is_dir() else [at] for split, at in parts.items()}


def _beside(train: Path) -> dict[str, Path]:
    """Return a training part, if its name says so, and the parts beside it, by split."""
    parts = {"train": train}
    if _split(train) == "train":
        for path in first_shards(sorted(train.parent.iterdir())):
            if _name(path) == _name(train):
                parts.setdefault(_split(path) or "train", path)
    return parts


def _split(path: Path) -> str | None:
    try:
        return split_named(path.name)
    except UserError:
        # The texts of a folder may be called anything.
        return None


def _name(path: Path) -> str:
    return name_without_split(unsharded_name(path)).removesuffix(".gz")


def _assigned(files: list[Path], folder: Path) -> dict[str, list[Path]]:
    """Return each file for a split, whichever there are."""
    parts: dict[str, list[Path]] = {}
    names = [file.relative_to(folder).as_posix() for file in files]
    for file, key in zip(files, file_keys(files, names, folder)):
        parts.setdefault(side(key), []).append(file)
    if "train" not in parts:
        parts = {"train": files}
    listed = ", ".join(f"{len(parts.get(split, ()))} for {split}" for split in SPLITS)
    print(f"{folder}: {len(files)} files, each a document, {listed}", file=sys.stderr)
    return parts


def _text_files(folder: Path) -> list[Path]:
    """Return the text files in a folder and below that are not blank, in the order of the paths."""
    heads = {path: read_head(path) for path in first_shards(files_in(folder))}
    binary = {path for path, head in heads.items() if b"\0" in head and not holds_texts(path)}
    files = [path for path, head in heads.items() if path not in binary and head.strip()]
    if binary:
        print(f"{folder}: left out {len(binary)} binary files", file=sys.stderr)
    if not files:
        raise UserError(f"{folder} has no text files: expected some, or the name of a data set")
    return files


def read_documents(files: Iterable[Path]) -> Iterator[Piece]:
    """Yield the text of files; each starts a document, and so does each WikiText heading in one.

    Of a file of JSON lines or of Parquet, each `text` is a document, see `read_texts`.

    Raises:
        UserError: a file is empty or cannot be read.
    """
    for file in files:
        if holds_texts(file):
            yield from ((text, True) for text in read_texts(file))
        else:
            yield from split_at_headings(read_pieces(file))


def split_at_headings(pieces: Iterable[str]) -> Iterator[Piece]:
    """Yield text with a document from each line ` = Title = ` on that stands between blank lines.

    Blank lines before the first heading belong to its document.

    Example:
        >>> list(split_at_headings([" = A = \\n \\n = = B = = \\n", " \\n = C = \\n", " \\n d"]))
        [(' = A = \\n \\n', True), (' = = B = = \\n \\n', False), (' = C = \\n \\n d', True)]
    """
    starts, blank, held = True, True, ""
    for piece in chain(pieces, [""]):
        text = held + piece
        # What may be a heading waits for the line after it.
        line = text.rfind("\n", 0, -1) + 1
        waits = piece and text.endswith("\n") and text.startswith(" = ", line)
        text, held = (text[:line], text[line:]) if waits else (text, "")
        headings = {match.start() for match in _HEADING.finditer(text)}
        for begin, end in pairwise(sorted({0, *headings, len(text)})):
            part = text[begin:end]
            starts = starts or (begin in headings and not blank)
            yield part, starts
            blank = part.isspace() and (blank or starts)
            starts = False


def read_units(file: Path, name: str) -> Iterator[Unit]:
    """Yield a file's text in units that are each for one split.

    Of JSON lines and of Parquet each text is one; equal ones have one key.
    A document with a heading is one unit, by its title. What has none is cut into blocks, by their
    numbers: each grows with what stands before it, from some lines to some 16,000 characters, and
    ends with a line, or else a word. So short texts have several, those of long ones hold on, and
    none changes when text is added at the end.

    Args:
        file: of text.
        name: what it is told apart by from others.

    Raises:
        UserError: it is empty or cannot be read.
    """
    if holds_texts(file):
        for text in read_texts(file):
            yield Unit(f"{name}\0{blake2b(text.encode()).hexdigest()}", text, True)
        return
    for _, pieces in groupby(_numbered(read_documents([file])), key=itemgetter(0)):
        texts, head = (text for _, text in pieces), ""
        for text in texts:
            head += text
            if not head.isspace():
                break
        heading = _HEADING.search(head)
        titled = heading and not head[: heading.start()].strip()
        whole = chain([head], texts)
        for number, text in enumerate(whole if titled else cut_blocks(whole)):
            key = f"{name}\n{heading[0].strip()}" if heading and titled else f"{name}\0{number}"
            yield Unit(key, text, number == 0)


def _numbered(pieces: Iterable[Piece]) -> Iterator[tuple[int, str]]:
    """Yield each piece after the number of its document."""
    number = 0
    for text, starts in pieces:
        number += starts
        yield number, text


def cut_blocks(pieces: Iterable[str]) -> Iterator[str]:
    """Yield a text in blocks, see `read_units`.

    Example:
        >>> [len(block) for block in cut_blocks(["a line of text\\n" * 20, "end"])]
        [75, 75, 75, 75, 3]
    """
    held, place = "", 0
    for piece in chain(pieces, [None]):
        held += piece or ""
        size = min(max(place // _GROWTH, _SMALLEST), _LARGEST)
        while len(held) >= 2 * size or (piece is None and held):
            end = _end(held, size)
            yield held[:end]
            held, place = held[end:], place + end
            size = min(max(place // _GROWTH, _SMALLEST), _LARGEST)


def _end(text: str, size: int) -> int:
    """Return where a block of about a size ends: with the first line from there on, or a word."""
    for sign in "\n ":
        place = text.find(sign, size - 1, 2 * size)
        if place >= 0 and (sign == "\n" or len(text) >= 2 * size):
            return place + 1
    return 2 * size

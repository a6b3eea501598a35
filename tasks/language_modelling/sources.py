"""Where text comes from: a data set by name, or a person's own files."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from pathlib import Path

from tasks.common.data import iterate_split
from tasks.language_modelling.corpus import Corpus
from tasks.language_modelling.dataset import SHARES, assign_splits
from zoo.errors import UserError
from zoo.readers.text import TEXT_FILES, read_head, read_pieces

BUNDLED = "python_docs"

Piece = tuple[str, bool]
"""Some text of a document, and whether it is the document's beginning."""

_TRAIN = re.compile(r"(?<![a-z])train(ing)?(?![a-z])")
_OTHERS = {"validation": ("valid", "validation", "dev", "val"), "test": ("test",)}
# As in WikiText: alone between blank lines, with one sign on each side.
_HEADING = re.compile(r"^ = (?!= ).+(?<! =) = \n(?= ?\n)", re.MULTILINE)


class Source:
    """The text of a data set, split by split.

    Args:
        dataset: a tensorflow-datasets name; or the path of a text file or of a folder, see
            `find_files` for the splits of those.
        data_dir: folder of prepared data sets.
        unit: what its tokens are.

    Raises:
        UserError: the file or folder is not there, or has no text; `pieces` and `corpus` raise it
            if the text or the data set cannot be read.
    """

    def __init__(self, dataset: str, data_dir: str | None, unit: str) -> None:
        self.dataset, self.data_dir, self.unit = dataset, data_dir, unit
        path = Path(os.path.expanduser(dataset))
        meant = path.exists() or path.is_absolute() or path.suffix in {*TEXT_FILES, ".gz"}
        self._files = find_files(path) if meant and dataset != BUNDLED else None
        self._corpora: dict[str, Corpus] = {}

    def corpus(self, split: str) -> Corpus:
        """A split, encoded once."""
        if split not in self._corpora:
            title = f"reading {Path(self.dataset).name}, {split}"
            self._corpora[split] = Corpus(self.pieces(split), self.unit, title)
        return self._corpora[split]

    def pieces(self, split: str) -> Iterator[Piece]:
        """The text of a split."""
        if self._files is None:
            for example in iterate_split(self.dataset, split, self.data_dir, ("text",)):
                yield example["text"].decode(), True
        elif split in self._files and (split != "train" or len(self._files) == len(SHARES)):
            yield from read_documents(self._files[split])
        else:
            yield from self._cut(split)

    def _cut(self, split: str) -> Iterator[Piece]:
        """The part of the training text that is for a split, as others have no files."""
        assert self._files
        files = self._files["train"]
        cuts = ["train", *[other for other in SHARES if other not in self._files]]
        total = sum(len(text) for text, _ in read_documents(files))
        # Twentieths: 0 to 18, to 19, to 20 if both others are missing.
        edges = [0, *[total * (20 - left) // 20 for left in range(len(cuts) - 1, -1, -1)]]
        place = cuts.index(split)
        return cut_pieces(read_documents(files), edges[place], edges[place + 1])


def find_files(path: Path) -> dict[str, list[Path]]:
    """The text files of each split.

    - A file whose name says that it is the training part, such as `train.txt`, `ptb.train.txt` or
      `wiki.train.tokens.gz`: those for validation (`valid`, `validation`, `dev` or `val` in the
      place of `train`) and for the test (`test`) beside it are the other splits.
    - A folder with one such file: the same. The parts may also be folders, `train/` and so on.
    - Any other folder: every text file in it and below, but for hidden and binary ones, goes whole
      to one of the splits, by their sizes in the order of their paths.
    - Any other file, and a folder of too few files for all splits: all of it is `train`.

    What is not found is left out: 5% of the training text, from its end, take its place each.

    Raises:
        UserError: there is no such file, several are for training, or the folder has no text.
    """
    if not path.is_dir():
        parts = _beside(path)
    else:
        trios = [parts for child in sorted(path.iterdir()) if len(parts := _beside(child)) > 1]
        if len(trios) > 1:
            names = " and ".join(parts["train"].name for parts in trios[:2])
            raise UserError(f"{path} has the training parts {names}: give one of them")
        if not trios:
            return _assigned(_text_files(path))
        parts = trios[0]
    return {split: _text_files(at) if at.is_dir() else [at] for split, at in parts.items()}


def _beside(train: Path) -> dict[str, Path]:
    """A training part, if its name says so, and the parts beside it, by split."""
    parts = {"train": train}
    if match := _TRAIN.search(train.name):
        before, after = train.name[: match.start()], train.name[match.end() :].removesuffix(".gz")
        for split, words in _OTHERS.items():
            names = [before + word + after + end for word in words for end in ("", ".gz")]
            found = [train.with_name(name) for name in names if train.with_name(name).exists()]
            if found:
                parts[split] = found[0]
    return parts


def _assigned(files: list[Path]) -> dict[str, list[Path]]:
    names = assign_splits([file.stat().st_size for file in files])
    if set(names) != set(SHARES):
        return {"train": files}
    return {split: [file for file, name in zip(files, names) if name == split] for split in SHARES}


def _text_files(folder: Path) -> list[Path]:
    """All that is text in a folder and below, in the order of the paths; blank files are not."""
    inside = (path.relative_to(folder) for path in sorted(folder.rglob("*")))
    shown = [folder / path for path in inside if not any(p.startswith(".") for p in path.parts)]
    heads = {path: read_head(path) for path in shown if path.is_file()}
    binary = {path for path, head in heads.items() if b"\0" in head}
    files = [path for path, head in heads.items() if path not in binary and head.strip()]
    if binary:
        print(f"{folder}: left out {len(binary)} binary files", file=sys.stderr)
    if not files:
        raise UserError(f"{folder} has no text files: expected some, or the name of a data set")
    return files


def read_documents(files: Iterable[Path]) -> Iterator[Piece]:
    """The text of files; each starts a document, and so does each WikiText heading in one.

    Raises:
        UserError: a file is empty or cannot be read.
    """
    for file in files:
        yield from split_at_headings(read_pieces(file))


def split_at_headings(pieces: Iterable[str]) -> Iterator[Piece]:
    """Text with a document from each line ` = Title = ` on that stands between blank lines.

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


def cut_pieces(pieces: Iterable[Piece], begin: int, end: int) -> Iterator[Piece]:
    """What stands between two places, counted in characters; its beginning starts a document.

    Example:
        >>> list(cut_pieces([("abcd", True), ("efgh", False), ("ijkl", True)], 2, 10))
        [('cd', True), ('efgh', False), ('ij', True)]
    """
    at, first = 0, True
    for text, starts in pieces:
        if at >= end:
            break
        if part := text[max(begin - at, 0) : end - at]:
            yield part, starts or first
            first = False
        at += len(text)

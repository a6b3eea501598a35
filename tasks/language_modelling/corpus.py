"""A split's tokens, read once and kept on disk, so that text of any length takes no memory."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tasks.common.words import NEWEST, START, UNKNOWN, cut, normal
from tasks.language_modelling.text import are_composed, pattern_of
from zoo.errors import UserError

_BLOCK = 1 << 18
_PATIENCE = 2.0
_CODE_POINTS = 0x110000


class Corpus:
    """The tokens of a text, each as a number that says nothing yet of a vocabulary.

    One pass reads the text and writes the numbers, 4 bytes a token, to a file without a name,
    which is gone when nobody reads it any more. A vocabulary is chosen afterwards, from `counts`,
    and `text` gives its ids.

    Args:
        pieces: the text in pieces that hold whole tokens, each with whether a document starts.
        unit: "character", "word" or "token".
        title: what the progress bar names, which shows after two seconds.
        rule: which one words are cut by, see `tasks.common.words.word_pattern`.

    Raises:
        UserError: there is no room for the file.

    Example:
        >>> corpus = Corpus([("a b a", True), ("b a", True)], unit="word")
        >>> corpus.counts()
        {'a': 3, 'b': 2}
        >>> corpus.text(["a"]).read(0, begin=0, end=3)[:2]
        (array([2, 4, 1], dtype=int32), array([4, 1, 4], dtype=int32))
    """

    def __init__(
        self,
        pieces: Iterable[tuple[str, bool]],
        unit: str,
        title: str = "reading",
        rule: int = NEWEST,
    ) -> None:
        pattern, composed = pattern_of(unit, rule), are_composed(unit, rule)
        self._numbers = _Matches(pattern, composed) if pattern else _Characters()
        # Closed with this object.
        self._file = tempfile.TemporaryFile(buffering=_BLOCK)  # noqa: SIM115
        begins, total = [0], 0
        try:
            for text, starts in _shown(pieces, title):
                if starts:
                    begins.append(total)
                numbers = self._numbers(text)
                self._file.write(numbers)
                total += len(numbers)
            self._file.flush()
        except OSError as error:
            raise UserError(
                f"no room for the encoded text in {tempfile.gettempdir()}: {error.strerror}; "
                "set TMPDIR to a folder on a larger disk"
            ) from error
        edges = np.unique([*begins, total])
        self.begins, self.lengths = edges[:-1], np.diff(edges)

    def counts(self) -> dict[str, int]:
        """Return how often each token occurs."""
        counts = np.zeros(0, int)
        end = int(self.lengths.sum())
        for begin in range(0, end, _BLOCK):
            block = np.bincount(self.read(begin, min(begin + _BLOCK, end)), minlength=len(counts))
            block[: len(counts)] += counts
            counts = block
        occurring = np.flatnonzero(counts)
        return dict(zip(self._numbers.tokens(occurring), counts[occurring].tolist()))

    def read(self, begin: int, end: int) -> np.ndarray:
        """Return the numbers of the tokens from `begin` to `end`, int32."""
        # Not mapped into memory, where the pages read would count.
        return np.frombuffer(os.pread(self._file.fileno(), 4 * (end - begin), 4 * begin), "int32")

    def text(self, tokens: list[str], order: np.ndarray | None = None) -> "Text":
        """Return the documents as ids of a vocabulary, in `order` if there is one."""
        return Text(self, tokens, order)


class Text:
    """A corpus as sequences of ids, each target the next token; see `zoo.training.windows`.

    Args:
        corpus: what to read.
        tokens: a vocabulary's tokens from id 4 on; any other token is `<unk>`.
        order: a permutation of the documents.
    """

    def __init__(self, corpus: Corpus, tokens: list[str], order: np.ndarray | None = None) -> None:
        order = np.arange(len(corpus.lengths)) if order is None else order
        self.corpus = corpus
        self.begins, self.lengths = corpus.begins[order], corpus.lengths[order]
        ids = {token: number for number, token in enumerate(tokens, start=4)}
        self._ids = corpus._numbers.table(ids)

    def read(self, index: int, begin: int, end: int) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights; a document's first input is `<start>`."""
        origin = int(self.begins[index]) + begin
        ids = self._ids[self.corpus.read(origin - (begin > 0), origin + end - begin)]
        if begin == 0:
            ids = np.append(np.int32(START), ids)
        return ids[:-1], ids[1:], np.ones(end - begin, "float32")


class _Characters:
    """A character's number is its code point."""

    def __call__(self, text: str) -> np.ndarray:
        return np.frombuffer(text.encode("utf-32-le"), "int32")

    def tokens(self, numbers: np.ndarray) -> list[str]:
        return [chr(number) for number in numbers]

    def table(self, ids: Mapping[str, int]) -> np.ndarray:
        table = np.full(_CODE_POINTS, UNKNOWN, "int32")
        for character, number in ids.items():
            table[ord(character)] = number
        return table


class _Matches(dict[str, int]):
    """Tokens are numbered as they first occur, in whatever form that is."""

    def __init__(self, pattern: str, composed: bool) -> None:
        super().__init__()
        self._pattern, self._composed = pattern, composed
        self._known: dict[str, int] = {}

    def __missing__(self, token: str) -> int:
        spelt = normal(token) if self._composed else token
        self[token] = number = self._known.setdefault(spelt, len(self._known))
        return number

    def __call__(self, text: str) -> np.ndarray:
        tokens = cut(text, self._pattern)
        return np.fromiter(map(self.__getitem__, tokens), "int32", len(tokens))

    def tokens(self, numbers: np.ndarray) -> list[str]:
        known = list(self._known)
        return [known[number] for number in numbers]

    def table(self, ids: Mapping[str, int]) -> np.ndarray:
        return np.array([ids.get(token, UNKNOWN) for token in self._known], "int32")


def _shown(pieces: Iterable[tuple[str, bool]], title: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces, and show a bar on stderr once they have taken two seconds."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} characters"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    line, began, shown = bar.add_task(title, total=None), time.monotonic(), False
    try:
        for text, starts in pieces:
            if not shown and time.monotonic() - began > _PATIENCE:
                bar.start()
                shown = True
            yield text, starts
            bar.advance(line, len(text))
    finally:
        if shown:
            bar.stop()

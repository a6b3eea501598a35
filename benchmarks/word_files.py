"""Folders of text as words between spaces, which both sides of a comparison read."""

import gzip
from collections.abc import Iterable
from pathlib import Path

SPLITS = ("train", "valid", "test")
END, UNKNOWN = "<eos>", "<unk>"


def read_words(folder: str | Path, split: str) -> list[str]:
    """The words of `FOLDER/SPLIT.txt` or `FOLDER/SPLIT.txt.gz`, and `<eos>` after each line.

    Raises:
        FileNotFoundError: neither file is there.
    """
    plain = Path(folder) / f"{split}.txt"
    packed = plain.with_name(f"{plain.name}.gz")
    if packed.is_file() and not plain.is_file():
        text = gzip.decompress(packed.read_bytes()).decode("utf-8")
    else:
        text = plain.read_text(encoding="utf-8")
    lines = text.removesuffix("\n").split("\n") if text else []
    return [word for line in lines for word in (*line.split(), END)]


def number_words(words: Iterable[str]) -> dict[str, int]:
    """A number for each distinct word, in the order of their first use, `<unk>` among them."""
    return {word: number for number, word in enumerate(dict.fromkeys([*words, UNKNOWN]))}


def encode(words: Iterable[str], numbers: dict[str, int]) -> list[int]:
    """The words' numbers; that of `<unk>` for a word without one."""
    unknown = numbers[UNKNOWN]
    return [numbers.get(word, unknown) for word in words]

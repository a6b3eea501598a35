"""`python_source`: the standard library's own source, each character labelled with its class."""

import builtins
import io
import keyword
import string
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

CLASSES = (
    "whitespace",
    "comment",
    "keyword",
    "builtin",
    "definition",
    "name",
    "number",
    "operator",
    "string",
    "long_string",
)
"""The classes; a label is an index into this tuple.

`definition` is the name that follows `def` or `class`, `builtin` the name of a built-in function,
type or exception unless a dot precedes it, `operator` all punctuation, `long_string` a
triple-quoted string. A string includes its prefix and quotes, an f-string also its expressions.
"""

HELD_OUT = {
    "validation": ("calendar", "cmd", "fileinput", "gettext", "selectors", "threading"),
    "test": (
        "bisect",
        "configparser",
        "csv",
        "ipaddress",
        "reprlib",
        "tempfile",
        "textwrap",
        "traceback",
    ),
}
"""The modules that are not for training."""

LARGEST = 100_000
"""Longer modules are left out of training, so that none dominates it."""

_CODE = {name: code for code, name in enumerate(CLASSES)}
_TEXT = frozenset(string.printable) - set("\t\r\v\f")
_KEYWORDS = frozenset(keyword.kwlist)
_BUILTINS = frozenset(
    name
    for name, value in vars(builtins).items()
    # `site` adds `exit`, `license` and the like for interactive use only.
    if not name.startswith("_") and type(value).__module__ != "_sitebuiltins"
)
_SIMPLE = {
    tokenize.COMMENT: _CODE["comment"],
    tokenize.NUMBER: _CODE["number"],
    tokenize.OP: _CODE["operator"],
}


def label_characters(source: str) -> np.ndarray:
    """Return the class of every character of a Python program.

    Args:
        source: a program that `tokenize` accepts.

    Returns:
        uint8 `[len(source)]`, indices into `CLASSES`. Python versions that can read the program
        agree, except on which names are built in.

    Raises:
        tokenize.TokenError: a string or bracket is not closed.

    Example:
        >>> [CLASSES[label] for label in label_characters("if 1:")]
        ['keyword', 'keyword', 'whitespace', 'number', 'operator']
    """
    labels = np.array(
        [_CODE["whitespace" if char.isspace() else "operator"] for char in source], np.uint8
    )
    for begin, end, code in _labelled_tokens(source):
        labels[begin:end] = code
    return labels


def _labelled_tokens(source: str) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and class of all tokens except white space."""
    line_starts = [0] + [i + 1 for i, char in enumerate(source) if char == "\n"]

    def offset(position: tuple[int, int]) -> int:
        return line_starts[position[0] - 1] + position[1]

    previous = ""
    for token in _merge_fstrings(tokenize.generate_tokens(io.StringIO(source).readline)):
        if token.type == tokenize.NAME:
            code = _CODE[_name_class(token.string, previous)]
        elif token.type == tokenize.STRING:
            long = token.string.endswith(('"""', "'''"))
            code = _CODE["long_string" if long else "string"]
        elif token.type in _SIMPLE:
            code = _SIMPLE[token.type]
        else:
            continue
        previous = token.string
        yield offset(token.start), offset(token.end), code


def _name_class(name: str, previous: str) -> str:
    if name in _KEYWORDS:
        return "keyword"
    if previous in ("def", "class"):
        return "definition"
    return "builtin" if name in _BUILTINS and previous != "." else "name"


def _merge_fstrings(tokens: Iterator[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """Yield a STRING token an f-string, as before Python 3.12; its text is the closing quotes."""
    starts: list[tuple[int, int]] = []
    for token in tokens:
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            starts.append(token.start)
        elif kind == "FSTRING_END":
            start = starts.pop()
            if not starts:
                yield token._replace(type=tokenize.STRING, start=start)
        elif not starts:
            yield token


def read_modules() -> dict[str, dict[str, str]]:
    """Return the source of each module by split: `{"train": {"abc": "..."}, ...}`, sorted by name.

    The public top-level modules that are written in printable ASCII and line breaks.

    Raises:
        FileNotFoundError: a module of `HELD_OUT` is not among them.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    texts = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("[!_]*.py"))}
    modules = {name: text for name, text in texts.items() if _TEXT.issuperset(text)}
    held_out = {name for names in HELD_OUT.values() for name in names}
    if missing := sorted(held_out - set(modules)):
        raise FileNotFoundError(
            f"{folder} has no readable {', '.join(missing)}; use a complete Python installation"
        )
    train = {
        name: text
        for name, text in modules.items()
        if name not in held_out and len(text) <= LARGEST
    }
    return {"train": train} | {
        split: {name: modules[name] for name in names} for split, names in HELD_OUT.items()
    }


class PythonSource(tfds.core.GeneratorBasedBuilder):
    """The Python standard library as a stream of characters, each with its token class.

    `{"name": string, "text": string, "labels": uint8 [len(text)]}`, one module an example, in
    alphabetical order; the labels are indices into `CLASSES`. It needs no download. The version
    names the Python minor version; the last number is the revision of this builder.
    """

    VERSION = tfds.core.Version(f"{sys.version_info.major}.{sys.version_info.minor}.0")

    def _info(self) -> tfds.core.DatasetInfo:
        labels = tfds.features.Tensor(shape=(None,), dtype=np.uint8, encoding="zlib")
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"Python modules, each character labelled: {', '.join(CLASSES)}.",
            features=tfds.features.FeaturesDict(
                {"name": tfds.features.Text(), "text": tfds.features.Text(), "labels": labels}
            ),
            homepage="https://docs.python.org/3/library/",
            license="Python Software Foundation License Version 2",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        return {
            split: self._generate_examples(modules) for split, modules in read_modules().items()
        }

    def _generate_examples(self, modules: dict[str, str]) -> Iterator:
        for name, text in modules.items():
            yield name, {"name": name, "text": text, "labels": label_characters(text)}

"""`python_docs`: the Python language reference, as plain English text."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping

import tensorflow_datasets as tfds

SHARES = {"train": 0.85, "validation": 0.07, "test": 0.08}
"""The share of the characters that each split gets, to within a document."""

SHORT = 40
"""A paragraph of fewer characters ("For example:") may occur more than once."""

_HEADING = re.compile(r"^(?=\S.*\n(?:\*{3,}|={3,}|-{3,}|~{3,})$)", re.MULTILINE)
_RULE = re.compile(r"^ *[-=*~+|]{3,} *(?:\n|\Z)", re.MULTILINE)
_TYPOGRAPHIC = str.maketrans({
    "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "--", "…": "..."
})  # fmt: skip


def read_documents(topics: Mapping[str, str]) -> list[str]:
    """Cut help topics into sections and drop what an earlier section has already said.

    The topics overlap: a short one is often a section of a long one. The longest topic is read
    first, so that text stays in its widest context. A section without a new paragraph is dropped.

    Args:
        topics: the text of each topic, such as `pydoc_data.topics.topics`.

    Returns:
        One text per section: its heading, then its paragraphs, a blank line between them. Lines
        that only draw (underlined headings, table borders) are left out, and typographic quotes
        and dashes are ASCII. No paragraph of `SHORT` characters or more occurs twice.
    """
    seen: set[str] = set()
    documents = []
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        for section in _HEADING.split(topics[name].translate(_TYPOGRAPHIC)):
            fresh = _unseen_paragraphs(section, seen)
            if any(len(paragraph) >= SHORT for paragraph in fresh):
                documents.append("\n\n".join(fresh))
    return documents


def split_paragraphs(text: str) -> list[str]:
    """Return the parts of a text between blank lines, none of them blank."""
    return [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]


def assign_splits(sizes: Iterable[int]) -> list[str]:
    """Name a split for each document so that the splits keep to `SHARES` all along the way.

    Each document goes to the split that is furthest behind its share, so every split draws from
    the whole reference, and a very long document goes to train.

    Args:
        sizes: how long each document is.
    """
    filled = dict.fromkeys(SHARES, 0)
    total = 0
    names = []
    for size in sizes:
        total += size
        name = max(SHARES, key=lambda split: SHARES[split] * total - filled[split])
        filled[name] += size
        names.append(name)
    return names


def _unseen_paragraphs(section: str, seen: set[str]) -> list[str]:
    """Return the paragraphs of a section but for long ones in `seen`, which grows by these."""
    fresh = []
    for paragraph in split_paragraphs(_RULE.sub("", section)):
        key = " ".join(paragraph.split())
        if len(paragraph) < SHORT or key not in seen:
            fresh.append(paragraph)
            seen.add(key)
    return fresh


class PythonDocs(tfds.core.GeneratorBasedBuilder):
    """The Python language reference that CPython carries for `help()`, one section an example.

    `{"text": string}`, in the order of the reference. It needs no download. The version names the
    Python minor version whose reference it is; the last number is the revision of this builder.
    """

    VERSION = tfds.core.Version(f"{sys.version_info.major}.{sys.version_info.minor}.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="The Python language reference, in sections, each paragraph once.",
            features=tfds.features.FeaturesDict({"text": tfds.features.Text()}),
            homepage="https://docs.python.org/3/reference/",
            license="Python Software Foundation License Version 2",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        from pydoc_data.topics import topics

        documents = read_documents(topics)
        names = assign_splits(map(len, documents))
        return {
            split: self._generate_examples(
                [text for text, name in zip(documents, names, strict=True) if name == split]
            )
            for split in SHARES
        }

    def _generate_examples(self, documents: list[str]) -> Iterator:
        for index, text in enumerate(documents):
            yield index, {"text": text}

import hashlib
import sys

import pytest
import tensorflow_datasets as tfds

from tasks.language_modelling.dataset import (
    SHARES,
    SHORT,
    PythonDocs,
    assign_splits,
    read_documents,
    split_paragraphs,
)

LONG = "A paragraph that is long enough to count as one that must not be repeated."


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    builder = PythonDocs(data_dir=tmp_path_factory.mktemp("first"))
    builder.download_and_prepare()
    return builder


def texts(builder, split):
    return [example["text"].decode() for example in tfds.as_numpy(builder.as_dataset(split))]


def digests(builder):
    records = sorted(builder.data_path.glob("*.tfrecord*"))
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in records]


def test_preparing_twice_writes_the_same_bytes(builder, tmp_path):
    again = PythonDocs(data_dir=tmp_path)
    again.download_and_prepare()
    assert digests(again) == digests(builder)
    assert len(digests(builder)) == len(SHARES)


def test_version_names_the_python_minor_version(builder):
    assert str(builder.version).startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")


def test_no_paragraph_occurs_twice_in_any_splits(builder):
    paragraphs = [
        " ".join(paragraph.split())
        for split in SHARES
        for text in texts(builder, split)
        for paragraph in split_paragraphs(text)
        if len(paragraph) >= SHORT
    ]
    assert len(paragraphs) == len(set(paragraphs)) > 1000


def test_splits_have_their_shares_of_the_characters(builder):
    sizes = {split: sum(map(len, texts(builder, split))) for split in SHARES}
    for split, share in SHARES.items():
        assert sizes[split] / sum(sizes.values()) == pytest.approx(share, abs=0.005)


def test_documents_keep_the_order_of_the_reference(builder):
    from pydoc_data.topics import topics

    documents = read_documents(topics)
    position = {text: index for index, text in enumerate(documents)}
    for split in SHARES:
        positions = [position[text] for text in texts(builder, split)]
        assert positions == sorted(positions)


def test_about_a_hundred_characters_occur(builder):
    characters = set("".join(texts(builder, "train")))
    assert 90 <= len(characters) <= 105
    assert not characters & set("“”‘’–—…\t\r")


def test_sections_become_documents_without_underlines():
    topic = f"Title\n*****\n\n{LONG}\n\n\nPart\n====\n\nFor example:\n\n   {LONG} More.\n"
    assert read_documents({"topic": topic}) == [
        f"Title\n\n{LONG}",
        f"Part\n\nFor example:\n\n   {LONG} More.",
    ]


def test_a_section_repeated_in_a_shorter_topic_is_dropped():
    whole = f"Whole\n*****\n\n{LONG}\n\n\nPart\n====\n\nOr:\n\n{LONG[::-1]}\n"
    part = f"Part\n****\n\nOr:\n\n{LONG[::-1]}\n"
    assert read_documents({"a": part, "b": whole}) == read_documents({"b": whole})


def test_assigning_follows_the_share_furthest_behind():
    names = assign_splits([100] * 100)
    assert {split: names.count(split) for split in SHARES} == {
        "train": 85,
        "validation": 7,
        "test": 8,
    }

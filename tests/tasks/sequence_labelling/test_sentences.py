import pytest

from tasks.common.data import load_split
from tasks.sequence_labelling.dataset import CldrEntities  # noqa: F401  makes it known
from tasks.sequence_labelling.sentences import (
    KINDS,
    SIZES,
    TAGS,
    entity_names,
    sentences,
    share_out,
)
from tasks.sequence_labelling.spans import spans, to_bio

SMALL = {"train": 300, "validation": 100, "test": 100}


@pytest.fixture(scope="module")
def made():
    return sentences(SMALL)


def test_no_sentence_occurs_twice(made):
    texts = [" ".join(each.words) for part in made.values() for each in part]
    assert len(set(texts)) == len(texts) == 500


def test_they_are_the_same_each_time(made):
    assert sentences(SMALL) == made


def test_tags_are_bio_and_every_kind_occurs(made):
    for part in made.values():
        kinds = set()
        for words, tags in part:
            assert len(words) == len(tags) and set(tags) <= {*TAGS} and to_bio(tags) == tags
            kinds |= {span.kind for span in spans(tags)}
        assert kinds == {*KINDS}


def test_a_word_alone_does_not_tell_its_tag(made):
    seen = {}
    for words, tags in made["train"]:
        for word, tag in zip(words, tags):
            seen.setdefault(word.lower(), set()).add(tag)
    persons = ("chad", "georgia", "israel", "malta")
    assert any({"O", "B-PLACE"} <= seen.get(name, set()) for name in persons)
    assert {"O", "B-DATE"} <= seen["may"]
    assert len({tag for word in seen if word.isdigit() for tag in seen[word]}) > 8


def test_half_of_the_names_in_the_test_are_new(made):
    parts = share_out(entity_names()["PLACE"], 1)
    assert not set(parts["test"]) & {*parts["all"], *parts["validation"]}
    places = [
        " ".join(words[span.begin : span.end])
        for words, tags in made["test"]
        for span in spans(tags)
        if span.kind == "PLACE"
    ]
    assert 0.35 < sum(place in parts["test"] for place in places) / len(places) < 0.65


@pytest.mark.slow
def test_the_data_set_holds_them(data_dir):
    test = load_split("cldr_entities", "test", data_dir)
    assert len(test) == SIZES["test"]
    words = {tuple(word.decode() for word in each["tokens"]) for each in test}
    assert words == {tuple(each.words) for each in sentences()["test"]}

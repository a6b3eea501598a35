import pytest

from tasks.text_classification import dataset
from zoo.training.settings import Settings


@pytest.fixture(scope="module")
def composed():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SIZES", {"train": 200, "validation": 40, "test": 40})
        yield dataset.compose()


def test_no_text_occurs_twice_in_any_language_or_split(composed):
    texts = [text for members in composed.values() for text, _ in members]
    assert len(texts) == len(set(texts)) > 2000


def test_each_language_has_its_share(composed):
    for members in composed.values():
        languages = [language for _, language in members]
        for language in dataset.LANGUAGES:
            assert languages.count(language) > 0.3 * len(members) / len(dataset.LANGUAGES)


def test_the_prepared_set_says_the_same(composed, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "compose", lambda: composed)
        dataset.PhraseLanguages(data_dir=tmp_path).download_and_prepare()
    from tasks.text_classification.task import TextClassification

    task = TextClassification(data_dir=str(tmp_path))
    found = {(each.text, each.label) for each in task._examples("test")}
    assert found == {(text, dataset.LANGUAGES[code]) for text, code in composed["test"]}
    assert task.classes == sorted(dataset.LANGUAGES.values())
    assert int(task.windows("test", Settings(batch_size=50)).cardinality()) > len(found) // 50

import babel
import pytest
import tensorflow_datasets as tfds

from tasks.translation.dataset import LANGUAGES, CldrPhrases
from tasks.translation.phrases import KINDS, SIZES, phrases


def tfrecords(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*.tfrecord*")}


def prepare(folder):
    builder = CldrPhrases(data_dir=folder, config="en-fr")
    builder.download_and_prepare()
    return builder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cldr_phrases")
    return prepare(folder), folder


def test_preparing_twice_writes_the_same_bytes(tmp_path, monkeypatch):
    small = {split: size // 20 for split, size in SIZES.items()}
    monkeypatch.setattr("tasks.translation.dataset.SIZES", small)
    written = []
    for name in ("one", "other"):
        prepare(tmp_path / name)
        written.append(tfrecords(tmp_path / name))
    assert len(written[0]) == 3 and written[0] == written[1]


def test_each_language_is_a_config_loaded_by_name(tmp_path):
    for language in LANGUAGES:
        builder = tfds.builder(f"cldr_phrases/en-{language}", data_dir=tmp_path)
        assert builder.info.supervised_keys == ("source", "target")
        assert builder.info.version == "1.0.0"


@pytest.mark.slow
def test_prepared_splits_have_the_promised_sizes(prepared):
    splits = prepared[0].info.splits
    assert {name: split.num_examples for name, split in splits.items()} == SIZES


def test_prepared_examples_are_the_composed_phrases_in_utf_8(prepared):
    kind = prepared[0].info.features["kind"]
    found = {
        (kind.int2str(row["kind"]), row["source"].decode(), row["target"].decode())
        for row in tfds.as_numpy(prepared[0].as_dataset("test"))
    }
    assert found == {phrase[:3] for phrase in phrases("fr")["test"]}


def test_examples_of_the_kinds_come_mixed(prepared):
    rows = prepared[0].as_dataset("train").take(200)
    assert {row["kind"] for row in tfds.as_numpy(rows)} == set(range(len(KINDS)))


def test_prepared_data_name_the_babel_that_wrote_them(prepared):
    info = tfds.builder("cldr_phrases/en-fr", data_dir=prepared[1]).info
    assert info.metadata["babel"] == babel.__version__
    assert babel.__version__ in CldrPhrases.RELEASE_NOTES["1.0.0"]

"""What every registered task must do, by being registered."""

import numpy as np
import pytest

import zoo
from tasks.adding import dataset as adding
from tests import doc_files
from zoo import registry
from zoo.training.settings import Settings


def sums(path):
    """The adding problem in a folder of its own, short and small."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(adding, "SIZES", {"train": 8, "validation": 8, "test": 8})
        adding.Adding(data_dir=str(path), config="20").download_and_prepare()


def programs(path):
    """A folder of Python programs, some of which are for each split."""
    path.mkdir()
    for n in range(40):
        (path / f"{n}.py").write_text(f"x = {n}  # {n}\n")


def movements(path):
    """Sequences of two numbers, as many of each class."""
    frames = np.random.default_rng(1).normal(size=(40, 5, 2)).astype("float32")
    np.savez(path, x=frames, y=np.arange(40) % 2)


def texts(path):
    doc_files._tokens(path.parent, ["train.txt", "valid.txt", "test.txt"])


DATA = {
    "adding": ("adding/20", sums, "adding-lstm"),
    "captioning": ("pictures", doc_files.captions, "caption-rnn"),
    "forecasting": ("sales.csv", doc_files.sales, "forecast-linear"),
    "image_classification": ("pictures", doc_files.pictures, "digits-linear"),
    "image_generation": ("pictures", doc_files.pictures, "draw-digits"),
    "language_modelling": ("train.txt", texts, "char-rnn"),
    "sequence_labelling": ("words", doc_files.universal, "tagger-bilstm"),
    "sketching": ("pictures", doc_files.pictures, "spiral-sketch"),
    "stroke_drawing": ("pictures", doc_files.pictures, "spiral-digits"),
    "tagging": ("programs", programs, "highlight-gru"),
    "text_classification": ("texts.csv", doc_files.reviews, "text-lstm"),
    "transcription": ("pictures/index.csv", doc_files.labelled_pictures, "dram-sequence"),
    "translation": ("pairs", doc_files.pairs, "translate-gru"),
    "video_classification": ("clips.npz", movements, "sequence-gru"),
}
"""For each task small data of one's own, what writes them, and a model."""

SLOW = ("sequence_labelling", "translation")
"""Those whose models are traced for many lengths."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
        for name in registry.entries("task")
    ],
)
def test_a_naive_answer_stands_beside_what_is_measured(name, tmp_path):
    """A task of a new name needs small data above, and a naive answer."""
    data, write, model_name = DATA[name]
    path = tmp_path / data
    named = name == "adding"
    write(tmp_path if named else path)
    task_class, entry = registry.load("task", name), registry.get("model", model_name)
    quick = {"beam_width": 1, "max_length": 6} if task_class.searching else {}
    task = task_class(data if named else str(path), data_dir=str(tmp_path), **quick)
    sizes = {**entry.info.get("options", {}), **registry.builder_of(entry).info["example"]}
    # By the data, or as many as there are inputs.
    sizes.pop("outputs", None)
    model = zoo.create(model_name, **{**sizes, **task.model_options()})
    metrics = task.score(model, "validation", Settings(batch_size=8, window=16))
    baseline = registry.get("task", name).info["baseline"]
    beside = [key for key in metrics if key.startswith(f"{baseline}/")]
    assert beside and all(key.partition("/")[2] in metrics for key in beside)
    assert np.isfinite([metrics[key] for key in beside]).all()

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.captioning import dataset
from tasks.captioning.captioner import Captioner
from tasks.captioning.task import Captioning
from tasks.common.text import END, PADDING, START
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.training.settings import Settings

SMALL = {"units": 24, "features": 16, "embedding": 8, "filters": (4, 4), "jit_compile": False}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A folder with a small preparation of the data set."""
    folder = str(tmp_path_factory.mktemp("scenes"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SCENES", {"train": 64, "validation": 16, "test": 32})
        dataset.CaptionedScenes(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(scope="module")
def task(scenes):
    return Captioning(data_dir=scenes)


@pytest.fixture(scope="module")
def run(scenes, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    return zoo.fit(
        "caption-lstm", data_dir=scenes, runs=runs, epochs=2, batch_size=16, verbose=False, **SMALL
    )


@pytest.fixture(scope="module")
def export(run, tmp_path_factory):
    return zoo.export(run, tmp_path_factory.mktemp("exports") / "caption", metrics=False)


def test_targets_are_the_next_words_up_to_the_end(task):
    window = next(iter(task.windows("test", Settings(batch_size=4))))
    tokens, targets = window["inputs"]["tokens"].numpy(), window["targets"].numpy()
    assert tokens.shape[:2] == (4, 5) and (tokens[..., 0] == START).all()
    real = window["weights"].numpy() > 0
    assert ((targets == END).sum(axis=-1) == 1).all()
    assert (targets[~real] == PADDING).all()
    shifted = tokens[..., 1:]
    same = (shifted == targets[..., :-1]) | (targets[..., :-1] == END) | ~real[..., :-1]
    assert same.all()


def test_training_draws_other_captions_each_epoch_from_the_seed(task):
    def epochs(seed):
        windows = task.windows("train", Settings(batch_size=64), seed=seed)
        return [next(iter(windows))["inputs"]["tokens"].numpy().sum() for _ in range(2)]

    assert epochs(1) == epochs(1)
    assert len(set(epochs(1) + epochs(2))) > 2


@pytest.mark.slow
def test_the_score_tells_truth_rate_and_bleu(run):
    figures = zoo.evaluate(run)
    assert {"loss", "accuracy", "bleu4", "truth_rate", "truth_rate/unseen_pairs"} <= set(figures)
    true = figures["truth_rate"] * 32
    assert true == pytest.approx(round(true)), "no share of the 32 pictures of the test split"


def test_the_references_themselves_score_full_marks(task, monkeypatch):
    references = [captions[0] for captions in task._data("test").captions]
    model = zoo.create("caption-lstm", **task.model_options(), units=8, features=8, filters=(4,))
    answers = references, [True] * len(references)
    monkeypatch.setattr(Captioner, "caption_all", lambda captioner, images: answers)
    figures = task.score(model, "test", Settings(batch_size=16))
    assert figures["truth_rate"] == 1 and figures["bleu4"] == pytest.approx(100)
    assert figures["naive/bleu4"] < 50 and figures["naive/truth_rate"] < 1


def test_the_naive_caption_is_the_commonest_for_training(shared_kaggle):
    folder, _ = shared_kaggle
    task = Captioning(str(folder))
    # "All of it is COLOUR" is said of each picture of a colour, all else of one picture.
    training = task._source().captions("train", images=12)
    colour = max(("red", "green", "blue"), key=lambda c: training.count(f"all of it is {c}"))
    tested = [own[1] for own in task._data("test").captions]
    right = [5 if own.endswith(colour) else 4 for own in tested]
    naive = task.naive("test").metrics()
    assert naive["bleu1"] == pytest.approx(100 * sum(right) / (5 * len(right)))
    assert naive["bleu1"] > 79


@pytest.mark.slow
def test_run_and_export_say_the_same(run, export):
    pictures = sorted(map(str, (export / "assets.extra" / "examples").iterdir()))
    texts = [[answer["text"] for answer in zoo.predict(what, *pictures)] for what in (run, export)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_the_card_of_an_export_has_its_metrics_and_examples(run, tmp_path):
    card = read_card(zoo.export(run, tmp_path / "export"))
    values = {key: each["value"] for key, each in card["metrics"]["values"].items()}
    assert values | card["metrics"]["told"] == pytest.approx(zoo.evaluate(run))
    assert card["examples"]


@pytest.mark.slow
def test_sampling_follows_its_seed(export):
    model = tf.saved_model.load(str(export))
    picture = next((export / "assets.extra" / "examples").iterdir()).read_bytes()
    images = tf.constant([picture] * 8)

    def draw(seed):
        told = model.generate(images, temperature=1.0, seed=tf.constant([seed, 0]))
        return told["text"].numpy().tolist()

    assert draw(1) == draw(1) != draw(2)
    searched = model.generate(images, beam_width=5)["text"].numpy()
    assert (searched == model.serve(images)["text"].numpy()).all()


def test_the_configuration_needs_no_data(task):
    again = Captioning(**{**task.get_config(), "data_dir": "/nowhere"})
    assert again.model_options() == task.model_options()
    text = tf.constant(["a small red circle"])
    assert np.array_equal(again.vocabulary.encode(text)[0], task.vocabulary.encode(text)[0])


def test_a_data_set_without_captions_is_refused(data_dir):
    with pytest.raises(UserError, match="choose one with"):
        Captioning("digits", data_dir)


@pytest.mark.slow
def test_captions_are_measured_one_by_one(task, run, check_measured):
    score, cases, card = check_measured(task, zoo.load(run), Settings(batch_size=16))
    assert {"picture_gap", "bleu4", "truth_rate"} <= set(score)
    assert (
        not cases[0].is_right("nothing of this kind") and card["splits"]["test"]["examples"] == 32
    )

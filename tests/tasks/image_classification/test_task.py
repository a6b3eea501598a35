import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.common.data import load_split
from tasks.common.images import encode_png
from tasks.image_classification.task import ImageClassification
from zoo.errors import UserError
from zoo.training.settings import Settings


@pytest.fixture(scope="module")
def task(data_dir):
    return ImageClassification(data_dir=data_dir)


def test_the_data_decide_classes_and_size(task):
    assert task.model_options() == {"classes": 10, "image_shape": [8, 8, 1]}


def test_the_seed_orders_the_training_images(task):
    settings = Settings(batch_size=64)
    first, again, other, plain = (
        next(iter(task.windows("train", settings, seed)))["targets"].numpy().tolist()
        for seed in (1, 1, 2, None)
    )
    assert first == again
    assert len({tuple(targets) for targets in (first, other, plain)}) == 3


def test_serving_says_the_likeliest_class_of_pictures_of_any_size(task):
    model = zoo.create("digits-linear", **task.model_options())
    examples = load_split("digits", "test[:3]", task.data_dir)
    pictures = [example["image"] for example in examples]
    expected = model(np.stack(pictures)).numpy()
    served = task.endpoints(model)["serve"](tf.constant([encode_png(p) for p in pictures]))
    assert [text.decode() for text in served["text"].numpy()] == [
        task.classes[i] for i in expected.argmax(axis=1)
    ]
    softmax = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(served["probability"], softmax.max(axis=1), rtol=1e-5)
    large = encode_png(pictures[0].repeat(5, axis=0).repeat(5, axis=1).repeat(3, axis=2))
    assert task.endpoints(model)["serve"](tf.constant([large]))["text"].shape == [1]


def test_the_configuration_predicts_where_the_data_are_not(task, tmp_path):
    config = {**task.get_config(), "data_dir": str(tmp_path / "nowhere")}
    assert ImageClassification(**config).model_options() == task.model_options()


@pytest.mark.parametrize(("sequence", "time", "size"), [("rows", 8, 8), ("pixels", 64, 1)])
def test_an_image_is_shown_from_its_top_left_on(task, sequence, time, size):
    shown = ImageClassification(data_dir=task.data_dir, sequence=sequence)
    assert shown.model_options() == {"classes": 10, "frame_shape": [1, size, 1]}
    whole, parts = (next(iter(t.windows("test", Settings(batch_size=5)))) for t in (task, shown))
    frames, lengths = parts["inputs"]["frames"], parts["inputs"]["lengths"]
    assert frames.shape == (5, time, 1, size, 1) and lengths.numpy().tolist() == [time] * 5
    assert np.array_equal(tf.reshape(frames, (5, 8, 8, 1)), whole["inputs"])
    assert np.array_equal(parts["targets"], whole["targets"])


def test_serving_shows_pictures_row_by_row_too(task):
    shown = ImageClassification(**{**task.get_config(), "sequence": "rows"})
    model = zoo.create("rows-lstm", units=8, **shown.model_options())
    window = next(iter(shown.windows("test", Settings(batch_size=3))))
    expected = model(window["inputs"]).numpy().argmax(axis=1)
    served = shown.endpoints(model)["serve"](tf.constant(shown.examples()))
    assert [text.decode() for text in served["text"].numpy()] == [task.classes[i] for i in expected]


def test_another_order_of_an_image_is_refused(data_dir):
    with pytest.raises(UserError, match="sequence is 'columns', but rows, pixels or nothing"):
        ImageClassification(data_dir=data_dir, sequence="columns")


def test_sequences_are_refused(data_dir):
    with pytest.raises(UserError, match="choose one that has image"):
        ImageClassification("moving_points", data_dir)


def test_pictures_are_measured_one_by_one_and_shown_with_their_classes(task, check_measured):
    model = zoo.create("digits-linear", **task.model_options())
    score, cases, card = check_measured(task, model, Settings(batch_size=64))
    assert {"loss", "accuracy", "f1/3"} <= set(score)
    assert not cases[0].is_right("a cat")
    assert card["version"] == "1.0.0" and card["splits"]["test"]["examples"] == 359
    assert card["licence"] == "CC BY 4.0"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits-cnn", pytest.param("rows-lstm", marks=pytest.mark.slow)])
def test_a_folder_of_one_s_own_is_learned_predicted_and_exported(tmp_path, name):
    for number, label in enumerate(("dark", "light")):
        for n in range(12):
            level = np.random.default_rng(n).integers(0, 60, (9, 11)) + 190 * number
            path = tmp_path / "own" / label / f"{n}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(level.astype("uint8")[..., None]))
    folder, options = tmp_path / "own", {"units": 4} if name == "rows-lstm" else {}
    run = zoo.fit(
        name, str(folder), str(tmp_path / "data"), runs=tmp_path / "runs", verbose=False,
        epochs=2, batch_size=8, **options,
    )  # fmt: skip
    assert run.config.task_options["classes"] == ["dark", "light"]
    assert run.config.task_options["image_shape"] == [9, 11, 1]
    (answer,) = zoo.predict(run, str(folder / "dark" / "0.png"))
    assert sorted(answer["labels"]) == ["dark", "light"]
    export = zoo.export(run, tmp_path / "export")
    (exported,) = zoo.predict(export, str(folder / "dark" / "0.png"))
    assert exported["text"] == answer["text"]
    np.testing.assert_allclose(exported["probabilities"], answer["probabilities"], atol=1e-4)

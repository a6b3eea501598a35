import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.data import load_split
from tasks.image_classification.task import ImageClassification
from tasks.images import encode_png
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


def test_videos_are_refused(data_dir):
    with pytest.raises(UserError, match="choose one that has image"):
        ImageClassification("moving_digits", data_dir)

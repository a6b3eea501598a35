"""Pictures named by models of glimpses: served, drawn, exported."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.image_classification.task import ImageClassification
from zoo.errors import UserError
from zoo.evaluation.plots import write_plots
from zoo.training.settings import Settings

SIZES = {"glimpses": 3, "glimpse_size": 6, "scales": 2, "glimpse_units": 6, "units": 6}


@pytest.fixture(scope="module")
def task():
    return ImageClassification("scattered_digits/cluttered")


@pytest.fixture(scope="module")
def model(task):
    return zoo.create("ram-scattered", **SIZES, **task.model_options())


def test_what_is_served_is_the_answer_after_the_last_glimpse(task, model):
    pictures = task.examples()
    images, _ = task._read("test")
    served = task.endpoints(model)["serve"](tf.constant(pictures))
    expected = tf.nn.softmax(model.follow(images[:3]).logits[:, -1]).numpy()
    np.testing.assert_allclose(served["probability"], expected.max(axis=1), rtol=1e-4)


def test_a_plot_has_a_column_a_glimpse(task, model, tmp_path):
    figure = task.plot(model, task.examples()[0])
    # The path, two squares of the retina, and the probabilities.
    assert len(figure.axes) == 3 * (1 + 2 + 1)
    assert [axes.get_title() for axes in figure.axes[:3]] == ["glimpse 1", "glimpse 2", "glimpse 3"]
    for t, axes in enumerate(figure.axes[:3]):
        (line,) = axes.lines
        assert len(line.get_xdata()) == t + 1
        # Pixel 0 has its middle at 0, and so the middle of the picture lies at 29.5.
        assert line.get_xdata()[0] == line.get_ydata()[0] == 29.5
        squares = [patch.get_width() for patch in axes.patches]
        assert squares == model.sizes
    write_plots({tmp_path / "plot.png": figure})
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_a_model_that_sees_all_at_once_has_no_path_to_draw(task):
    linear = zoo.create("digits-linear", **task.model_options())
    with pytest.raises(UserError, match="there is nothing to draw of one answer"):
        task.plot(linear, task.examples()[0])


def test_reward_is_what_the_catalog_s_models_of_glimpses_are_trained_for(task):
    options = zoo.describe("ram-digits")["objective"]
    assert {"copies", "sigma", "worth", "subtract"} <= options.keys()
    assert "copies" not in zoo.describe("digits-cnn")["objective"]
    measured = task.measure(
        zoo.create("digits-linear", **task.model_options()), "validation", Settings(batch_size=240)
    )
    assert "accuracy" in measured.metrics()


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["hard", "gaussian"])
def test_every_form_of_an_export_looks_alike(tmp_path, attention):
    run = zoo.fit(
        "ram-digits", runs=tmp_path, data_dir=str(tmp_path / "data"), verbose=False,
        epochs=1, attention=attention, units=16, glimpse_units=16,
    )  # fmt: skip
    export = zoo.export(run, tmp_path / "export", formats=["saved_model", "litert", "onnx"])
    loaded = tf.saved_model.load(str(export))
    image = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 1)).astype("uint8")
    model = zoo.load(run)
    state = loaded.signatures["encode"](image=tf.constant(image))
    path = model.follow(image)
    for t in range(3):
        place = state[max(state)]
        np.testing.assert_allclose(place, path.places[:, t], atol=1e-4)
        state = loaded.signatures["step"](x=place, **state)
        np.testing.assert_allclose(state.pop("outputs"), path.logits[:, t], atol=1e-4)

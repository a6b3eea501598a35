"""Sketches as a task: its data, its numbers, what it serves, its runs."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import tensorflow as tf

import zoo as public
from tasks.sketching.task import Sketching
from zoo.errors import UserError
from zoo.training.checkpoints import Checkpoints
from zoo.training.settings import Settings

SMALL = {"units": 6, "filters": 2, "strokes": 3, "latent": 4}


@pytest.fixture(scope="module")
def fresh(data_dir):
    """A task, and a small model of it that has seen nothing."""
    task = Sketching(data_dir=data_dir, strokes=3, latent=4, classes=["0", "1"])
    options = {key: SMALL[key] for key in ("units", "filters")}
    return task, public.create("spiral-sketch", **options, **task.model_options())


def test_the_windows_hold_noise_strokes_and_the_pictures_of_some_classes(data_dir):
    task = Sketching(data_dir=data_dir, strokes=5, latent=7, classes=["0", "1"])
    assert task.model_options() == {"image_shape": [16, 16, 1], "strokes": 5, "latent": 7}
    everything = Sketching(data_dir=data_dir)
    images, labels = everything.pictures("test")
    chosen = images[np.isin(labels, [0, 1])]
    assert 0 < len(chosen) < len(images)
    window = next(iter(task.windows("test", Settings(batch_size=len(chosen)))))
    np.testing.assert_array_equal(window["targets"], chosen)
    assert window["inputs"]["strokes"].shape == (len(chosen), 5, 5)
    assert 0.8 < np.std(window["inputs"]["noise"]) < 1.2
    training = next(iter(task.windows("train", Settings(batch_size=9), seed=1)))
    assert not training["inputs"]["noise"].numpy().any()
    assert public.describe("spiral-sketch")["task"] == "sketching"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strokes": 0}, "strokes is 0, but 1 or more"),
        ({"latent": 0}, "latent is 0, but 1 or more"),
        ({"classes": ["cat"]}, "classes has 'cat', but binary_digits has 0, 1"),
    ],
)
def test_options_out_of_range_are_refused(data_dir, options, message):
    with pytest.raises(UserError, match=message):
        Sketching(data_dir=data_dir, **options).pictures("train")


def test_a_name_has_one_picture_whatever_stands_beside_it(fresh):
    task, model = fresh
    serve = task.served(model)["serve"]
    names = ["anna", "Ω 日本", "", "anna"]
    served = serve(tf.constant(names))
    canvases = served["canvases"].numpy()
    assert canvases.shape == (4, 3, 16, 16, 1) and served["strokes"].shape == (4, 3, 8)
    np.testing.assert_array_equal(canvases[0], canvases[3])
    assert np.any(canvases[0] != canvases[1]) and np.any(canvases[1] != canvases[2])
    np.testing.assert_allclose(serve(tf.constant(names[1:2]))["canvases"][0], canvases[1])
    for row, text in enumerate(served["text"].numpy()):
        shapes = ElementTree.fromstring(text.decode()).iter("{http://www.w3.org/2000/svg}path")
        assert len(list(shapes)) == (served["strokes"][row, :, 7].numpy() > 0).sum()


def test_the_seed_decides_what_is_generated(fresh):
    task, model = fresh
    (one, drawings), (same, _), (other, _) = (task.paint(model, 5, seed) for seed in (1, 1, 2))
    assert len(drawings) == 5 and all(text.startswith("<svg") for text in drawings)
    assert one.shape == (5, 3, 16, 16, 1) and 0 <= one.min() <= one.max() <= 1
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)
    with pytest.raises(tf.errors.InvalidArgumentError, match="count must be 1 to"):
        task.paint(model, 0, 1)


def test_the_distance_stands_beside_training_pictures_and_random_strokes(fresh):
    task, model = fresh
    measured = task.measure(model, "test", Settings())
    metrics, intervals = measured.metrics(), measured.intervals()
    names = {"kernel_distance", "train/kernel_distance", "random/kernel_distance", "moves"}
    assert set(metrics) == names == set(intervals)
    assert abs(metrics["train/kernel_distance"]) < 0.01 < metrics["random/kernel_distance"]
    low, high = intervals["random/kernel_distance"]
    assert low < metrics["random/kernel_distance"] < high


def test_strokes_are_drawn_as_arrows_of_a_name_and_of_a_few_pictures(fresh):
    task, model = fresh
    assert len(task.plot(model, "anna").axes) == 2
    assert len(task.plot_split(model, "test", Settings()).axes) == 12


@pytest.mark.slow
def test_a_run_is_resumed_bit_by_bit_and_its_export_paints_the_same(data_dir, tmp_path, zoo):
    options = {"data_dir": data_dir, "verbose": False, "batch_size": 200, **SMALL}
    whole, half = (
        public.fit("spiral-sketch", runs=tmp_path / name, **options, steps=steps)
        # Rate and entropy fall over all steps that were asked for: of the first one they are alike.
        for name, steps in (("whole", 8), ("half", 1))
    )
    rest = public.resume(half, verbose=False, steps=8)
    for ours, theirs in zip(newest(rest), newest(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    export = public.export(whole, tmp_path / "export")
    assert zoo("verify", export)[0] == 0
    asked = ("anna", "--json")
    answers = [json.loads(zoo("predict", what, *asked)[1]) for what in (whole.path, export)]
    assert answers[0] == answers[1]
    assert zoo("generate", export, "--count", "4", "--output", tmp_path / "four.gif")[0] == 0
    assert (tmp_path / "four.gif").stat().st_size > 0


def newest(run):
    """What the last checkpoint holds."""
    checkpoint, unreadable = Checkpoints(run.checkpoints).newest()
    assert not unreadable
    return checkpoint.variables

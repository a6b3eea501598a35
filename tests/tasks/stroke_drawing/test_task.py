"""Strokes as a task: its data, its numbers, its files, its runs."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo as public
from tasks.image_generation.dataset import binary_digits
from tasks.stroke_drawing.task import StrokeDrawing
from tasks.stroke_drawing.vector import svg
from zoo.api.load import restore
from zoo.errors import UserError
from zoo.training.checkpoints import Checkpoints
from zoo.training.settings import Settings

SMALL = {"units": 6, "filters": 2, "strokes": 3, "batch_size": 400, "copies": 1}


@pytest.fixture(scope="module")
def painter(data_dir, tmp_path_factory):
    """A run of a small model that has seen each digit once."""
    runs = tmp_path_factory.mktemp("painter")
    return public.fit(
        "spiral-digits", data_dir=data_dir, runs=runs, verbose=False, epochs=1, **SMALL
    )


@pytest.fixture(scope="module")
def fresh(data_dir):
    """A task, and a small model of it that has seen nothing."""
    task = StrokeDrawing(data_dir=data_dir, strokes=3)
    options = {key: SMALL[key] for key in ("units", "filters")}
    return task, public.create("spiral-digits", **options, **task.model_options())


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Files of two test digits."""
    folder = tmp_path_factory.mktemp("digits")
    for place, image in enumerate(binary_digits("test")[0][:2]):
        Image.fromarray(image).save(folder / f"{place}.png")
    return [folder / "0.png", folder / "1.png"]


def paths(text):
    """What an SVG paints, as its attributes."""
    return [
        each.attrib
        for each in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}path")
    ]


def test_the_windows_hold_pictures_and_strokes_of_all_kinds(data_dir):
    task = StrokeDrawing(data_dir=data_dir, strokes=5)
    assert task.model_options() == {"image_shape": [16, 16, 1], "strokes": 5}
    first = next(iter(task.windows("test", Settings(batch_size=100))))
    strokes = first["inputs"]["strokes"].numpy()
    assert strokes.shape == (100, 5, 5) and strokes[..., 1].max() > 200
    assert set(np.unique(strokes[..., 0])) == {0, 1}
    with pytest.raises(UserError, match="strokes is 0, but 1 or more"):
        StrokeDrawing(data_dir=data_dir, strokes=0)


def test_an_svg_has_a_path_for_each_stroke_that_paints():
    strokes = np.array([[[8, 8, 4, 8, 2, 3, 3, 1], [2, 3, 5, 5, 8, 9, 2, 0]]], "float32")
    (path,) = paths(svg(tf.constant(strokes), 16, 12).numpy()[0].decode())
    # Across first, and then down.
    assert path["d"] == "M8.00 8.00Q8.00 4.00 3.00 2.00"
    assert path["stroke-width"] == "3.00" and path["stroke-opacity"] == "1.00"


def test_what_is_served_is_what_the_model_paints(fresh):
    task, model = fresh
    serve, raws = task.served(model)["serve"], task.examples()
    served = serve(tf.constant(raws))
    painted = served["canvases"].numpy()
    assert painted.shape == (3, 3, 16, 16, 1) and served["strokes"].shape == (3, 3, 8)
    for row, text in enumerate(served["text"].numpy()):
        assert len(paths(text.decode())) == (served["strokes"][row, :, 7].numpy() > 0).sum()
    alone = serve(tf.constant(raws[1:2]))
    np.testing.assert_allclose(alone["canvases"][0], painted[1], atol=1e-5)
    assert ((served["error"].numpy() > 0) & (served["error"].numpy() < 2)).all()


@pytest.mark.slow
def test_strokes_are_printed_and_written_by_the_ending(painter, digits, zoo, tmp_path):
    code, out, err = zoo("predict", painter.path, digits[0])
    assert code == 0 and not err and ElementTree.fromstring(out).attrib["viewBox"] == "0 0 16 16"
    for name in ("one.svg", "one.png", "one.gif"):
        assert zoo("predict", painter.path, digits[0], "--output", tmp_path / name)[0] == 0
    assert (tmp_path / "one.svg").read_text() + "\n" == out
    assert Image.open(tmp_path / "one.gif").n_frames == 3
    code, out, _ = zoo("predict", painter.path, *digits, "--output", tmp_path / "two.svg", "--json")
    first, second = json.loads(out)
    both = paths((tmp_path / "two.svg").read_text())
    assert code == 0 and both == [*paths(first["text"]), *paths(second["text"])]
    wide, high = Image.open(tmp_path / "one.png").size
    assert wide == high > 64


@pytest.mark.slow
def test_an_output_of_another_kind_is_refused(painter, digits, zoo, tmp_path):
    code, _, err = zoo("predict", painter.path, digits[0], "--output", tmp_path / "x.csv")
    assert code == 2 and "paintings are written as .svg, .png, .gif" in err


def test_an_unknown_ending_is_refused_at_once(zoo, tmp_path):
    code, _, err = zoo("predict", "draw-digits", "x.png", "--output", tmp_path / "x.pdf")
    assert code == 2 and "has another ending than .csv, .tsv, .svg, .png or .gif" in err


def test_strokes_are_plotted_over_the_picture(fresh):
    task, model = fresh
    figure = task.plot(model, task.examples()[0])
    picture, canvas = figure.axes
    assert [text.get_text() for text in picture.texts] == ["1", "2", "3"]
    assert len(picture.patches) == 3 and not canvas.patches


@pytest.mark.slow
def test_a_plot_is_of_a_split_or_of_a_picture(painter, digits, zoo, tmp_path):
    code, out, _ = zoo("plot", painter.path, digits[0], "--output", tmp_path / "plot.png")
    assert code == 0 and Image.open(out.strip()).size[0] > 100
    trained = restore(painter)
    figure = trained.task.plot_split(trained.model, "test", trained.settings)
    assert len(figure.axes) == 12


@pytest.mark.slow
def test_the_error_is_that_of_what_is_served(fresh):
    task, model = fresh
    metrics = task.measure(model, "test", Settings(batch_size=100)).metrics()
    served = task.served(model)["serve"](tf.constant([case.raw for case in task.cases(400)]))
    assert metrics["error"] == pytest.approx(np.mean(served["error"]), abs=1e-4)
    moves = np.mean(served["strokes"][..., 7] == 0)
    assert metrics["moves"] == pytest.approx(moves, abs=1e-6)
    assert metrics["pixel_error"] != metrics["error"]


def test_the_naive_error_is_that_of_the_mean_picture(fresh):
    task, model = fresh
    images = task.pictures("test").images / 255
    left = ((images - images.mean(axis=0)) ** 2).sum(axis=(1, 2, 3)) / (images**2).sum(
        axis=(1, 2, 3)
    )
    metrics = task.measure(model, "test", Settings(batch_size=100)).metrics()
    assert metrics["naive/pixel_error"] == pytest.approx(left.mean(), rel=1e-5)
    assert 0 < metrics["naive/error"] < metrics["naive/pixel_error"]


@pytest.mark.slow
def test_the_metrics_lie_in_their_intervals(fresh, check_measured):
    check_measured(*fresh, Settings())


@pytest.mark.slow
@pytest.mark.parametrize("reward", ["picture", "critic"])
def test_a_run_that_was_stopped_ends_with_the_same_numbers(reward, data_dir, tmp_path):
    """The critic and its optimizer are in the checkpoint, in the export is neither."""
    options = {**SMALL, "reward": reward, "critic_updates": 2, "epochs": 2}
    whole, half = (
        public.fit(
            "spiral-digits",
            data_dir=data_dir,
            runs=tmp_path / name,
            verbose=False,
            steps=steps,
            **options,
        )
        # The rate falls over all steps that were asked for: of the first one it is the same.
        for name, steps in (("whole", 8), ("half", 1))
    )
    rest = public.resume(half, verbose=False, steps=8)
    for ours, theirs in zip(newest(rest), newest(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if reward == "critic":
        folder = public.export(rest, tmp_path / "export")
        names = [name for name, _ in tf.train.list_variables(str(folder / "variables/variables"))]
        weights = len(rest.restore_model().get_weights())
        assert sum("VARIABLE_VALUE" in name for name in names) == weights


def newest(run):
    """What the last checkpoint holds."""
    checkpoint, unreadable = Checkpoints(run.checkpoints).newest()
    assert not unreadable
    return checkpoint.variables

"""Painting as a task: its data, its numbers, its pictures, its runs."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo as public
from tasks.common.images import encode_png
from tasks.image_classification.task import ImageClassification
from tasks.image_generation.dataset import binary_digits
from tasks.image_generation.task import ImageGeneration
from zoo.api.load import restore
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.training.settings import Settings


@pytest.fixture(scope="module")
def trained(drawer, data_dir):
    return restore(drawer)


def test_the_windows_hold_pictures_and_noise_of_each_stroke(data_dir):
    task = ImageGeneration(data_dir=data_dir, latent=5, glimpses=4)
    assert task.model_options() == {"image_shape": [16, 16, 1], "latent": 5, "glimpses": 4}
    settings = Settings(batch_size=100)
    first = next(iter(task.windows("test", settings)))
    noise = first["inputs"]["noise"].numpy()
    assert noise.shape == (100, 4, 5) and len({*noise.ravel().tolist()}) > 1990
    assert set(np.unique(first["inputs"]["image"])) == {0, 255}
    again = next(iter(task.windows("test", Settings(batch_size=30))))["inputs"]["noise"]
    np.testing.assert_array_equal(noise[:30], again)
    assert not next(iter(task.windows("train", settings, seed=1)))["inputs"]["noise"].numpy().any()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"binarize": "round"}, "binarize is 'round', but threshold, sample or nothing"),
        ({"glimpses": 0}, "glimpses is 0, but 1 or more"),
        ({"latent": 0}, "latent is 0, but 1 or more"),
        ({"image_size": -1}, "image_size is -1, but 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(option, message, data_dir):
    with pytest.raises(UserError, match=message):
        ImageGeneration(data_dir=data_dir, **option)


def test_grey_pictures_are_refused_until_somebody_says_how_they_become_binary(data_dir):
    options = {"dataset": "digits", "data_dir": data_dir, "image_size": 16}
    with pytest.raises(UserError, match=r"digits has grey pixels.*set binarize"):
        ImageGeneration(**options).windows("validation", Settings())
    for way in ("threshold", "sample"):
        windows = ImageGeneration(**options, binarize=way).windows("validation", Settings())
        image = next(iter(windows))["inputs"]["image"].numpy()
        assert image.shape[1:] == (16, 16, 1) and set(np.unique(image)) == {0, 255}


@pytest.mark.slow
def test_the_bounds_stand_beside_the_naive_ones(trained, check_measured):
    score, cases, _ = check_measured(trained.task, trained.model, trained.settings)
    assert score["bound"] == pytest.approx(score["reconstruction"] + score["kl"])
    assert score["kl"] == pytest.approx(sum(score[f"kl/{n}"] for n in (1, 2, 3)))
    assert score["importance_bound"] <= score["bound"]
    assert score["pixels/bound"] == pytest.approx(98.3, abs=0.05)
    assert score["classes/bound"] == pytest.approx(71.4, abs=0.05)
    assert cases[0].is_right is None


@pytest.mark.slow
def test_a_picture_costs_alone_what_it_costs_beside_others(trained):
    serve = trained.endpoints["serve"]
    raws = trained.task.examples()
    together = serve(tf.constant(raws))
    alone = [serve(tf.constant([raw])) for raw in raws]
    for key in ("bound", "importance_bound", "reconstruction"):
        ours = np.concatenate([each[key] for each in alone])
        np.testing.assert_allclose(ours, together[key], rtol=1e-4, atol=1e-5)
    assert (together["importance_bound"] <= together["bound"]).numpy().all()
    text = together["text"][0].numpy().decode()
    assert text.startswith(f"at most {together['importance_bound'][0].numpy():.1f} nats")


def test_new_pictures_are_those_of_the_steps_from_the_same_noise(trained):
    model, seed = trained.model, [7, 0]
    painted = trained.endpoints["generate"](4, seed)
    z = tf.random.stateless_normal([4, 3, 3], seed, alg="philox")
    state = model.initial_state(4)
    for t in range(3):
        canvas, state = model.step(z[:, t], state)
        np.testing.assert_allclose(painted["canvases"][:, t], canvas, atol=1e-5)
    np.testing.assert_array_equal(painted["pictures"], painted["canvases"][:, -1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="count must be"):
        trained.endpoints["generate"](0, seed)


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_the_same_numbers(drawer, data_dir, tmp_path):
    options = {**drawer.config.options, **drawer.config.task_options}
    options = {key: options[key] for key in ("units", "latent", "glimpses")}
    options |= {"batch_size": 629, "epochs": 2}
    half = public.fit(
        "draw-digits", data_dir=data_dir, runs=tmp_path, verbose=False, steps=1, **options
    )
    whole = public.resume(half, verbose=False, steps=4)
    for ours, theirs in zip(
        whole.restore_model().get_weights(), drawer.restore_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert whole.metrics_file.read_text() == drawer.metrics_file.read_text()


@pytest.mark.slow
def test_pictures_are_written_as_they_became_and_while_they_did(zoo, drawer, tmp_path):
    code, out, err = zoo("generate", drawer.path, "--count", 5, "--output", tmp_path / "new.png")
    assert (code, out, err) == (0, f"{tmp_path / 'new.png'}\n", "")
    gif = tmp_path / "deep" / "new.gif"
    code, out, _ = zoo("generate", drawer.path, "--count", 5, "--output", gif, "--json")
    assert code == 0 and json.loads(out) == {"file": str(gif), "count": 5, "seed": 1}
    with Image.open(tmp_path / "new.png") as png, Image.open(gif) as frames:
        assert png.size == frames.size and frames.n_frames == 3
        frames.seek(2)
        last = np.asarray(frames.convert("L")).astype(int)
        # A GIF has 256 colours at most.
        assert np.abs(last - np.asarray(png)).max() <= 2
    other = public.generate_pictures(drawer, tmp_path / "other.png", count=5, seed=2)
    assert other.read_bytes() != (tmp_path / "new.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --output FILE.png"),
        (["--count", 3], "give --output"),
        (["--output", "new.bmp"], "use .png or .gif"),
        (["--output", "new.png", "--count", 0], "count is 0, but 1 to 1024"),
        (["--output", "new.png", "--prompt", "a"], "--prompt is for texts"),
    ],
)
def test_what_paints_nothing_is_refused_in_one_line(zoo, drawer, arguments, message):
    code, out, err = zoo("generate", drawer.path, *arguments)
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1


def test_a_model_that_classifies_paints_nothing(data_dir, tmp_path):
    with pytest.raises(UserError, match="ImageClassification paints no pictures"):
        ImageClassification(data_dir=data_dir).paint(None, 1, 1)


def test_a_picture_is_answered_and_a_grey_one_refused(zoo, drawer, tmp_path):
    images, _ = binary_digits("test")
    (tmp_path / "seven.png").write_bytes(encode_png(images[0][..., None]))
    code, out, _ = zoo("predict", drawer.path, tmp_path / "seven.png")
    assert code == 0 and out.startswith("at most ") and "nats (50 draws; " in out
    grey = np.full((16, 16, 1), 128, "uint8")
    (tmp_path / "grey.png").write_bytes(encode_png(grey))
    code, out, err = zoo("predict", drawer.path, tmp_path / "grey.png")
    assert code == 2 and "pixels are grey: 256" in err and err.count("\n") == 1


def test_the_plots_show_the_picture_each_canvas_and_its_window(trained):
    figure = trained.task.plot(trained.model, trained.task.examples()[0])
    assert len(figure.axes) == 4
    assert [len(axes.patches) for axes in figure.axes] == [0, 1, 1, 1]
    figure = trained.task.plot_split(trained.model, "test", trained.settings)
    assert len(figure.axes) == 4 * 6


@pytest.mark.slow
def test_every_form_of_an_export_is_certified_and_paints_the_same(drawer, data_dir, tmp_path):
    formats = ("saved_model", "litert", "onnx")
    path = public.export(drawer, tmp_path / "drawer", formats=formats, data_dir=data_dir)
    assert public.verify(path, data_dir).holds
    differences = read_card(path)["certificate"]["differences"]
    for form in ("SavedModel", "litert/model.tflite", "onnx"):
        for endpoint in ("forward", "step"):
            assert differences[f"{form} {endpoint}"] < 1e-4
    loaded = tf.saved_model.load(str(path))
    ours = restore(drawer).endpoints["generate"](3, [1, 0])["pictures"]
    theirs = loaded.generate(3, [1, 0])["pictures"]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_own_pictures_are_read_from_folders_of_classes(data_dir, tmp_path):
    images, labels = binary_digits("test")
    for number, (image, label) in enumerate(zip(images[:60], labels)):
        folder = tmp_path / "mine" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(encode_png(image[..., None]))
    task = ImageGeneration(str(tmp_path / "mine"), str(tmp_path / "cache"))
    assert task.image_shape == [16, 16, 1]
    rows = sum(int(window["weights"].numpy().sum()) for split in ("train", "validation", "test")
               for window in task.windows(split, Settings(batch_size=10)))  # fmt: skip
    assert rows == 60

"""Transcription: what is served, drawn, measured and exported of models that read labels off."""

import json

import numpy as np
import pytest
import tensorflow as tf

import zoo as public
from tasks.transcription.task import Transcription
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.training.settings import Settings

UP_TO_3 = "digit_sequences/up_to_3"
SIZES = {"glimpses": 1, "glimpse_size": 4, "scales": 1, "glimpse_units": 6, "units": 6}
SMALL = {**SIZES, "batch_size": 128, "jit_compile": False, "schedule": "constant"}


@pytest.fixture(scope="module")
def task():
    return Transcription(UP_TO_3)


@pytest.fixture(scope="module")
def model(task):
    model = public.create("dram-sequence", **SIZES, **task.model_options())
    rng = np.random.default_rng(1)
    for weight in (*model.head.weights, *model.locator.weights):
        weight.assign(rng.normal(0, 1, weight.shape))
    return model


@pytest.fixture(scope="module")
def images(task):
    return task._read("test").images[:8]


def text_of(task, labels):
    """What labels are called, up to the first that is the end."""
    names = [task.classes[label] if label < 10 else "" for label in labels]
    return " ".join(names[: names.index("")] if "" in names else names)


def test_what_is_served_are_the_labels_of_the_path_without_chance(task, model):
    pictures = task.examples()
    served = task.endpoints(model)["serve"](tf.constant(pictures))
    path = model.follow(task._read("test").images[:3])
    sure = tf.nn.softmax(path.logits).numpy()
    for row, text in enumerate(served["text"].numpy()):
        labels = sure[row].argmax(axis=-1).tolist()
        assert text.decode() == text_of(task, labels)
        counted = labels.index(10) + 1 if 10 in labels else 4
        probability = sure[row].max(axis=-1)[:counted].prod()
        assert float(served["probability"][row]) == pytest.approx(probability, rel=1e-3)
    np.testing.assert_allclose(served["places"], path.places, atol=1e-4)


@pytest.mark.slow
def test_drawn_paths_have_names_of_their_own_and_are_the_mean_over_their_ends(task, model, images):
    average = task.endpoints(model)["average"]
    pictures = tf.constant(task.examples())
    plain = task.endpoints(model)["serve"](pictures)
    drawn = average(pictures, 5, [3, 0])
    assert {*drawn} - {*plain} == {"text_of_paths", "probability_of_paths"}
    np.testing.assert_array_equal(drawn["text"], plain["text"])
    noise = task.objective().sigma * tf.random.stateless_normal([5, 4, 2], [3, 0], alg="philox")
    for row in range(3):
        path = model.follow(tf.repeat(images[row : row + 1], 5, axis=0), noise)
        sure = tf.reduce_mean(tf.nn.softmax(path.logits), axis=0).numpy()
        expected = text_of(task, sure.argmax(axis=-1))
        assert drawn["text_of_paths"][row].numpy().decode() == expected
        alone = average(pictures[row : row + 1], 5, [3, 0])
        ours, theirs = alone["probability_of_paths"][0], drawn["probability_of_paths"][row]
        assert float(ours) == pytest.approx(float(theirs), rel=1e-3)
    for paths in (0, 65):
        with pytest.raises(tf.errors.InvalidArgumentError, match="paths must be 1 to 64"):
            average(pictures, paths, [3, 0])


@pytest.mark.slow
def test_what_is_measured_stands_beside_the_naive_and_drawn_paths_apart(task, model):
    settings = Settings(batch_size=240)
    task.draw_paths(2)
    score = task.score(model, "validation", settings)
    task.draw_paths(0)
    names = {"exact_match", "accuracy", "edit_distance"}
    assert {*score} == {"loss", *names, *(f"{p}/{n}" for p in ("naive", "drawn") for n in names)}
    # A sequence of one digit is ten times as common as any of two.
    assert 0.02 < score["naive/exact_match"] < 0.05
    images, labels = task._read("validation")
    answers = model(images).numpy().argmax(axis=-1)
    exact = [text_of(task, one) == text_of(task, other) for one, other in zip(answers, labels)]
    assert score["exact_match"] == pytest.approx(np.mean(exact))


@pytest.mark.slow
def test_the_metrics_lie_in_their_intervals_which_are_by_block(task, model, check_measured):
    score, cases, card = check_measured(task, model, Settings(batch_size=256))
    assert not any(name.startswith("drawn/") for name in score)
    labels = task._read("test").labels
    assert card["splits"]["test"]["examples"] == len(labels) == 1795
    assert text_of(task, labels[0]) == cases[0].expected
    rows = task.measure(model, "test", Settings(batch_size=256)).sums[1]
    assert len(np.unique(rows.groups)) == 59 and task.resampled == "blocks of digits"


def test_a_plot_has_a_column_a_glimpse_and_names_each_label(task, model):
    figure = task.plot(model, task.examples()[0])
    assert len(figure.axes) == 4 * (1 + 1 + 1)
    served = task.endpoints(model)["serve"](tf.constant(task.examples()[:1]))
    words = [word.decode() or "end" for word in served["tokens"][0].numpy()]
    titles = [axes.get_title() for axes in figure.axes[:4]]
    shown = words.index("end") + 1 if "end" in words else 4
    expected = [f"glimpse {n + 1}: {word}" for n, word in enumerate(words)]
    assert titles[:shown] == expected[:shown]


def test_a_model_that_names_one_thing_is_refused(task):
    with pytest.raises(UserError, match="names no labels of a picture one after the other"):
        task.check(public.create("digits-linear"))


def test_drawn_paths_are_for_models_that_look(tmp_path):
    with pytest.raises(UserError, match="averages no drawn paths"):
        public.evaluate("digits-mlp", paths=3)
    with pytest.raises(UserError, match="averages no drawn paths"):
        public.predict("digits-mlp", "saved_models/digits-mlp/examples/1.png", paths=3)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    runs = tmp_path_factory.mktemp("reader")
    return public.fit("dram-sequence", runs=runs, verbose=False, epochs=2, steps=8, **SMALL)


@pytest.mark.slow
def test_a_run_is_measured_and_answers_on_the_command_line(zoo, run, tmp_path):
    (tmp_path / "three.png").write_bytes(Transcription(UP_TO_3).examples()[0])
    code, out, err = zoo("predict", run.path, tmp_path / "three.png", "--paths", 4)
    assert code == 0 and err == "" and out.splitlines()[1].startswith("of drawn paths: ")
    code, out, _ = zoo("evaluate", run.path, "--paths", 2, "--json")
    metrics = json.loads(out)
    assert code == 0 and {"exact_match", "drawn/exact_match", "naive/exact_match"} <= {*metrics}
    code, out, err = zoo("evaluate", run.path, "--paths", 99)
    assert code == 2 and err.count("\n") == 1 and "paths is 99, but 0 to 64 is needed" in err


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_the_same_numbers(run, tmp_path):
    half = public.fit("dram-sequence", runs=tmp_path, verbose=False, epochs=2, steps=3, **SMALL)
    whole = public.resume(half, verbose=False, steps=8)
    ours, theirs = (each.restore_model().get_weights() for each in (whole, run))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.metrics_file.read_text() == run.metrics_file.read_text()


@pytest.mark.slow
def test_a_model_of_pairs_goes_on_with_longer_sequences(tmp_path):
    run = public.fit(
        "dram-sequence", runs=tmp_path, verbose=False, start_from="dram-pairs",
        epochs=1, steps=1, batch_size=64, jit_compile=False, learning_rate=1e-9,
    )  # fmt: skip
    images = Transcription(UP_TO_3)._read("test").images[:5]
    own, base = public.load(run), public.load("dram-pairs")
    assert own(images).shape == (5, 4, 11)
    np.testing.assert_allclose(own(images)[:, :2], base(images), atol=1e-3)


@pytest.mark.slow
def test_every_form_of_an_export_reads_alike(run, tmp_path):
    formats = ("saved_model", "litert", "onnx")
    path = public.export(run, tmp_path / "reader", formats=formats)
    assert public.verify(path).holds
    differences = read_card(path)["certificate"]["differences"]
    for form in ("SavedModel", "litert/model.tflite", "onnx"):
        for endpoint in ("forward", "step"):
            assert differences[f"{form} {endpoint}"] < 1e-4
    loaded = tf.saved_model.load(str(path))
    images = Transcription(UP_TO_3)._read("test").images[:2]
    path = public.load(run).follow(images)
    state = loaded.signatures["encode"](image=tf.constant(images))
    for t in range(4):
        place = state[f"state_{len(state) - 1}"]
        np.testing.assert_allclose(place, path.places[:, t], atol=1e-4)
        state = loaded.signatures["step"](x=place, **state)
        np.testing.assert_allclose(state.pop("outputs"), path.logits[:, t], atol=1e-4)

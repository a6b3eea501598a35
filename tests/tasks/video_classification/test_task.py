import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.common.images import fit_frames
from tasks.video_classification import dataset
from tasks.video_classification.dataset import FRAMES, track_points
from tasks.video_classification.over_time import logits_over_time
from tasks.video_classification.task import VideoClassification
from zoo import UserError
from zoo.evaluation.loop import evaluate
from zoo.readers import video
from zoo.readers.panel import Panel
from zoo.readers.video import fit_clip
from zoo.training.settings import Settings

SMALL = {"units": 16, "features": 12, "filters": (4, 4)}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder with a small preparation of the data set."""
    folder = str(tmp_path_factory.mktemp("clips"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "CLIPS", {"train": 48, "validation": 24, "test": 24})
        dataset.MovingDigits(data_dir=folder).download_and_prepare()
        dataset.MovingPoints(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(scope="module")
def task(clips):
    return VideoClassification(data_dir=clips)


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    return zoo.fit(
        "video-gru", data_dir=clips, runs=runs, epochs=1, batch_size=8, verbose=False, **SMALL
    )


@pytest.fixture(scope="module")
def export(run, tmp_path_factory):
    return zoo.export(run, tmp_path_factory.mktemp("exports") / "video-gru")


def test_a_window_holds_whole_clips_with_their_lengths_and_classes(task):
    windows = list(task.windows("test", Settings(batch_size=16)))
    assert len(windows) == 2 and sum(w["weights"].numpy().sum() for w in windows) == 24
    window = windows[0]
    assert window["inputs"]["frames"].shape == (16, dataset.FRAMES, *task.frame_shape)
    assert (window["inputs"]["lengths"] == dataset.FRAMES).numpy().all()
    assert window["targets"].numpy().max() < len(task.classes)


@pytest.mark.slow
def test_shorter_clips_are_padded_and_do_not_feel_it(run):
    model = zoo.load(run)
    inputs = model.example_inputs(2, time=6)
    rng = np.random.default_rng(1)
    inputs["frames"] = rng.integers(0, 255, inputs["frames"].shape).astype("uint8")
    inputs["lengths"] = np.array([6, 3], "int32")
    short = {"frames": inputs["frames"][1:, :3], "lengths": np.array([3], "int32")}
    np.testing.assert_allclose(model(inputs)[1], model(short)[0], atol=1e-5)


@pytest.mark.slow
def test_run_and_export_say_the_same_of_array_clips(run, export, tmp_path):
    other = np.random.default_rng(1).integers(0, 255, (5, 50, 40, 3)).astype("uint8")
    np.save(tmp_path / "other.npy", other)
    clips = [*sorted((export / "assets.extra" / "examples").iterdir()), tmp_path / "other.npy"]
    said, again = zoo.predict(export, *clips), zoo.predict(run, *clips)
    assert [answer["text"] for answer in said] == [answer["text"] for answer in again]
    assert all(answer["text"] in dataset.MOTIONS for answer in said)
    assert 0 < said[-1]["probability"] <= 1


@pytest.mark.slow
def test_a_video_of_any_length_is_shown_in_parts(run, export, tmp_path, monkeypatch, write_video):
    path = str(write_video(tmp_path / "clip.mp4", range(0, 240, 8), rate=16))
    (whole,) = zoo.predict(run, path)
    monkeypatch.setattr(video, "_CLIP_PART", 4)
    for source in (run, export):
        (answer,) = zoo.predict(source, path)
        # Read at the rate of training, 8 a second.
        assert np.shape(answer["confidence"]) == (15, len(dataset.MOTIONS))
        np.testing.assert_allclose(answer["confidence"], whole["confidence"], atol=1e-5)
        assert answer["text"] == answer["classes"][np.argmax(answer["confidence"][-1])]
        assert answer["probability"] == pytest.approx(max(answer["confidence"][-1]))


@pytest.mark.slow
def test_the_confidence_is_that_of_the_clip_up_to_each_frame(run, task):
    model = zoo.load(run)
    clip = np.random.default_rng(1).integers(0, 255, (2, 9, 32, 32, 1)).astype("float32")
    prefixes = [model({"frames": clip, "lengths": np.full(2, n, "int32")}) for n in range(1, 10)]
    logits, state = logits_over_time(model, clip)
    np.testing.assert_allclose(logits, np.stack(prefixes, axis=1), atol=1e-4)
    first, state = logits_over_time(model, clip[:, :4])
    second, _ = logits_over_time(model, clip[:, 4:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), logits, atol=1e-5)


@pytest.mark.slow
def test_a_clip_of_no_frames_shows_no_class(run, task, export):
    empty = np.zeros((2, 0, 32, 32, 3), "uint8")
    model, loaded = zoo.load(run), tf.saved_model.load(export)
    for serve in (task.served(model)["serve"], loaded.serve):
        with pytest.raises(tf.errors.InvalidArgumentError, match="no time steps"):
            serve(empty)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no time steps"):
        loaded.serve_part(empty, loaded.initial_state(2))


@pytest.mark.slow
def test_of_a_long_video_the_beginning_is_drawn(run, tmp_path, monkeypatch, capsys):
    np.save(tmp_path / "long.npy", np.zeros((7, 32, 32, 3), "uint8"))
    monkeypatch.setattr(video, "_LONGEST_CLIP", 5)
    file = tmp_path / "long.png"
    assert zoo.plot(run, str(tmp_path / "long.npy"), path=file) == [file]
    assert "long.npy is long: only its first 5 frames are drawn" in capsys.readouterr().err


@pytest.mark.slow
def test_figures_and_pictures_tell_of_each_class(run, task, clips):
    figures = zoo.evaluate(run, data_dir=clips)
    assert {"accuracy", "loss", "balanced_accuracy"} < set(figures)
    assert {f"{name}/zoom_in" for name in ("recall", "precision", "f1")} < set(figures)
    recalls = [figures[f"recall/{motion}"] for motion in dataset.MOTIONS]
    assert figures["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert figures["accuracy"] == pytest.approx(np.mean(recalls)), "as many clips of each"
    model = zoo.load(run)
    matrix = task.plot_split(model, "test", Settings(batch_size=8)).axes[0]
    assert sum(int(text.get_text()) for text in matrix.texts) == 24
    lines = task.plot(model, task.examples()[0]).axes[0].lines
    assert len(lines[0].get_ydata()) == dataset.FRAMES


@pytest.fixture(scope="module")
def own(tmp_path_factory, write_video):
    """A person's folder: clips that get lighter and clips that get darker, and an index of them."""
    folder = tmp_path_factory.mktemp("own")
    lines = ["path,label,group"]
    for index, ending in enumerate((".mp4", ".gif", ".avi", ".webm", ".mov", ".mkv")):
        levels = list(range(20, 200, 15 + index))
        for label, shown in (("lighter", levels), ("darker", levels[::-1])):
            write_video(folder / label / f"{index}{ending}", shown)
            lines.append(f"{label}/{index}{ending},{label},{index // 2}")
    (folder / "index.csv.txt").write_text("\n".join(lines))
    return folder


@pytest.mark.slow
def test_a_folder_of_videos_trains(own, tmp_path, capsys):
    run = zoo.fit(
        "video-gru", str(own), str(tmp_path), runs=tmp_path / "runs", verbose=False, steps=2,
        batch_size=4, frame_shape=[8, 8, 1], **SMALL,
    )  # fmt: skip
    said = capsys.readouterr().err
    assert said.count("clips of") == 1 and "all" in said
    assert json.loads((run.path / "config.json").read_text())["options"]["frame_shape"] == [8, 8, 1]
    (answer,) = zoo.predict(run, str(own / "lighter" / "0.mp4"))
    assert answer["classes"] == ["darker", "lighter"] and len(answer["confidence"]) == 12


def test_an_index_keeps_groups_together(own, tmp_path):
    (own / "index.csv").write_text((own / "index.csv.txt").read_text())
    task = VideoClassification(str(own / "index.csv"), str(tmp_path), frame_shape=[4, 4, 3])
    for split, count in (("train", 4), ("validation", 4), ("test", 4)):
        (window,) = task.windows(split, Settings(batch_size=4))
        assert window["weights"].numpy().sum() == count
        assert sorted(window["targets"].numpy()) == [0, 0, 1, 1], "one group of both classes"
    (own / "index.csv").unlink()


@pytest.mark.slow
def test_long_clips_can_be_shown_whole(own, tmp_path):
    task = VideoClassification(
        str(own), str(tmp_path), frame_shape=[8, 8, 1], clip_length=5, whole=True
    )
    model = zoo.create("video-gru", **task.model_options(), **SMALL)
    settings = Settings(batch_size=2)
    windows = task.windows("train", settings)
    carried = evaluate(model, windows, task.objective()).metrics()
    clips = task._clips("train")
    assert clips.lengths.min() > 5
    whole = [model({"frames": clips.clip(i)[None], "lengths": clips.lengths[[i]]})[0]
             for i in range(len(clips.labels))]  # fmt: skip
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(clips.labels, whole)
    assert carried["loss"] == pytest.approx(np.mean(loss), abs=1e-5)
    told = task.score(model, "train", settings)
    assert told["accuracy"] == np.mean(np.argmax(whole, axis=1) == clips.labels)


def test_whole_clips_are_not_for_models_that_read_from_both_ends(clips):
    task = VideoClassification(data_dir=clips, whole=True)
    task.check(SimpleNamespace(steppable=True))
    with pytest.raises(UserError, match="reads clips from both ends"):
        task.check(SimpleNamespace(steppable=False))


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    """Two classes of sequences of two features, whose means and scales differ much."""
    folder = tmp_path_factory.mktemp("sensors")
    rng = np.random.default_rng(1)
    for label, slope in (("up", 1.0), ("down", -1.0)):
        (folder / label).mkdir()
        for index in range(8):
            time = np.arange(4 + index)[:, None]
            steps = np.hstack([1000 + 50 * slope * time, 0.01 * rng.normal(size=time.shape)])
            np.savetxt(folder / label / f"{index}.csv", steps, delimiter=",", header="x,y")
    return folder


@pytest.mark.slow
def test_sequences_train_and_travel_with_their_normalisation(sensors, tmp_path):
    run = zoo.fit(
        "video-gru", str(sensors), str(tmp_path), runs=tmp_path / "runs", verbose=False, steps=2,
        batch_size=4, **SMALL,
    )  # fmt: skip
    config = json.loads((run.path / "config.json").read_text())
    assert config["options"]["encoder"] == "none" and config["options"]["frame_shape"] == [2]
    task = VideoClassification(**config["task_config"])
    frames, lengths = (
        np.concatenate([w["inputs"][name] for w in task.windows("train", Settings(batch_size=6))])
        for name in ("frames", "lengths")
    )
    steps = np.concatenate([row[:length] for row, length in zip(frames, lengths)])
    np.testing.assert_allclose(steps.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(steps.std(axis=0), 1, atol=1e-4)
    path = str(sensors / "up" / "3.csv")
    (said,) = zoo.predict(run, path)
    (exported,) = zoo.predict(zoo.export(run, tmp_path / "export"), path)
    assert exported["text"] == said["text"]
    assert exported["probability"] == pytest.approx(said["probability"], abs=1e-5)
    assert len(said["confidence"]) == 7


def test_points_in_a_plane_can_be_drawn_and_other_inputs_say_why_not(sensors, bodies, clips):
    assert VideoClassification(data_dir=clips).panel() == Panel()
    panel = VideoClassification(str(sensors)).panel()
    task = VideoClassification(str(sensors))
    low, high = panel.movement.low, panel.movement.high
    np.testing.assert_allclose(np.add(low, high) / 2, task.mean)
    np.testing.assert_allclose(np.subtract(high, low), 5 * np.array(task.deviation))
    assert panel.made == "movement" and not panel.movement.down_first
    note = VideoClassification(str(bodies), joints=3).panel().note
    assert note.startswith("Bodies of 4 joints are not drawn") and "file" in note
    note = VideoClassification(str(bodies)).panel().note
    assert note.startswith("12 numbers a step are no point")


def test_a_digit_that_is_drawn_begins_as_one_that_is_tracked():
    sizes = {"classes": ["up"], "frame_shape": [6], "mean": [0.5] * 6, "deviation": [0.3] * 6}
    movement = VideoClassification("moving_points", **sizes).panel().movement
    noise = SimpleNamespace(normal=lambda *_: 0.0)
    tracked = track_points(np.array([[0.5, 0.5, 0.0, 0.5]]), noise)[0]
    assert movement.down_first and movement.wraps and movement.steps == FRAMES
    drawn = [number for across, down in movement.points for number in (down, across)]
    np.testing.assert_allclose(drawn, tracked, atol=1e-6)


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """Two classes of movements of four joints in space, of which no two people stand alike."""
    folder = tmp_path_factory.mktemp("bodies")
    rng = np.random.default_rng(1)
    for label, up in (("raise", 1.0), ("lower", -1.0)):
        (folder / label).mkdir()
        for index in range(8):
            joints = np.tile(rng.normal(size=(1, 4, 3)), (6 + index, 1, 1))
            joints[:, 2, 1] += up * np.arange(len(joints))
            place = 50 * rng.normal(size=3)
            np.save(folder / label / f"{index}.npy", (joints + place).reshape(len(joints), 12))
    return folder


def test_a_body_is_told_apart_wherever_it_stands(bodies):
    task = VideoClassification(str(bodies), joints=3, mirror="0-1")
    model = zoo.create("sequence-gru", units=6, mixed=6, layers=1, **task.model_options())
    assert model.pace and model.view.other_sides == (1, 0, 2, 3)
    serve = task.served(model)["serve"]
    clip = np.load(bodies / "raise" / "3.npy").astype("float32")[None]
    here = serve(clip)["probabilities"]
    np.testing.assert_allclose(
        serve(clip + np.tile([3, -2, 7], 4))["probabilities"], here, atol=1e-4
    )
    assert np.abs(serve(clip * [[[1.3]]])["probabilities"] - here).max() > 1e-5


@pytest.mark.slow
def test_bodies_train_resume_and_are_exported(bodies, tmp_path):
    small = {"units": 6, "mixed": 6, "layers": 1, "batch_size": 4, "joints": 3, "mirror": "0-1"}
    settings = {**small, "epoch_windows": 2, "schedule": "constant", "verbose": False}
    whole, part = (
        zoo.fit("sequence-gru", str(bodies), runs=tmp_path / name, steps=steps, **settings)
        for name, steps in (("whole", 6), ("part", 2))
    )
    again = zoo.resume(part, steps=6, verbose=False)
    for one, other in zip(zoo.load(whole).weights, zoo.load(again).weights):
        np.testing.assert_array_equal(one, other)
    path = str(bodies / "raise" / "3.npy")
    (answer,) = zoo.predict(whole, path)
    (exported,) = zoo.predict(zoo.export(whole, tmp_path / "export"), path)
    assert exported["text"] == answer["text"]
    assert exported["probability"] == pytest.approx(answer["probability"], abs=1e-5)


@pytest.mark.slow
def test_a_model_of_vectors_has_bundled_data_of_its_own(clips, tmp_path, monkeypatch):
    checked = []
    monkeypatch.setattr(VideoClassification, "check", lambda _, model: checked.append(model.name))
    run = zoo.fit("sequence-gru", data_dir=clips, runs=tmp_path, steps=1, units=8, verbose=False)
    config = json.loads((run.path / "config.json").read_text())
    assert config["task_config"]["dataset"] == "moving_points"
    assert len(config["task_config"]["mean"]) == 6 and len(checked) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames_per_second": -1.0}, "frames_per_second is -1.0"),
        ({"clip_length": -1}, "clip_length is -1"),
        ({"frame_shape": [64, 64]}, r"frame_shape is \[64, 64\]"),
        ({"frame_shape": [64, 64, 2]}, "1 or 3 channels"),
        ({"joints": 3}, "joints is 3, but a time step is of"),
        ({"mirror": "1-2"}, "mirror is 1-2, but joints is 0"),
        ({"dataset": "missing.csv"}, r"there is no file or folder \S+missing.csv"),
    ],
)
def test_options_out_of_range_are_refused(clips, options, said):
    with pytest.raises(UserError, match=said):
        VideoClassification(**{"data_dir": clips, **options})


def test_an_export_cuts_and_resizes_frames_like_the_training():
    rows, columns = np.mgrid[:60, :90]
    smooth = np.stack([2 * rows, 2 * columns, rows + columns], axis=-1)[None].astype("uint8")
    for shape in ((20, 20, 3), (12, 24, 3), (20, 20, 1)):
        in_graph = fit_frames(tf.constant(smooth[None]), shape)[0]
        np.testing.assert_allclose(in_graph, fit_clip(smooth, shape), atol=3)


def test_the_configuration_needs_no_data(task):
    again = VideoClassification(**{**task.get_config(), "data_dir": "/nowhere"})
    assert again.model_options() == task.model_options()


@pytest.mark.slow
def test_clips_are_measured_one_by_one(task, run, check_measured):
    _, cases, card = check_measured(task, zoo.load(run), Settings(batch_size=16))
    assert cases[0].raw.shape[-1] == 3 and card["splits"]["test"]["examples"] == 24

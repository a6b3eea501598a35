import numpy as np
import pytest

import zoo
from tasks.video_classification import dataset
from tasks.video_classification.task import VideoClassification
from zoo.training.settings import Settings

SMALL = {"units": 16, "features": 12, "filters": (4, 4)}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder with a small preparation of the data set."""
    folder = str(tmp_path_factory.mktemp("clips"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "CLIPS", {"train": 48, "validation": 24, "test": 24})
        dataset.MovingDigits(data_dir=folder).download_and_prepare()
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


def test_a_window_holds_whole_clips_with_their_lengths_and_classes(task):
    windows = list(task.windows("test", Settings(batch_size=16)))
    assert len(windows) == 2 and sum(w["weights"].numpy().sum() for w in windows) == 24
    window = windows[0]
    assert window["inputs"]["frames"].shape == (16, dataset.FRAMES, *task.frame_shape)
    assert (window["inputs"]["lengths"] == dataset.FRAMES).numpy().all()
    assert window["targets"].numpy().max() < len(task.classes)


def test_shorter_clips_are_padded_and_do_not_feel_it(run):
    model = zoo.load(run)
    inputs = model.example_inputs(2, time=6)
    rng = np.random.default_rng(1)
    inputs["frames"] = rng.integers(0, 255, inputs["frames"].shape).astype("uint8")
    inputs["lengths"] = np.array([6, 3], "int32")
    short = {"frames": inputs["frames"][1:, :3], "lengths": np.array([3], "int32")}
    np.testing.assert_allclose(model(inputs)[1], model(short)[0], atol=1e-5)


def test_run_and_export_say_the_same_of_array_clips(run, tmp_path):
    export = zoo.export(run, tmp_path / "export")
    clips = sorted(map(str, (export / "assets.extra" / "examples").iterdir()))
    said = zoo.predict(export, *clips)
    assert [a["text"] for a in said] == [a["text"] for a in zoo.predict(run, *clips)]
    assert all(answer["text"] in dataset.MOTIONS for answer in said)
    other = np.random.default_rng(1).integers(0, 255, (5, 50, 40, 3)).astype("uint8")
    np.save(tmp_path / "other.npy", other)
    (answer,) = zoo.predict(export, str(tmp_path / "other.npy"))
    assert answer["text"] in dataset.MOTIONS and 0 < answer["probability"] <= 1


def test_the_configuration_needs_no_data(task):
    again = VideoClassification(**{**task.get_config(), "data_dir": "/nowhere"})
    assert again.model_options() == task.model_options()

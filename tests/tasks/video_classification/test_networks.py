import numpy as np
import pytest

import zoo
from tasks.video_classification import dataset
from tasks.video_classification.task import VideoClassification
from zoo import UserError
from zoo.training.settings import Settings

SHAPE = [32, 32, 3]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder with a small preparation of the data set."""
    folder = str(tmp_path_factory.mktemp("clips"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "CLIPS", {"train": 12, "validation": 12, "test": 12})
        dataset.MovingDigits(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture
def seeing(clips, tiny_weights):
    return {
        "data_dir": clips,
        "network": "TinyNet",
        "weights": tiny_weights,
        "frame_shape": SHAPE,
    }


@pytest.mark.slow
def test_a_network_looks_at_each_frame_once(seeing, capsys):
    task = VideoClassification(**seeing)
    (window,) = task.windows("test", Settings(batch_size=12))
    assert "TinyNet has looked at moving_digits, test, 12 clips, in 0.0 min" in (
        capsys.readouterr().err
    )
    seen = window["inputs"]["frames"].numpy()
    assert seen.shape == (12, dataset.FRAMES, 6) and seen.dtype == np.float16
    assert task.model_options()["frame_shape"] == [6]
    # What is shown on a card is what was filmed.
    frames = task.cases(12)[3].raw
    assert frames.shape == (dataset.FRAMES, *SHAPE) and frames.dtype == np.uint8
    np.testing.assert_allclose(seen[3], task.network.vectors(frames), rtol=2e-3, atol=1e-3)
    again = VideoClassification(**task.get_config())
    again.network.vectors_of = None
    (window,) = again.windows("test", Settings(batch_size=12))
    np.testing.assert_array_equal(window["inputs"]["frames"], seen)
    assert "has looked" not in capsys.readouterr().err


def test_a_network_looks_at_no_vectors(seeing):
    with pytest.raises(UserError, match=r"TinyNet looks at pictures, but .* has vectors"):
        VideoClassification(**{**seeing, "frame_shape": [6]})
    with pytest.raises(UserError, match="weights are given, but no network"):
        VideoClassification(**{**seeing, "network": ""})


@pytest.mark.slow
def test_what_a_network_sees_is_learned_from_and_exports_take_frames(seeing, tmp_path):
    run = zoo.fit("video-gru", runs=tmp_path, epochs=1, units=8, verbose=False, **seeing)
    export = zoo.export(run, tmp_path / "export")
    clip = tmp_path / "clip.npy"
    np.save(clip, np.random.default_rng(1).integers(0, 255, (5, 50, 40, 3)).astype("uint8"))
    (said,), (again,) = zoo.predict(export, clip), zoo.predict(run, clip)
    assert said["text"] == again["text"] and np.shape(said["confidence"])[0] == 5
    np.testing.assert_allclose(said["confidence"], again["confidence"], atol=1e-4)

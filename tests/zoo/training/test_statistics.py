import keras
import numpy as np
import pytest

from tests.zoo.training.stopping import StopAfter
from zoo.topologies.many_to_one import ManyToOne
from zoo.training.checkpoints import Checkpoints
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows

ROWS = 4


def clips(shuffle_seed=None):
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (12, 3, 8, 8, 1)).astype("uint8")
    inputs = {"frames": frames, "lengths": np.full(12, 3, "int32")}
    return example_windows(inputs, rng.integers(0, 8, 12), np.ones(12), ROWS, shuffle_seed)


def trained(folder=None, start=None, stop_after=None, epochs=2):
    """The metrics, and for each epoch a mean after its last update, and in validation."""
    keras.utils.set_random_seed(3)
    model = ManyToOne(frame_shape=(8, 8, 1), filters=(4,), features=6, units=5, augment=0.3)
    norm = next(x for x in model.encoder.layers if isinstance(x, keras.layers.BatchNormalization))
    means = []

    class Watch(StopAfter):
        def on_train_batch_end(self, batch, logs=None):
            self.running = norm.moving_mean.numpy()

        def on_epoch_end(self, epoch, logs=None):
            means.append((self.running, norm.moving_mean.numpy()))

    settings = Settings(epochs=epochs, batch_size=ROWS, learning_rate=0.1, save_steps=1)
    trainer = Trainer(model, settings, seed=5)
    saved = Checkpoints(folder) if folder else None
    history = trainer.fit(clips(2), clips(), [Watch(stop_after)], saved, start)
    return history, means


@pytest.mark.slow
def test_statistics_are_measured_before_validation():
    _, means = trained(epochs=1)
    running, measured = means[0]
    # After three updates, running averages are still 0.73 of what they were at first: 0.
    assert np.abs(measured - running).max() > 0.2 * np.abs(measured).max()


@pytest.mark.slow
@pytest.mark.compiled
def test_a_stopped_run_that_measures_and_augments_goes_on_bit_by_bit(tmp_path):
    (tmp_path / "whole").mkdir()
    history, _ = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, stop_after=4)
    start, _ = Checkpoints(tmp_path).newest()
    assert start.position.updates == 4
    assert trained(tmp_path, start=start)[0] == history
    ends = [Checkpoints(folder).newest()[0] for folder in (tmp_path, tmp_path / "whole")]
    for one, other in zip(*(end.variables for end in ends), strict=True):
        np.testing.assert_array_equal(one, other)

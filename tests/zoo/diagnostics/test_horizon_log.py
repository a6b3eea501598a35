import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.diagnostics.horizon_log import HorizonLog
from zoo.errors import UserError
from zoo.training.objectives import CrossEntropy
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import stream_windows


def windows():
    rows = np.random.default_rng(1).integers(0, 9, (2, 21))
    return stream_windows([(row[:-1], row[1:], np.ones(20)) for row in rows], 2, 10, cut=True)


def trained(*callbacks):
    keras.utils.set_random_seed(1)
    model = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.2)
    Trainer(model, Settings(epochs=2)).fit(windows(), windows(), callbacks)
    return [weight.numpy() for weight in model.weights]


@pytest.mark.slow
def test_the_horizon_is_drawn_and_training_is_not_disturbed(tmp_path):
    log = HorizonLog(tmp_path / "logs", tmp_path / "plots" / "it.png", CrossEntropy(), windows())
    for one, other in zip(trained(log), trained()):
        np.testing.assert_array_equal(one, other)
    assert log.path.read_bytes().startswith(b"\x89PNG")
    assert [len(values) for values in log.horizons.values()] == [3]
    (file,) = log.folder.iterdir()
    events = [e for e in tf.compat.v1.train.summary_iterator(str(file)) if e.summary.value]
    tags = [(event.step, event.summary.value[0].tag) for event in events]
    both = ["horizon/layer 1", "horizon"]
    assert tags == [(step, tag) for step in range(3) for tag in both]


def test_a_model_without_a_recurrence_is_refused(tmp_path):
    model = zoo.create("digits-linear")
    log = HorizonLog(tmp_path, tmp_path / "it.png", CrossEntropy(), [])
    log.set_model(model)
    window = {
        "inputs": np.zeros((2, 8, 8, 1), "uint8"),
        "targets": np.zeros(2, "int32"),
        "weights": np.ones(2, "float32"),
        "reset": np.ones(2, "int32"),
    }
    log.windows = [window]
    with pytest.raises(UserError, match="no recurrence"):
        log.on_train_begin()

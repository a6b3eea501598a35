import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from zoo.errors import UserError
from zoo.training.callbacks import Curves, KeepBest, Progress, TensorBoard
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows


@pytest.fixture
def model():
    return zoo.create("digits-linear", classes=2, image_shape=(2, 2, 1))


@pytest.mark.parametrize(
    ("monitor", "values", "best", "epochs"),
    [
        ("val_loss", [3, 2, 4, 5, 1], 1, 4),
        ("val_accuracy", [0.2, 0.5, 0.4, 0.6, 0.1, 0.3], 3, 6),
    ],
)
def test_the_best_weights_are_kept_and_patience_ends(
    model, tmp_path, monitor, values, best, epochs
):
    keep = KeepBest(tmp_path / "best.weights.h5", monitor, patience=2)
    keep.set_model(model)
    model.stop_training = False
    done = 0
    for value in values:
        model.head.bias.assign([done, done])
        keep.on_epoch_end(done, {monitor: value})
        done += 1
        if model.stop_training:
            break
    assert done == epochs
    model.load_weights(tmp_path / "best.weights.h5")
    assert model.head.bias.numpy().tolist() == [best, best]


@pytest.mark.parametrize(
    ("examples", "best"),
    # One lucky epoch of few examples is not the best; of equal ones the last is.
    [(199, 5), (200, 1), (0, 1)],
)
def test_few_examples_choose_by_several_epochs(model, tmp_path, examples, best):
    values = [0.5, 1.0, 0.5, 0.9, 0.9, 0.9]
    for begin in (0, 3):
        # A run that goes on from its third epoch has seen those before.
        history = [{"val_accuracy": value} for value in values[:begin]]
        keep = KeepBest(tmp_path / "best.weights.h5", "val_accuracy", 9, history, examples)
        keep.set_model(model)
        for done, value in enumerate(values[begin:], begin):
            model.head.bias.assign([done, done])
            keep.on_epoch_end(done, {"val_accuracy": value})
        model.load_weights(tmp_path / "best.weights.h5")
        assert model.head.bias.numpy().tolist() == [best, best]


def test_two_lucky_epochs_at_the_beginning_are_not_the_best(model, tmp_path):
    keep = KeepBest(tmp_path / "best.weights.h5", "val_accuracy", 9, (), 20)
    keep.set_model(model)
    for done, value in enumerate([0.9, 0.9, 0.6, 0.8, 0.7]):
        model.head.bias.assign([done, done])
        keep.on_epoch_end(done, {"val_accuracy": value})
    # Of the means of three, 0.8, 0.77 and 0.7, that of the third epoch is.
    model.load_weights(tmp_path / "best.weights.h5")
    assert model.head.bias.numpy().tolist() == [2, 2] and keep.best_epoch == 3


def test_an_accuracy_of_few_examples_is_told_with_its_interval(model, capfd):
    windows = example_windows(np.zeros((20, 2, 2, 1)), np.zeros(20, int), np.ones(20), 4)
    progress = Progress("test", Settings(), examples=20)
    Trainer(model, Settings(epochs=1)).fit(windows, windows, [progress])
    # By Wilson's formula, 20 of 20 and 0 of 20.
    told = capfd.readouterr().err
    assert "of 20 examples: 0.84 to 1.00" in told or "of 20 examples: 0.00 to 0.16" in told


def test_training_that_fails_takes_its_bar_away_and_draws_what_there_is(model, tmp_path, capfd):
    windows = example_windows(np.zeros((4, 2, 2, 1)), np.zeros(4, int), np.ones(4), 2)

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    progress, curves = Progress("test", Settings()), Curves(tmp_path / "curves.png")
    with pytest.raises(KeyboardInterrupt):
        Trainer(model, Settings(epochs=3)).fit(windows, windows, [progress, curves, Interrupt()])
    assert progress.bar.finished is False and not progress.bar.live.is_started
    assert (tmp_path / "curves.png").is_file()


def test_an_unknown_optimizer_is_refused_before_anything_is_written(data_dir, tmp_path):
    with pytest.raises(UserError, match="adan"):
        zoo.fit("digits-linear", data_dir=data_dir, runs=tmp_path / "runs", optimizer="adan")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["learning_rate", "clip_norm", "minutes"])
def test_settings_that_are_no_number_are_refused(name):
    with pytest.raises(UserError, match=f"{name} is nan"):
        Settings(**{name: float("nan")})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": -1}, "steps is -1, but at least 0 is needed"),
        ({"decay": 0.0}, "decay is 0.0, but more than 0 and at most 1 is needed"),
        ({"accumulate": 65}, "accumulate is 65, but 1 to 64 is needed"),
        ({"precision": "float64"}, "float32, mixed_bfloat16 or mixed_float16 is needed"),
        ({"save_steps": 0}, "save_steps is 0, but at least 1 is needed"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        Settings(**settings)


def test_tensorboard_finds_the_figures_of_each_epoch(model, tmp_path):
    windows = example_windows(np.zeros((4, 2, 2, 1)), np.zeros(4, int), np.ones(4), 2)
    history = Trainer(model, Settings(epochs=2)).fit(windows, windows, [TensorBoard(tmp_path)])
    events = EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    found = [float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors("epoch_loss")]
    assert found == pytest.approx(history["loss"])

"""Learning rates over time."""

import itertools
import time

import numpy as np
import pytest

from zoo.errors import UserError
from zoo.training.checkpoints import Checkpoints
from zoo.training.schedules import learning_rate
from zoo.training.trainer import Trainer
from zoo.training.windows import stream_windows


def _rates(text, settled, model, **changes):
    windows = stream_windows(text(20), 1, 5, cut=True)
    history = Trainer(model, settled(**changes)).fit(windows, windows)
    return pytest.approx(history["learning_rate"], rel=1e-5)


@pytest.mark.slow
def test_a_staircase_falls_at_each_epoch_after_the_first_ones(model, random_text, plain_settings):
    rates = _rates(
        random_text,
        plain_settings,
        model,
        epochs=4,
        schedule="staircase",
        hold=2,
        decay=0.5,
        learning_rate=1.0,
    )
    # The rate that is told is that of the next update.
    assert rates == [1.0, 0.5, 0.25, 0.25]


@pytest.mark.slow
def test_a_plateau_lowers_the_rate_where_validation_gets_no_better(
    model, random_text, plain_settings
):
    windows = stream_windows(random_text(20), 1, 5, cut=True)
    settings = plain_settings(epochs=4, schedule="plateau", decay=0.25, learning_rate=1e-12)
    history = Trainer(model, settings).fit(windows, windows)
    worse = np.array(history["val_loss"][1:]) >= np.minimum.accumulate(history["val_loss"])[:-1]
    assert worse.any()
    falls = np.concatenate([[0], np.cumsum(worse)])
    # An epoch's own figure is from before its fall.
    expected = 1e-12 * 0.25 ** np.concatenate([[0], falls[:-1]])
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-5)


def test_keras_schedules_and_optimizers_come_by_name(model, random_text, plain_settings):
    config = {"decay_steps": 4, "decay_rate": 0.5}
    rates = _rates(
        random_text,
        plain_settings,
        model,
        epochs=2,
        optimizer="sgd",
        optimizer_config={"momentum": 0.9},
        schedule="ExponentialDecay",
        schedule_config=config,
        learning_rate=0.1,
    )
    assert rates == [0.05, 0.025] and model.optimizer.momentum == 0.9


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"schedule": "ExponentialDecai"}, "unknown schedule .* did you mean ExponentialDecay"),
        ({"schedule": "ExponentialDecay"}, "cannot be made from schedule_config"),
        ({"schedule_config": {"decay_steps": 4}}, "schedule_config is .* constant takes none"),
    ],
)
def test_unknown_schedules_are_told_at_once(model, wrong, said, plain_settings):
    with pytest.raises(UserError, match=said):
        Trainer(model, plain_settings(**wrong))


def test_a_time_budget_brings_the_cosine_to_its_end(
    model, monkeypatch, random_text, plain_settings
):
    """Each look at the clock takes a second of the sixty."""
    seconds = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))
    windows = stream_windows(random_text(4000), 2, 5, cut=True)
    settings = plain_settings(epochs=9, minutes=1.0, schedule="cosine", learning_rate=0.5)
    history = Trainer(model, settings).fit(windows, windows.take(1))
    assert len(history["loss"]) == 1 and int(model.optimizer.iterations) < 70
    assert history["learning_rate"][0] == pytest.approx(0, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("before, after", [(0.0, 60.0), (60.0, 0.0)])
def test_a_run_is_resumed_with_or_without_a_time_budget(
    model, tmp_path, before, after, random_text, plain_settings
):
    windows, saved = stream_windows(random_text(20), 2, 5, cut=True), Checkpoints(tmp_path)
    plain = {"schedule": "cosine", "learning_rate": 0.5}
    Trainer(model, plain_settings(**plain, minutes=before)).fit(windows, windows, (), saved)
    start, _ = saved.newest()
    settings = plain_settings(**plain, epochs=2, minutes=after)
    history = Trainer(model, settings).fit(windows, windows, (), None, start)
    assert int(model.optimizer.iterations) == 4
    # Of four updates two are done.
    rate = 0.25 * (1 + np.cos(np.pi * (3 if after else 4) / 4))
    assert history["learning_rate"][1] == pytest.approx(rate, abs=1e-4)


def test_a_rate_that_only_cosine_raises_is_refused_elsewhere(plain_settings):
    with pytest.raises(UserError, match=r"warmup is 0.1, but constant has none"):
        learning_rate(plain_settings(schedule="constant", warmup=0.1), 10)

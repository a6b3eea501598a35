import numpy as np
import pytest
import tensorflow as tf

from tasks.forecasting.answers import level_of, quantile, sentence
from zoo.readers.frequency import Frequency
from zoo.readers.series_text import answer_text, at_level

LEVELS = [0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975]


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize("levels", [LEVELS, [0.1, 0.5, 0.9], [0.05, 0.45, 0.95]])
def test_the_graph_says_what_python_says(horizon, levels):
    random = np.random.default_rng(1)
    fans = np.sort(random.normal(size=(40, horizon, len(levels))), axis=-1)
    # From millionths to millions, also around zero, far from it, and of no width.
    fans = fans * 10.0 ** random.integers(-7, 8, (40, 1, 1)) + random.choice(
        [0, -3, 1e6], (40, 1, 1)
    )
    fans[0] = 5
    fans[1] = 0
    frequency = Frequency("second", 3600)
    for unit in ("", "%"):
        texts = [text.decode() for text in sentence(fans, levels, frequency, unit).numpy()]
        assert texts == [answer_text(fan, levels, frequency, unit) for fan in fans]
    assert "80% in 5.00000% to 5.00000%" in texts[0]


def test_no_number_is_written_as_minus_zero():
    fan = np.array([[[-30.0, -0.2, 30.0]]])
    text = sentence(fan, [0.1, 0.5, 0.9], None).numpy()[0].decode()
    assert (
        text
        == "next step: median 0, 80% in -30 to 30"
        == answer_text(fan[0], [0.1, 0.5, 0.9], None)
    )


@pytest.mark.parametrize("level", [0.01, 0.025, 0.33, 0.5, 0.9, 0.99])
def test_a_quantile_is_that_of_numpy(level):
    fans = np.sort(np.random.default_rng(2).normal(size=(7, 3, len(LEVELS))), axis=-1)
    expected = np.array([np.interp(level, LEVELS, fan) for fan in fans.reshape(-1, len(LEVELS))])
    np.testing.assert_allclose(at_level(fans, LEVELS, level).ravel(), expected)
    np.testing.assert_allclose(quantile(tf.constant(fans), LEVELS, level).numpy().ravel(), expected)


def test_a_value_falls_at_the_quantile_between_its_neighbours():
    fans = np.sort(np.random.default_rng(3).normal(size=(50, len(LEVELS))), axis=-1)
    values = np.linspace(-3, 3, 50)
    levels = level_of(tf.constant(values), tf.constant(fans), LEVELS).numpy()
    expected = [np.interp(v, fan, LEVELS, left=0, right=1) for v, fan in zip(values, fans)]
    np.testing.assert_allclose(levels, expected, atol=1e-9)


def test_a_missing_value_and_a_missing_forecast_have_no_level():
    fans = tf.constant([[1.0, 2.0], [np.nan, np.nan]])
    assert np.isnan(level_of(tf.constant([np.nan, 1.0]), fans, [0.1, 0.9]).numpy()).all()


def test_quantiles_without_width_are_passed_at_once():
    fan = tf.constant([[2.0, 2.0, 2.0]] * 3)
    levels = level_of(tf.constant([1.9, 2.0, 2.1]), fan, [0.1, 0.5, 0.9]).numpy()
    assert levels[0] == 0 and levels[2] == 1 and levels[1] == pytest.approx(0.9)

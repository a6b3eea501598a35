"""What forecasts are compared with: statistical methods, GARCH, and DeepAR.

Each gives quantiles from the values before an origin; what is missing is filled as the zoo does.
"""

import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from tasks.forecasting.baselines import filled

LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
MOST_VALUES = 1008
"""Of a series with a season, its last ones: six weeks of hours."""
REFIT = 250
"""Days after which GARCH is fitted again, to all that came."""

Forecast = Callable[[int, int], np.ndarray]
"""From a series, by its place, and its last known step to quantiles `[H, Q]`."""


def statistical(name: str, values: list[np.ndarray], horizon: int, season: int) -> Forecast:
    """Return a model of statsforecast, fitted anew to what comes before each origin."""
    import statsforecast.models

    kind = getattr(statsforecast.models, name)
    levels = [round(100 * (1 - 2 * level)) for level in LEVELS if level < 0.5]

    def forecast(one: int, step: int) -> np.ndarray:
        past = values[one][: step + 1]
        past = filled(past[np.flatnonzero(~np.isnan(past))[0] :], season)
        if season > 1:
            past = past[-MOST_VALUES:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = kind(season_length=season).forecast(past, horizon, level=levels)
        columns = [f"lo-{level}" for level in levels], [f"hi-{level}" for level in levels[::-1]]
        parts = [answer[name] for name in (*columns[0], "mean", *columns[1])]
        return np.sort(np.stack(parts, axis=1), axis=1)

    return forecast


class Garch:
    """GARCH(1, 1) with Student's t distribution, one day ahead.

    Its parameters are the likeliest for all that comes before a day, found anew every 250 days.

    Args:
        returns: of each series, `[T]`, NaN where there is none.
        begins: of each, the first day that is forecast.

    Source: T. Bollerslev, "A conditionally heteroskedastic time series model for speculative prices
    and rates of return" (1987).
    """

    def __init__(self, returns: list[np.ndarray], begins: np.ndarray) -> None:
        self.forecasts = [self._of(*each) for each in zip(returns, begins, strict=True)]

    def _of(self, returns: np.ndarray, begin: int) -> np.ndarray:
        """Return mean, deviation and degrees of freedom of the day after each, `[T, 3]`."""
        from arch import arch_model

        answers = np.full((len(returns), 3), np.nan)
        for start in range(begin - 1, len(returns), REFIT):
            end = min(start + REFIT, len(returns))
            known, steps = returns[: start + 1], np.arange(start, end)
            known = known[~np.isnan(known)]
            # What it starts to search from is meant for returns of about 1 per cent.
            unit = known.std()
            model = arch_model(known / unit, vol="GARCH", p=1, q=1, dist="t")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = model.fit(disp="off", show_warning=False)
            mean, omega, alpha, beta, nu = fit.params
            past = returns[:end] / unit
            there = np.flatnonzero(~np.isnan(past))
            variance = fit.conditional_volatility[0] ** 2
            expected = np.empty(len(there))
            for place, value in enumerate(past[there]):
                variance = omega + alpha * (value - mean) ** 2 + beta * variance
                expected[place] = variance
            latest = np.searchsorted(there, steps, side="right") - 1
            deviation = unit * np.sqrt(expected[latest])
            answers[steps] = np.stack(np.broadcast_arrays(unit * mean, deviation, nu), axis=1)
        return answers

    def __call__(self, one: int, step: int) -> np.ndarray:
        mean, deviation, nu = self.forecasts[one][step]
        return mean + _scale(deviation, nu) * stats.t.ppf(LEVELS, nu)[None]

    def nll(self, one: int, step: int, actual: np.ndarray) -> np.ndarray:
        """Return the negative log-likelihood of what came, `[1]`."""
        mean, deviation, nu = self.forecasts[one][step]
        return -stats.t.logpdf(actual, nu, mean, _scale(deviation, nu))


def _scale(deviation: float, nu: float) -> float:
    return deviation * np.sqrt((nu - 2) / nu)


def deep_ar(
    values: list[np.ndarray],
    ends: np.ndarray,
    horizon: int,
    frequency: str,
    seconds: float,
    origins: list[np.ndarray],
) -> Forecast:
    """Return GluonTS' DeepAR with its own settings, trained for some time.

    Args:
        values: of each series.
        ends: of their training parts.
        horizon: steps of a forecast.
        frequency: the step of the series, as pandas writes it.
        seconds: of processor time of the training.
        origins: of each series, the last known steps of all forecasts that will be asked for.
    """
    import logging

    import pandas as pd
    from gluonts.dataset.common import ListDataset
    from gluonts.torch import DeepAREstimator
    from lightning.pytorch import Callback

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    first = pd.Period("2000-01-02", freq=frequency)

    def dataset(parts: list[np.ndarray]) -> Any:
        return ListDataset([{"start": first, "target": part} for part in parts], freq=frequency)

    until = time.process_time() + seconds

    class Stop(Callback):
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            trainer.should_stop |= time.process_time() > until

    # It keeps its best weights in a file.
    scratch = tempfile.TemporaryDirectory()
    trainer = {
        "default_root_dir": scratch.name,
        "max_epochs": -1,
        "callbacks": [Stop()],
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": False,
    }
    estimator = DeepAREstimator(freq=frequency, prediction_length=horizon, trainer_kwargs=trainer)
    predictor = estimator.train(
        dataset([part[:end] for part, end in zip(values, ends, strict=True) if end > horizon])
    )
    asked = [(one, step) for one, steps in enumerate(origins) for step in steps]
    scratch.cleanup()
    parts = [values[one][: step + 1] for one, step in asked]
    answers = predictor.predict(dataset(parts), num_samples=200)
    quantiles = {
        at: np.stack([answer.quantile(level) for level in LEVELS], axis=1)
        for at, answer in zip(asked, answers, strict=True)
    }
    return lambda one, step: quantiles[one, step]

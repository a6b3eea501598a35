"""From answers to an evaluation: the metrics of a model, beside those of what is naive."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from tasks.forecasting.backtest import Answers
from tasks.forecasting.baselines import (
    EWMA_SHARES,
    ewma_variance,
    naive_quantiles,
    normal_nll,
)
from tasks.forecasting.metrics import (
    Forecasts,
    Scales,
    coverage_by_horizon,
    groups_of,
    level_metrics,
    level_sums,
    named,
    return_metrics,
    return_sums,
    shared_sums,
)
from tasks.forecasting.seasonal import Truth
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums, intervals

USUAL_SHARE = 0.97
"""Of the variance that an exponentially weighted average keeps, as RiskMetrics has it by month."""
_FEWEST = 5
"""Series or stretches of time, under which an interval says nothing."""
_MOST_NAMES = 50
"""Series, of which each has its own likelihood told."""
_NLL = ("values", "nll", "ewma nll")

Oracle = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From series `[N]` and steps `[N]` to the quantiles `[N, H, Q]` of the truth."""


def oracle_of(truths: Sequence[Truth], levels: np.ndarray, horizon: int) -> Oracle:
    """Return the forecasts of what series were drawn from.

    Args:
        truths: of each series.
        levels: `[Q]`, of the quantiles.
        horizon: H, steps of a forecast.
    """
    quantiles = [truth.quantiles(levels) for truth in truths]
    ahead = np.arange(1, horizon + 1)
    return lambda series, steps: np.stack(
        [quantiles[one][step + ahead] for one, step in zip(series, steps)]
    )


class Reference(NamedTuple):
    """What answers are held against.

    Attributes:
        values: float64 `[T]` of each series, NaN where missing.
        ends: `[N]`, of the training parts.
        begins: `[N]`, the first step that is forecast: what is before is known.
        season: in steps.
        levels: `[Q]`, of the quantiles.
        names: of the series.
        oracle: of data whose truth is known; None of others.
    """

    values: list[np.ndarray]
    ends: np.ndarray
    begins: np.ndarray
    season: int
    levels: np.ndarray
    names: list[str]
    oracle: Oracle | None = None

    @property
    def parts(self) -> list[np.ndarray]:
        """Return the training part of each series."""
        return [values[:end] for values, end in zip(self.values, self.ends)]

    @property
    def before(self) -> list[np.ndarray]:
        """Return what comes before the split."""
        return [values[:begin] for values, begin in zip(self.values, self.begins)]

    def median(self, quantiles: np.ndarray) -> np.ndarray:
        """Return the medians of quantiles `[..., Q]`."""
        return quantiles[..., int(np.argmin(np.abs(self.levels - 0.5)))]


class _Table:
    """Rows of sums by name, collected in parts, of which each forecast has one."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.series: list[np.ndarray] = []
        self.steps: list[np.ndarray] = []
        self.columns: list[str] = []
        self.horizon = 1

    def add(self, part: Answers, sums: dict[str, np.ndarray]) -> None:
        self.columns, self.horizon = list(sums), part.actual.shape[1]
        self.rows.append(np.stack(list(sums.values()), axis=1).astype("float64"))
        self.series.append(part.series)
        self.steps.append(part.steps)

    def sums(self, metrics: Callable[[dict[str, float]], dict[str, float]]) -> MetricSums:
        if not self.rows:
            raise UserError("all values of the split are missing: there is nothing to judge by")
        series, steps = np.concatenate(self.series), np.concatenate(self.steps)
        groups = groups_of(series, steps, self.horizon)
        return MetricSums(np.concatenate(self.rows), named(self.columns, metrics), groups)


def evaluate_levels(answers: Iterable[Answers], reference: Reference) -> Evaluation:
    """Return the metrics of forecasts of values, those of the seasonal naive forecast beside them.

    `skill` is 1 less the `mase` by that of the naive forecast: 0 says that the model is no better.

    Args:
        answers: at some origins, in parts, at least one.
        reference: what they are held against.
    """
    scales, levels = (
        Scales.of(reference.before, reference.parts, reference.season),
        reference.levels,
    )
    table = _Table()
    for part in answers:
        deviation = np.sqrt(scales.squared[part.series])
        widened = naive_quantiles(part.naive, deviation, reference.season, levels)
        forecasts = {
            "": Forecasts(reference.median(part.quantiles), part.quantiles),
            "naive ": Forecasts(part.naive, widened),
        }
        if reference.oracle:
            truth = reference.oracle(part.series, part.steps)
            forecasts["oracle "] = Forecasts(reference.median(truth), truth)
        sums = shared_sums(part.actual, scales, part.series)
        for prefix, each in forecasts.items():
            more = level_sums(part.actual, each, levels, scales, part.series)
            sums |= {prefix + key: value for key, value in more.items()}
        table.add(part, sums)
    result = table.sums(_level_metrics)
    others: dict[str, object] = {
        "verdict": verdict(result, "skill", "the seasonal naive forecast"),
    }
    if (scales.absolute[np.concatenate(table.series)] == 0).any():
        others["left_out"] = "of mase, rmsse, msis and skill: series that did not change before"
    return _evaluation(result, others)


def _level_metrics(sums: dict[str, float]) -> dict[str, float]:
    own, naive = level_metrics(sums), level_metrics(sums, "naive ")
    first = {"skill": 1 - own["mase"] / naive["mase"]} if naive.get("mase") else {}
    beside = {f"naive/{key}": value for key, value in naive.items()}
    if "oracle smape" in sums:
        truth = level_metrics(sums, "oracle ")
        beside |= {f"oracle/{key}": value for key, value in truth.items()}
    return {**first, **own, **beside, **coverage_by_horizon(sums)}


def verdict(sums: MetricSums, name: str, baseline: str) -> str:
    """Return in words whether a model is better than what is naive.

    Args:
        sums: of forecasts, and which of them are drawn together.
        name: the metric that says how much better it is, above 0 if it is.
        baseline: what it is held against.
    """
    if name not in sums.metrics(sums.rows.sum(axis=0)):
        return f"no skill: {baseline} makes no error"
    if not _enough(sums):
        return f"no skill: too few forecasts to tell it from {baseline}"
    low, high = intervals(*sums)[name]
    if low > 0:
        return f"better than {baseline}"
    return f"no skill: {'worse' if high < 0 else 'not better'} than {baseline}"


def _enough(sums: MetricSums) -> bool:
    """Return whether there are enough forecasts that are drawn apart for an interval."""
    return sums.groups is not None and len(np.unique(sums.groups)) >= _FEWEST


def _evaluation(sums: MetricSums, others: dict[str, object]) -> Evaluation:
    """Return an evaluation, without intervals where they would say nothing."""
    if _enough(sums):
        return Evaluation([sums], others)
    metrics = sums.metrics(sums.rows.sum(axis=0))
    return Evaluation([sums._replace(metrics=lambda sums: {})], {**metrics, **others})


def with_skill_interval(evaluation: Evaluation) -> dict[str, Any]:
    """Return the metrics, and after the skill the ends of its interval, if it has one."""
    scores: dict[str, Any] = {}
    for name, value in evaluation.metrics().items():
        scores[name] = value
        if name == "skill" and (ends := evaluation.intervals().get(name)):
            scores["skill_low"], scores["skill_high"] = ends
    return scores


def evaluate_returns(answers: Iterable[Answers], reference: Reference, density: bool) -> Evaluation:
    """Return the metrics of forecasts of returns, those of an average of squares beside them.

    That is a normal distribution around 0 whose variance is the exponentially weighted average of
    the squares so far: `ewma` keeps 0.97 of it from step to step, and `ewma_best` as much as was
    the likeliest for each series before the split. `nll` is the negative log-likelihood in nats;
    `below_10` is the share of values under the quantile of 10 %, the value at risk, `below_2.5`
    that of 2.5 %.

    Args:
        answers: at some origins, in parts, at least one.
        reference: what they are held against; its values are returns.
        density: whether the model answers with a distribution, which has a likelihood.

    Source: J.P. Morgan and Reuters 1996, RiskMetrics technical document.
    """
    variances = {
        "ewma ": [_variances(*each, USUAL_SHARE) for each in zip(reference.values, reference.ends)],
        "ewma_best ": [
            _variances(values, end, best_share(before))
            for values, end, before in zip(reference.values, reference.ends, reference.before)
        ],
    }
    table = _Table()
    for part in answers:
        there = ~np.isnan(part.actual)
        actual = np.where(there, part.actual, 0.0)
        models: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
            "": (part.quantiles, part.losses if density else None)
        }
        for name, each in variances.items():
            pairs = zip(part.series, part.steps)
            variance = np.array([each[one][step] for one, step in pairs])[:, None]
            scale = np.repeat(np.sqrt(variance), actual.shape[1], axis=1)[..., None]
            models[name] = scale * ndtri(reference.levels), normal_nll(actual, variance)
        sums: dict[str, np.ndarray] = {"values": there.sum(axis=1)}
        for prefix, (quantiles, nll) in models.items():
            more = return_sums(actual, there, quantiles, nll, reference.levels)
            sums |= {prefix + key: value for key, value in more.items()}
        table.add(part, sums)
    result = table.sums(_return_metrics)
    others: dict[str, object] = {}
    if density:
        places = [table.columns.index(name) for name in _NLL]
        series = np.concatenate(table.series)
        others |= _by_series(result.rows[:, places], series, reference.names)
        gain = named(table.columns, lambda sums: {"gain": sums["ewma nll"] - sums["nll"]})
        gained = result._replace(metrics=gain)
        others["verdict"] = verdict(gained, "gain", "an average of squares (EWMA)")
    return _evaluation(result, others)


def best_share(returns: np.ndarray) -> float:
    """Return which average of squares, of a few, is the likeliest for returns `[T]`."""

    def nll(share: float) -> float:
        variance, values = _variances(returns, len(returns), share)[:-1], returns[1:]
        there = ~np.isnan(values)
        return float(normal_nll(values[there], variance[there]).sum())

    return min(EWMA_SHARES, key=nll)


def _variances(returns: np.ndarray, end: int, share: float) -> np.ndarray:
    """Return the variance that is expected after each step; the first is that of training."""
    part = returns[:end]
    there = part[~np.isnan(part)]
    return ewma_variance(returns, share, float((there**2).mean()) if len(there) else 1.0)


def _return_metrics(sums: dict[str, float]) -> dict[str, float]:
    metrics = return_metrics(sums)
    for name in ("ewma", "ewma_best"):
        beside = return_metrics(sums, name + " ")
        metrics |= {f"{name}/{key}": value for key, value in beside.items()}
    return metrics


def _by_series(table: np.ndarray, series: np.ndarray, names: list[str]) -> dict[str, float]:
    """Return the likelihood of each series, unless there are too many to tell of each.

    Args:
        table: `[N, 3]`, values, and the sums of the model and of the average of squares.
        series: `[N]`.
        names: of all series.
    """
    present = np.unique(series)
    likelihoods: dict[str, float] = {}
    if not 1 < len(present) <= _MOST_NAMES:
        return likelihoods
    for one in present:
        count, own, ewma = table[series == one].sum(axis=0)
        if count:
            likelihoods[f"nll/{names[one]}"] = float(own / count)
            likelihoods[f"ewma_nll/{names[one]}"] = float(ewma / count)
    return likelihoods

"""Forecasts beside those of statistical methods and of DeepAR, judged by the same code.

    pip install -r benchmarks/requirements-forecasting.txt
    python -m benchmarks.forecasting                              # the bundled data
    python -m benchmarks.forecasting --folder m4 --frequency W    # and a folder, such as M4 Weekly

Of the bundled `seasonal`, the forecasts of each series at four origins of the test; the zoo's model
is the ready-trained one, and DeepAR is trained for as long as `--minutes` says. To a folder, a
model is fitted as by `zoo fit forecast-gru`, and DeepAR trained for as long. A method that takes
longer than `--limit` is judged by what it has done till then, in a random order. Minutes are of
processor time, as far as other programs leave some. Of `ecb_rates`, every day of the test.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import zoo
from benchmarks import forecast_contenders as contenders
from benchmarks.side_by_side import STDERR, write_table
from tasks.forecasting.backtest import Answers, actual_after
from tasks.forecasting.measuring import evaluate_levels, evaluate_returns
from tasks.forecasting.task import Forecasting
from zoo.training.settings import Settings

STATISTICAL = ("AutoETS", "AutoTheta", "AutoARIMA")
ORIGINS = 4
FEWEST = 30
"""Forecasts, under which their metrics say little."""
COLUMNS = {
    "folder": ("mase", "crps", "coverage_95"),
    "seasonal": ("mase", "crps", "coverage_95"),
    "ecb_rates": ("nll", "coverage_95"),
}
SETTINGS = Settings(batch_size=32, window=64)

Scores = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="series to compare on, beside the bundled ones")
    parser.add_argument("--frequency", default="D", help="of these for DeepAR, as pandas writes it")
    parser.add_argument("--minutes", type=float, default=4.0, help="of DeepAR on `seasonal`")
    parser.add_argument("--limit", type=float, default=15.0, help="minutes of a statistical method")
    parser.add_argument("--without", nargs="*", default=[], help="methods that are left out")
    arguments = parser.parse_args()
    load = f"The load of the machine was {os.getloadavg()[0]:.1f} at the start."
    results: dict[str, dict[str, Scores]] = {}
    if arguments.folder:
        results["folder"] = levels(Forecasting(arguments.folder, origins=ORIGINS), arguments)
    results["seasonal"] = levels(Forecasting("seasonal", origins=ORIGINS), arguments)
    results["ecb_rates"] = returns()
    command = "python -m benchmarks.forecasting"
    settings = {**vars(arguments), "without": " ".join(arguments.without)}
    options = [f"--{key} {value}" for key, value in settings.items() if value]
    names = {"folder": Path(arguments.folder or "").name}
    head = ["method"] + [
        f"{names.get(data, data)}: {column}" for data in results for column in COLUMNS[data]
    ]
    methods = list(dict.fromkeys(name for each in results.values() for name in each))
    rows = [
        [name, *(cell for data, each in results.items() for cell in cells(data, each.get(name)))]
        for name in methods
    ]
    write_table("forecasting", " ".join([command, *options]), head, rows, load)


def cells(data: str, scores: Scores | None) -> Iterator[str]:
    """Yield what a row shows of a data set."""
    for place, name in enumerate(COLUMNS[data]):
        if not scores or name not in scores:
            yield "" if not scores or place else scores["part"]
        else:
            part = scores.get("part", "")
            yield f"{scores[name]:.{4 if name == 'nll' else 3}f}{'' if place else part}"


def levels(task: Forecasting, arguments: argparse.Namespace) -> dict[str, Scores]:
    """Return the metrics of each method on series of values, by its name."""
    data, whole = task.data, task.data.whole("test")
    values = data.panel.targets
    horizon, frequency = task.horizon, task.frequency
    season = frequency.seasons[0] if frequency and task.season > 1 else task.season
    own, seconds = own_model(task, arguments.minutes)
    evaluation = task.measure(own, "test", SETTINGS).metrics()
    scores: dict[str, Scores] = {"seasonal naive": beside(evaluation, "naive")}
    if "oracle/crps" in evaluation:
        scores["the truth"] = beside(evaluation, "oracle")
    makers: dict[str, Callable[[], contenders.Forecast]] = {
        name: partial(contenders.statistical, name, values, horizon, season) for name in STATISTICAL
    }
    step = "h" if task.dataset == "seasonal" else arguments.frequency
    training = (values, data.ends[:, 0], horizon, step, seconds, whole.origins)
    makers["DeepAR"] = partial(contenders.deep_ar, *training)
    for name, make in makers.items():
        if name not in arguments.without:
            STDERR.print(f"{Path(task.dataset).name}: {name}")
            scores[name] = judged(task, make(), arguments.limit)
            STDERR.print(*cells("seasonal", scores[name]))
    scores["forecast-gru"] = evaluation
    return scores


def beside(metrics: Scores, name: str) -> Scores:
    """Return the metrics that stand beside a model's own, under their plain names."""
    return {key.partition("/")[2]: value for key, value in metrics.items() if key.startswith(name)}


def own_model(task: Forecasting, minutes: float) -> tuple[Any, float]:
    """Return the ready-trained model of a bundled data set, or one fitted to a folder.

    Beside it stands for how many seconds others may train.
    """
    if task.dataset == "seasonal":
        return zoo.load("forecast-gru"), 60 * minutes
    with tempfile.TemporaryDirectory() as runs:
        start = time.process_time()
        run = zoo.fit("forecast-gru", task.dataset, runs=runs)
        return zoo.load(run), time.process_time() - start


def judged(task: Forecasting, forecast: contenders.Forecast, limit: float) -> Scores:
    """Return the metrics of a method at the origins of the test, or at what it had time for."""
    whole = task.data.whole("test")
    asked = [(one, step) for one in whole.series for step in whole.origins[one]]
    order = np.random.default_rng(1).permutation(len(asked))
    until = time.process_time() + 60 * limit
    quantiles = []
    for place in order:
        quantiles.append(forecast(*asked[place]))
        if time.process_time() > until:
            break
    if len(quantiles) < FEWEST:
        return {"part": f"{len(quantiles)} of {len(asked)} in {limit:g} minutes"}
    series, steps = (
        np.array([asked[place][k] for place in order[: len(quantiles)]]) for k in (0, 1)
    )
    answers = Answers(
        series,
        steps,
        actual_after(whole, series, steps),
        task.data.naive(series, steps),
        np.stack(quantiles),
        np.zeros((len(series), task.horizon)),
    )
    metrics = evaluate_levels([answers], task.reference("test")).metrics()
    some = len(series) < len(asked)
    naive = f"; naive {metrics['naive/mase']:.3f}"
    return {**metrics, "part": f" ({len(series)} of {len(asked)}{naive})" if some else ""}


def returns() -> dict[str, Scores]:
    """Return the metrics of daily returns, by method."""
    model = zoo.load("volatility-gru")
    task = Forecasting("ecb_rates", returns=True, horizon=1, season=1, look_back=60)
    evaluation = task.measure(model, "test", SETTINGS).metrics()
    reference, whole = task.reference("test"), task.data.whole("test")
    STDERR.print("ecb_rates: GARCH")
    garch = contenders.Garch(reference.values, reference.begins)
    pairs = [(one, step) for one in whole.series for step in whole.origins[one]]
    series, steps = np.array(pairs).T
    actual = actual_after(whole, series, steps)
    losses = np.stack([garch.nll(*pair, came) for pair, came in zip(pairs, actual, strict=True)])
    answers = Answers(
        series,
        steps,
        actual,
        np.zeros_like(actual),
        np.stack([garch(*pair) for pair in pairs]),
        np.where(np.isnan(actual), 0.0, losses),
    )
    return {
        "EWMA 0.97": beside(evaluation, "ewma/"),
        "GARCH(1,1)-t": evaluate_returns([answers], reference, density=True).metrics(),
        "volatility-gru": evaluation,
    }


if __name__ == "__main__":
    main()

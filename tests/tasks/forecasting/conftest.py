import numpy as np
import pytest

from tasks.forecasting.task import Forecasting
from zoo.topologies.forecaster import Forecaster
from zoo.training.settings import Settings

SETTINGS = Settings(batch_size=4, window=12, epochs=1, learning_rate=0.01)


def write_table(path, lengths=(160, 130), level=0.0, scale=1.0, seed=1, missing=(), columns=True):
    """A long table of daily series with a week, one known and one past covariate and a category."""
    rng = np.random.default_rng(seed)
    last = np.datetime64("2024-12-31")
    lines = ["id,ds,y,price,wind,kind"] if columns else ["id,ds,y"]
    for n, length in enumerate(lengths):
        week, drift = rng.normal(size=7) * 3, rng.normal(size=length).cumsum() / 9
        for t in range(length + (5 if columns else 0)):
            date = last - length + 1 + t
            price, wind = rng.normal(), rng.normal()
            value = ""
            if t < length and t not in missing:
                value = repr(level + scale * float(20 + week[t % 7] + drift[t] + rng.normal() / 5))
            more = f",{price:.4f},{f'{wind:.4f}' if t < length else ''},{'ab'[n % 2]}"
            lines.append(f"s{n},{date},{value}{more if columns else ''}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def make_model(task, **options):
    return Forecaster(units=6, **{**task.model_options(), **options})


@pytest.fixture(scope="package")
def sales(tmp_path_factory):
    """A task on a table with covariates, gaps and categories."""
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    return Forecasting(write_table(path, missing=(20, 21, 150)), horizon=4)


@pytest.fixture(scope="package")
def shaken(sales):
    """A model whose weights are no longer those of the naive forecast."""
    model, rng = make_model(sales), np.random.default_rng(2)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(size=weight.shape, scale=0.1))
    return model

"""Forecasting."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import DataTask, spread
from tasks.common.sources import own_path
from tasks.common.splits import SPLITS
from tasks.forecasting.backtest import Answers, backtest, whole_windows, with_inputs
from tasks.forecasting.baselines import NaiveForecasts, spreads
from tasks.forecasting.data import Data
from tasks.forecasting.dataset import dataset_card
from tasks.forecasting.deciding import decide
from tasks.forecasting.measuring import (
    Reference,
    evaluate_levels,
    evaluate_returns,
    with_skill_interval,
)
from tasks.forecasting.plots import calibration, fan
from tasks.forecasting.serving import PER_CENT, Server
from tasks.forecasting.splits import Sizes, learnt_ends, split_ends
from tasks.forecasting.streaming import stream_endpoints
from tasks.forecasting.tables import (
    Columns,
    check_alike,
    check_counts,
    kind_of,
    print_notes,
    raw_steps,
    read_table,
    step_text,
)
from tasks.forecasting.windows import Covariates, Layout, Panel, crop_windows
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation
from zoo.layers.forecast_heads import LEVELS
from zoo.readers.frequency import Frequency
from zoo.readers.series import Series, SeriesTable
from zoo.readers.series_text import values_text
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import Forecast
from zoo.training.settings import Settings

_SHOWN_STEPS = 256
"""Steps of an example, or three look-backs if they are more."""


@register(
    "task",
    "forecasting",
    topology="many_to_many",
    dataset="seasonal",
    input="series",
    objective="forecast",
    baseline="naive",
)
class Forecasting(DataTask):
    """Says at each step of a series what its next values will be, and how sure that is.

    Series are split by time: the last fifth is the test, the tenth before it the validation, each
    at least one horizon; a test file is the test. A target that lies past the end of a split has no
    weight in it. Forecasts are judged at rolling origins, each series read from its beginning.

    Args:
        dataset: name of a bundled data set; or a file or folder of series, see
            `zoo.readers.series`.
        data_dir: not needed: the bundled data are part of the package.
        horizon: how many steps are forecast; None for that of a test file, or for what is usual for
            the frequency.
        season: steps of the season that the naive forecast goes back; None for the one, of those
            of the frequency and 1, whose naive forecast errs least over the training part.
        look_back: how many values a model keeps; None for what is usual for the frequency.
        target: the column that holds the values, of a table that does not call it as usual.
        known: columns that are known ahead.
        past: columns of which only the past is known.
        static: columns of categories; `unique_id` is the name of each series.
        series: columns that tell which series a row is of.
        origins: how many forecasts of each series are judged, evenly spread over a split; 0 for
            all, or as many as make 32,768 of all series.
        train_steps: length of the training part from the beginning, and with it of the others: what
            comes after the test is left aside. 0 counts from the end.
        validation_steps: length of the validation; 0 for a tenth, and with `train_steps` for one
            horizon.
        test_steps: length of the test; 0 for a fifth, and with `train_steps` for one horizon.
        returns: forecast 100 log(p_t / p_(t-1)), in per cent, of prices p; None for the
            values themselves.
        quantiles: which are answered, in rising order, 0.5 among them; None for the middle, those
            of the intervals of 80 and 95 %, and the tenths.
        frequency: read from the data: unit and count of the step; None where there are no dates.
        covariates: read from the training part: means and spreads of the covariates, and the names
            of the categories.

    Raises:
        UserError: the data cannot be read, or the series are too short.
    """

    input_kind = "series"
    default_dataset = "seasonal"
    objective_class = Forecast
    monitor = "val_loss"
    counted = "forecasts"
    draws_examples = True
    pipeline_tag = "time-series-forecasting"
    limits = (
        "It knows nothing but the past of a series, and the covariates that it was trained with: a "
        "break that it has never seen it cannot foresee. Intervals are as wide as errors were in "
        "training. The metrics of the naive forecast stand beside its own."
    )
    learned = (
        "horizon",
        "season",
        "look_back",
        "known",
        "past",
        "static",
        "returns",
        "quantiles",
        "frequency",
        "covariates",
    )

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        horizon: int | None = None,
        season: int | None = None,
        look_back: int | None = None,
        target: str = "",
        known: Sequence[str] | None = None,
        past: Sequence[str] | None = None,
        static: Sequence[str] | None = None,
        series: Sequence[str] | None = None,
        origins: int = 0,
        train_steps: int = 0,
        validation_steps: int = 0,
        test_steps: int = 0,
        returns: bool | None = None,
        quantiles: Sequence[float] | None = None,
        frequency: dict[str, Any] | None = None,
        covariates: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(dataset, data_dir)
        self.target, self.returns, self.origins = target, bool(returns), origins
        self.quantiles = [*(quantiles or LEVELS)]
        self.sizes = Sizes(train_steps, validation_steps, test_steps)
        for name, value in {"origins": origins, **self.get_sizes()}.items():
            if value < 0:
                raise UserError(f"{name} is {value}, but 0 or more is needed")
        self.known, self.past, self.static = ([*(each or ())] for each in (known, past, static))
        self.series = [*(series or ())]
        self._data: Data | None = None
        if covariates is not None:
            assert horizon and season and look_back
            self.horizon, self.season, self.look_back = horizon, season, look_back
            self.frequency = Frequency.from_json(frequency) if frequency else None
            self.covariates = Covariates.from_json(covariates)
            return
        table = self._read()
        self.known, self.past, self.static = [*table.known], [*table.past], [*table.static]
        self.frequency = table.frequency
        decided = decide(table, (horizon, season, look_back), self.sizes, self.returns)
        self.horizon, self.season, self.look_back = decided
        ends = split_ends(table, self.horizon, self.sizes)
        self.covariates = Covariates.of(table, learnt_ends(ends, self.season))
        print_notes(table, self.dataset, ends, decided._asdict())

    def _read(self) -> SeriesTable:
        """Read the data set as it is named now."""
        return read_table(self.dataset, self.default_dataset, self.columns, self.returns)

    @property
    def columns(self) -> Columns:
        """Return the names of the columns."""
        return Columns(self.target, self.known, self.past, self.static, self.series)

    def get_sizes(self) -> dict[str, int]:
        """Return the lengths of the splits by the names of their options."""
        return {f"{split}_steps": steps for split, steps in zip(SPLITS, self.sizes)}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with what the data decided."""
        return {
            **super().get_config(),
            "horizon": self.horizon,
            "season": self.season,
            "look_back": self.look_back,
            "target": self.target,
            "known": self.known,
            "past": self.past,
            "static": self.static,
            "series": self.series or None,
            "origins": self.origins,
            **self.get_sizes(),
            "returns": self.returns,
            "quantiles": self.quantiles,
            "frequency": self.frequency.to_json() if self.frequency else None,
            "covariates": self.covariates.to_json(),
        }

    @property
    def layout(self) -> Layout:
        """Return the columns of a time step."""
        return Layout(self.horizon, len(self.known), len(self.past), len(self.static))

    @property
    def data(self) -> Data:
        """Return the series, which are read once for each name of the data set.

        Raises:
            UserError: they cannot be read, or are not as those of the training.
        """
        if self._data is None or self._data.dataset != self.dataset:
            table = self._read()
            check_alike(table, self.dataset, self.frequency, self.columns)
            ends = split_ends(table, self.horizon, self.sizes)
            panel = Panel(table, self.layout, self.covariates, self.returns)
            naive = NaiveForecasts(panel.targets, self.horizon, self.season)
            self._data = Data(self.dataset, table, ends, panel, naive, self.origins)
        return self._data

    def model_options(self) -> dict[str, Any]:
        """Return the sizes and seasons of the model."""
        frequency = self.frequency
        step = (frequency.unit, frequency.count) if frequency else ("day", 1)
        seasons = frequency.seasons if frequency else (self.season,)
        return {
            "horizon": self.horizon,
            "look_back": self.look_back,
            "season": self.season,
            "seasons": [m for m in seasons if 1 < m <= self.look_back],
            "frequency_unit": step[0],
            "frequency_count": step[1],
            "known_covariates": len(self.known),
            "past_covariates": len(self.past),
            "categories": [len(names) for names in self.covariates.categories],
            "spreads": list(self.covariates.spreads),
            "returns": self.returns,
            "quantiles": self.quantiles,
            # In the config of a run of before there is nothing of it: there they count.
            "gaps_count": False,
        }

    def input_options(self) -> dict[str, Any]:
        """Return how a person's series are read, and what is forecast of them."""
        return {
            "target": self.target,
            "known": self.known,
            "past": self.past,
            "static": self.static,
            "series": self.series,
            "categories": [list(names) for names in self.covariates.categories],
            "frequency": self.frequency.to_json() if self.frequency else None,
            "horizon": self.horizon,
            "quantiles": self.quantiles,
            "unit": PER_CENT if self.returns else "",
        }

    def check(self, model: SequenceModel) -> None:
        """Check that counts are to be forecast where the model's head is of counts.

        Raises:
            UserError: a value is none.
        """
        table = self.data.table
        if model.get_config().get("head") == "negative_binomial":
            check_counts(table)

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of series `[B, T, D]` with the next H values as targets `[B, T, H]`.

        For training they are crops drawn from the seed, see `crop_windows`; else every series is
        read whole, and forecasts count at the origins of the split.
        """
        return with_inputs(self.raw_windows(split, settings, seed), self.prepared)

    def raw_windows(
        self, split: str, settings: Settings, seed: int | None = None
    ) -> tf.data.Dataset:
        """Return windows whose covariates are as they were measured.

        Raises:
            UserError: windows of a training are to be cut.
        """
        if seed is None:
            return whole_windows(self.data.whole(split), settings.batch_size, settings.window)
        if settings.truncation not in (0, settings.window):
            raise UserError(
                f"truncation is {settings.truncation}, but a window of series is trained on as a "
                "whole: leave it at 0, and set window"
            )
        crops = self.data.crops(self.look_back, settings.window)
        return crop_windows(crops, settings.batch_size, seed)

    def prepared(self, steps: Any) -> Any:
        """Bring the covariates of steps `[..., D]` to units of their spread in training."""
        return self.covariates.prepared(steps, self.horizon)

    def output_unit(self, inputs: Mapping[str, np.ndarray]) -> tuple[str, Any]:
        """Return how far the values of each row of a batch are from their mean, on average."""
        return "the spread of each series", spreads(inputs["series"][..., 0], self.returns)

    def answers(self, model: Any, split: str, settings: Settings) -> Iterator[Answers]:
        """Yield what a model answers at the origins of a split, in parts."""
        yield from backtest(
            model,
            self.data.whole(split),
            settings.batch_size,
            settings.window,
            self._naive,
            self.prepared,
            self.shown,
            likelihood=self.returns and model.head.density,
        )

    def _naive(self, series: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the naive forecasts of series `[N]` at steps `[N]`, `[N, H]`; of returns, 0."""
        if self.returns:
            return np.zeros((len(series), self.horizon))
        return self.data.naive(series, steps)

    def score(self, model: Any, split: str, settings: Settings) -> dict[str, Any]:
        """Return the metrics, and after the skill the ends of its interval."""
        return with_skill_interval(self.measure(model, split, settings))

    def measure(self, model: Any, split: str, settings: Settings) -> Evaluation:
        """Return the metrics of forecasts, and those of the naive ones beside them.

        See `tasks.forecasting.measuring`.
        """
        reference, answers = self.reference(split), self.answers(model, split, settings)
        if self.returns:
            return evaluate_returns(answers, reference, model.head.density)
        return evaluate_levels(answers, reference)

    def reference(self, split: str) -> Reference:
        """Return what answers at the origins of a split are held against."""
        return self.data.reference(split, np.array(self.quantiles))

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`, of raw series, see `Server`."""
        server = Server(model, self.layout, self.prepared, self.season, self.frequency)
        return {**server.endpoints(), **stream_endpoints(server, self.frequency)}

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw a forecast over its past, the naive one beside it."""
        return fan(self, model, raw)

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw how calibrated the forecasts of a split are, and their coverage by horizon."""
        return calibration(
            self.answers(model, split, settings), self.quantiles, self.data.forecasts(split)
        )

    def examples(self) -> list[np.ndarray]:
        """Return the ends of three test series, as `serve` takes them."""
        return [case.raw for case in self.cases(3)]

    def cases(self, count: int) -> list[Case]:
        """Return series up to an origin of the test, and what came after it."""
        whole = self.data.whole("test")
        chosen = whole.series[spread(len(whole.series), count)]
        return [self._case(one, int(whole.origins[one][-1])) for one in chosen]

    def _case(self, one: int, step: int) -> Case:
        data = self.data
        target = data.panel.targets[one][step + 1 : step + 1 + self.horizon]
        raw = self.raw_series(data.table.series[one], step + 1)
        rows = max(_SHOWN_STEPS, 3 * self.look_back) + len(raw) - (step + 1)
        return Case(raw[-rows:], values_text(target, PER_CENT if self.returns else ""))

    def raw_series(self, series: Series, end: int) -> np.ndarray:
        """Return the first steps of a series as `serve` takes them, float64 `[T, 2 + K + P + S]`.

        Where covariates are known ahead, the rows of the next H steps follow, without a value.

        Args:
            series: with the columns that the model was trained with.
            end: how many steps have values.
        """
        return raw_steps(series, end, self.horizon if self.known else 0, self.covariates)

    def numbers(self) -> str:
        """Return what `forward` and `step` take, for the card."""
        steps = step_text(self.horizon, self.columns, self.covariates)
        return (
            f"`forward` and `step` take steps of {self.layout.size} numbers: {steps}. They give "
            f"quantiles of each of the next {self.horizon} values."
        )

    def data_card(self) -> dict[str, Any]:
        """Return what the series are, and how they were split."""
        own = own_path(self.dataset, self.default_dataset)
        card: dict[str, Any] = super().data_card() if own else dict(dataset_card(self.dataset))
        table = self.data.table
        steps = sum(len(each.values) for each in table.series)
        card["description"] = (
            f"{card['description']} {len(table.series):,} series, {kind_of(table)}, {steps:,} "
            "steps, split by time."
        )
        return {
            **card,
            "splits": {
                split: {"examples": self.data.forecasts(split), "sha256": self.fingerprint(split)}
                for split in SPLITS
            },
        }

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of the steps of a split, of their dates and covariates."""
        return self.data.fingerprint(split)

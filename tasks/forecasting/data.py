"""The series of a data set, cut into splits: what is learnt from, and what forecasts face."""

from dataclasses import dataclass

import numpy as np

from tasks.common.splits import SPLITS
from tasks.forecasting.baselines import NaiveForecasts
from tasks.forecasting.dataset import oracle
from tasks.forecasting.measuring import Reference, oracle_of
from tasks.forecasting.splits import first_steps, learnt_ends, origins
from tasks.forecasting.tables import hash_split
from tasks.forecasting.windows import Crops, Panel, Whole
from zoo.errors import UserError
from zoo.readers.series import SeriesTable

MOST_ORIGINS = 32_768
"""Forecasts that are judged of a split, of all series together, where their number is not set."""


@dataclass(frozen=True)
class Data:
    """The series of a data set, and where their splits end.

    Attributes:
        dataset: its name or path.
        table: the series.
        ends: `[N, 3]`, of train, validation and test.
        panel: reads steps of them.
        naive: forecasts them.
        count: forecasts of each series that are judged, evenly spread over a split; 0 for all, or
            as many as make `MOST_ORIGINS` of all series.
    """

    dataset: str
    table: SeriesTable
    ends: np.ndarray
    panel: Panel
    naive: NaiveForecasts
    count: int = 0

    @property
    def first(self) -> np.ndarray:
        """Return how many steps of each series are read before its forecasts count, `[N]`."""
        return first_steps(self.ends, self.naive.season)

    def origins(self, split: str) -> list[np.ndarray]:
        """Return the steps of each series at which forecasts of a split are judged."""
        place, naive = SPLITS.index(split), self.naive
        return origins(self.ends, place, naive.horizon, naive.season, self.count, MOST_ORIGINS)

    def forecasts(self, split: str) -> int:
        """Return how many forecasts of a split are judged, of all series."""
        return sum(map(len, self.origins(split)))

    def crops(self, look_back: int, window: int) -> Crops:
        """Return what reads stretches of the training part, of series that can be learnt from.

        Args:
            look_back: steps that fill the model's register.
            window: steps whose forecasts count.
        """
        ends = learnt_ends(self.ends, self.naive.season)
        return Crops(self.panel, ends, self.first, look_back, window)

    def whole(self, split: str) -> Whole:
        """Return what reads the series whole, with the origins of a split.

        Raises:
            UserError: no series is long enough.
        """
        chosen = self.origins(split)
        if not any(len(steps) for steps in chosen):
            raise UserError(
                f"{self.dataset} has no series with {self.naive.horizon} steps in {split}, the "
                "horizon: give longer ones"
            )
        return Whole(self.panel, self.ends[:, SPLITS.index(split)], chosen)

    def reference(self, split: str, levels: np.ndarray) -> Reference:
        """Return what answers at the origins of a split are held against.

        Args:
            split: its name.
            levels: `[Q]`, of the quantiles.
        """
        truths = oracle(self.dataset)
        begins = self.ends[:, max(SPLITS.index(split) - 1, 0)]
        return Reference(
            self.panel.targets,
            self.ends[:, 0],
            np.maximum(begins, self.first),
            self.naive.season,
            levels,
            [each.name for each in self.table.series],
            oracle_of(truths, levels, self.naive.horizon) if truths else None,
        )

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of the steps of a split, of their dates and covariates."""
        return hash_split(self.table, self.ends, SPLITS.index(split))

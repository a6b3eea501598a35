"""What a recipe is: how to reproduce a published result. Imports no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SMALLER = frozenset(
    [
        *(
            "perplexity",
            "loss",
            "bits",
            "bound",
            "nll",
            "error",
            "mse",
            "mae",
            "rmsse",
            "mase",
            "smape",
        ),
        *("msis", "crps", "wql"),
    ]
)
"""Words of the names of metrics of which less is better."""


@dataclass(frozen=True)
class Published:
    """A published metric.

    Attributes:
        name: as the model's task names it, such as "perplexity".
        split: "train", "validation" or "test".
        value: what was published.
        method: whose it is, where the source compares several.
        horizon: steps of the forecast that it is of; 0 where the recipe has one training only.
        within: share of the value by which a measured one may miss it and be as good.
        running: whether it is the one that was shown while training, over the last epoch, each
            window before the update that it made; else it is that of the weights at the end.
    """

    name: str
    split: str
    value: float
    method: str = ""
    horizon: int = 0
    within: float = 0.0
    running: bool = False

    @property
    def smaller_is_better(self) -> bool:
        """Return whether less is better: of errors and the like; more is of anything else."""
        return not _SMALLER.isdisjoint(self.name.split("_"))

    def reached(self, measured: float) -> bool:
        """Return whether a measured metric is as good.

        Example:
            >>> Published("perplexity", "test", 115.91).reached(114.2)
            True
            >>> Published("standardised_mse", "test", 0.278, within=0.02).reached(0.29)
            False
        """
        if self.smaller_is_better:
            return measured <= self.value * (1 + self.within)
        return measured >= self.value * (1 - self.within)

    def __str__(self) -> str:
        text = f"{self.split} {self.name} {self.value:g}"
        if self.horizon:
            text += f" at {self.horizon}"
        return f"{text} ({self.method})" if self.method else text


@dataclass(frozen=True)
class Recipe:
    """How to reproduce a published result.

    Attributes:
        name: what users call it.
        summary: what is trained on what, in one line.
        model: its name in the catalog.
        published: the metrics.
        source: who published them, and where.
        data: what the data are called by people.
        dataset: a tensorflow-datasets name; None where only the user has the data, as files.
        get: where the data come from, and how to point to them; empty for bundled data.
        words: of the published training text, an end of line counted as one; 0 if there is none.
        sha256: the task's fingerprint of the test split; "" where it is not known.
        overrides: options of the model, of its task and of training.
        minutes: about how long it takes on two CPU cores; 0 where nobody has measured.
        note: what is not the same as in the source.
    """

    name: str
    summary: str
    model: str
    published: tuple[Published, ...]
    source: str
    data: str
    dataset: str | None = None
    get: str = ""
    words: int = 0
    sha256: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    minutes: int = 0
    note: str = ""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Return the horizons of which something was published, each by a training of its own."""
        return tuple(dict.fromkeys(each.horizon for each in self.published if each.horizon))

    def published_at(self, horizon: int | None) -> tuple[Published, ...]:
        """Return the metrics that were published of a horizon; all where there is only one."""
        if not self.horizons:
            return self.published
        return tuple(each for each in self.published if each.horizon == horizon)

    def target(self) -> str:
        """Return the published metrics in one line."""
        return ", ".join(map(str, self.published))

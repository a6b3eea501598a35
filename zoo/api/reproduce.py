"""Runs recipes, and holds what comes out against what was published."""

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.api.evaluate import evaluate
from zoo.api.fit import fit
from zoo.api.fit import resume as go_on
from zoo.api.run import Run, open_run
from zoo.catalog.config import resolve
from zoo.catalog.recipes import Recipe, check_data, check_horizon, get
from zoo.errors import Interrupted, UserError
from zoo.utils.files import as_texts, check_not_empty, write_whole

RESULT = "reproduced.json"
_LIMITS = ("steps", "minutes")


@dataclass(frozen=True)
class Reproduction:
    """Published against measured.

    Attributes:
        recipe: its name.
        run: the run that was measured.
        metrics: a dict for each published one: `metric`, `split`, `method`, whose it is,
            `published`, `measured`, and `reached`, whether the measured one is as good.
        differences: a sentence for each thing that was not as the recipe says: data, budget,
            settings.
    """

    recipe: str
    run: Run
    metrics: list[dict[str, Any]]
    differences: list[str]

    @property
    def reached(self) -> bool:
        """Return whether all metrics but those of the training data were reached."""
        return all(row["reached"] for row in self.metrics if row["split"] != "train")

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, with the source of what was published."""
        return {
            **asdict(self),
            "run": str(self.run.path),
            "reached": self.reached,
            "source": get(self.recipe).source,
        }


def reproduce(
    name: str,
    dataset: str | Path | None = None,
    data_dir: str | Path | None = None,
    seed: int = 1,
    runs: str | Path = "runs",
    minutes: float | None = None,
    resume: str | Path | None = None,
    verbose: bool = True,
    **overrides: Any,
) -> Reproduction:
    """Train as a recipe says, and measure what was published.

    Args:
        name: as `zoo.list_recipes` gives it.
        dataset: data to take the place of the recipe's; needed where it brings none.
        data_dir: folder of prepared data sets.
        seed: of weights, dropout and data order.
        runs: folder of all runs.
        minutes: stop training after this time; None for no limit.
        resume: a run of this recipe to go on with; one that has ended is measured. Data, seed and
            `runs` are then left aside, and the overrides are new limits, see `zoo.resume`.
        verbose: show progress.
        **overrides: of the recipe's, such as `epochs=1`.

    Returns:
        The metrics. They are also written to `reproduced.json` in the run's folder.

    Raises:
        UserError: there is no such recipe, its data are not there, or the run is of another model.
        Interrupted: Ctrl-C or SIGTERM came; with `resume` it goes on from where it was.
    """
    check_not_empty(dataset=dataset, data_dir=data_dir, runs=runs, resume=resume)
    dataset, data_dir = as_texts(dataset=dataset, data_dir=data_dir)
    recipe = get(name)
    if minutes is not None:
        overrides["minutes"] = minutes
    check_horizon(recipe, overrides.get("horizon"))
    try:
        if resume is not None:
            _check_model(recipe, resume)
            run = go_on(resume, verbose, **overrides)
        else:
            check_data(recipe, dataset, data_dir)
            run = fit(
                recipe.model,
                dataset or recipe.dataset,
                data_dir,
                seed,
                runs,
                verbose,
                **{**recipe.overrides, **overrides},
            )
    except Interrupted as error:
        command = error.command.replace("zoo fit", f"zoo reproduce {name}")
        raise Interrupted(error.number, command) from error
    return _measured(recipe, run)


def _check_model(recipe: Recipe, folder: str | Path) -> None:
    config = open_run(folder, trained=False).config
    model = config.model
    if model != recipe.model:
        raise UserError(
            f"{folder} is a run of {model}, but {recipe.name} needs one of {recipe.model}"
        )
    check_horizon(recipe, config.task_options.get("horizon"))


def _measured(recipe: Recipe, run: Run) -> Reproduction:
    published = recipe.published_at(_horizon(run))
    splits = dict.fromkeys(each.split for each in published if not each.running)
    at_end = {split: evaluate(run, split) for split in splits}
    measured = [_while_training(run) if p.running else at_end[p.split] for p in published]
    metrics = [
        {
            "metric": each.name,
            "split": each.split,
            "method": each.method,
            "published": each.value,
            "measured": values[each.name],
            "reached": each.reached(values[each.name]),
        }
        for each, values in zip(published, measured)
    ]
    result = Reproduction(recipe.name, run, metrics, list(_differences(recipe, run)))
    write_whole(run.path / RESULT, json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    return result


def _while_training(run: Run) -> dict[str, float]:
    """Return the metrics of the last epoch as they were shown while training."""
    last = {name: values[-1] for name, values in run.history.items()}
    return {**last, "perplexity": math.exp(last["loss"])}


def _horizon(run: Run) -> int | None:
    """Return how many steps a run forecasts; None of one that is no forecaster."""
    return run.config.task_options.get("horizon")


def _differences(recipe: Recipe, run: Run) -> Iterator[str]:
    """Yield what of a run is not as its recipe says."""
    yield from _other_data(recipe, str(run.config.dataset))
    if recipe.sha256 and run.config.make_task().fingerprint("test") != recipe.sha256:
        yield (
            f"the test part of {run.config.dataset} is not that of {recipe.data}, which the "
            "metrics were published for"
        )
    overrides = dict(recipe.overrides)
    if recipe.horizons:
        overrides["horizon"] = _horizon(run)
    for key, value, asked in run.config.differences(resolve(recipe.model, overrides)):
        # What is saved when changes no metric.
        if key != "save_steps":
            says = f"says {asked}" if asked or key not in _LIMITS else "sets no limit"
            yield f"{key} was {value}, but the recipe {says}"


def _other_data(recipe: Recipe, dataset: str) -> Iterator[str]:
    if recipe.dataset and dataset != recipe.dataset:
        yield f"the data are {dataset}, but the metrics were published for {recipe.data}"
    if recipe.words and (words := _training_words(Path(dataset))) != recipe.words:
        yield (
            f"the training text of {dataset} has {words:,} words, but that of {recipe.data}, which "
            f"the metrics were published for, has {recipe.words:,}"
        )


def _training_words(path: Path) -> int:
    """Return how many words a training text has, an end of line being one; 0 if it is missing."""
    files = sorted(path.glob("*train*")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        return 0
    opened = gzip.open if files[0].suffix == ".gz" else open
    with opened(files[0], "rt", encoding="utf-8") as lines:
        return sum(len(line.split()) + 1 for line in lines)

"""`zoo.evaluate`: the metrics of a trained model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.api.folds import summary_of_folds
from zoo.api.load import folder_of, restore
from zoo.api.run import Run
from zoo.catalog.options import checked, options_of
from zoo.errors import UserError
from zoo.exporting.manifest import is_export
from zoo.exporting.trained import Trained
from zoo.utils.files import as_texts, check_not_empty


def evaluate(
    what: Run | str | Path,
    split: str = "test",
    dataset: str | Path | None = None,
    data_dir: str | Path | None = None,
    paths: int | None = None,
    **searching: Any,
) -> dict[str, Any]:
    """Return the metrics of a model's task on a split.

    A model that was judged by folds has learned from all of its data: its figures on the test are
    the means of the folds, with intervals.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        split: "train", "validation" or "test".
        dataset: another data set than the one it was trained on.
        data_dir: folder of prepared data sets, if not that of the training.
        paths: of a model that looks along paths of its own, how many are drawn of each picture, to
            be measured together beside the one without chance.
        **searching: how a model that writes looks for its answers, such as `beam_width=1`, if not
            as it was set for it; see `Task.searching`.

    Raises:
        UserError: the model or the data set cannot be read, the model draws no such paths, or its
            task has no such option of searching.
    """
    check_split(split)
    check_not_empty(dataset=dataset, data_dir=data_dir)
    dataset, data_dir = as_texts(dataset=dataset, data_dir=data_dir)
    path = folder_of(what)
    as_trained = not (dataset or searching or is_export(path))
    if as_trained and (summary := summary_of_folds(Run(path), split)):
        return summary
    trained = restore(what)
    if searching:
        trained = _searching(trained, searching)
    task = trained.task
    if dataset:
        task.dataset, task.fold = dataset, ""
    task.data_dir = data_dir or task.data_dir
    if paths is not None:
        task.draw_paths(paths)
    return task.score(trained.model, split, trained.settings)


def _searching(trained: Trained, changes: dict[str, Any]) -> Trained:
    """Return a trained model whose task looks for answers in another way."""
    config, kind = trained.config, type(trained.task)
    known = options_of(kind)
    for key in changes:
        if not kind.searching:
            raise UserError(f"{config.model} writes no text: {key} cannot be set to evaluate it")
        if key not in kind.searching:
            raise UserError(
                f"{registry.unknown('option of searching', key, kind.searching)}; what was trained "
                "with stays as it was"
            )
    changed = {key: checked(key, value, known[key]) for key, value in changes.items()}
    config = replace(config, task_options={**config.task_options, **changed})
    return replace(trained, task=config.make_task(), config=config)


def check_split(split: str) -> None:
    """Raise UserError for a split of another name."""
    if split not in ("train", "validation", "test"):
        raise UserError(f"unknown split {split!r}: expected train, validation or test")

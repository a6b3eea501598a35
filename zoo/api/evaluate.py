"""`zoo.evaluate`: the metrics of a trained model."""

from pathlib import Path
from typing import Any

from zoo.api.load import restore
from zoo.api.run import Run
from zoo.errors import UserError
from zoo.utils.files import check_not_empty


def evaluate(
    what: Run | str | Path,
    split: str = "test",
    dataset: str | None = None,
    data_dir: str | None = None,
    paths: int | None = None,
) -> dict[str, Any]:
    """Return the metrics of a model's task on a split.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        split: "train", "validation" or "test".
        dataset: another data set than the one it was trained on.
        data_dir: folder of prepared data sets, if not that of the training.
        paths: of a model that looks along paths of its own, how many are drawn of each picture, to
            be measured together beside the one without chance.

    Raises:
        UserError: the model or the data set cannot be read, or the model draws no such paths.
    """
    check_split(split)
    check_not_empty(dataset=dataset, data_dir=data_dir)
    trained = restore(what)
    task = trained.task
    task.dataset = dataset or task.dataset
    task.data_dir = data_dir or task.data_dir
    if paths is not None:
        task.draw_paths(paths)
    return task.score(trained.model, split, trained.settings)


def check_split(split: str) -> None:
    """Raise UserError for a split of another name."""
    if split not in ("train", "validation", "test"):
        raise UserError(f"unknown split {split!r}: expected train, validation or test")

"""`zoo.plot`: pictures of what a trained model does."""

import sys
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from zoo.api.evaluate import check_split
from zoo.api.load import folder_of, restore
from zoo.errors import UserError
from zoo.evaluation.plots import write_plots
from zoo.exporting.manifest import is_export
from zoo.readers.inputs import read_beginning, read_input
from zoo.task import Task
from zoo.training.run import Run


def plot(
    what: Run | str | Path,
    *inputs: str,
    split: str = "test",
    data_dir: str | None = None,
    path: str | Path | None = None,
) -> list[Path]:
    """Draw what a model looked at, or how sure it was; or its answers to a whole split.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        *inputs: text or paths, each for a picture of its own; none for one of the split. Of a
            video the first 2,000 frames are drawn.
        split: "train", "validation" or "test".
        data_dir: folder of prepared data sets, if not that of the training.
        path: the file to write, whose ending says the format; of several inputs each gets a
            number. If not given, `plot.png` in the run's folder `plots`; of an export in the
            current folder, with a number if such a file is there.

    Returns:
        The files written.

    Raises:
        UserError: the model or an input cannot be read, the task has nothing to draw, or the format
            is not known.
    """
    check_split(split)
    folder = folder_of(what)
    usual = Path() if is_export(folder) else folder / "plots"
    keep = is_export(folder) and not path
    path = Path(path) if path else usual / "plot.png"
    known = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:] not in known:
        raise UserError(f"{path} has no known ending: use one of {', '.join(sorted(known))}")
    model, task, settings = restore(folder)
    task.data_dir = data_dir or task.data_dir
    if not inputs:
        figures = [task.report(model, split, settings)]
    else:
        raws = [_to_draw(task, given) for given in inputs]
        figures = [task.figure(model, raw) for raw in raws]
    drawn = dict(zip(_names(path, len(figures), keep), figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_plots(drawn)
    return list(drawn)


def _names(path: Path, number: int, keep: bool) -> list[Path]:
    """So many files to write, numbered if there are several; also to `keep` what is there."""
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in count(1))
    names = numbered if number > 1 else chain([path], numbered)
    return list(islice((name for name in names if not (keep and name.exists())), number))


def _to_draw(task: Task, given: str) -> Any:
    """A raw input; of a long video the beginning, which is what a picture has room for."""
    if task.input_kind != "video":
        return read_input(task.input_kind, given, **task.input_options())
    clip, more = read_beginning(given, **task.input_options())
    if more:
        print(f"{given} is long: only its first {len(clip)} frames are drawn", file=sys.stderr)
    return clip

"""`zoo.plot`: pictures of what a trained model does."""

import sys
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from zoo.api.evaluate import check_split
from zoo.api.load import folder_of, restore
from zoo.api.run import Run
from zoo.errors import UserError
from zoo.evaluation.plots import write_plots
from zoo.exporting.manifest import is_export
from zoo.readers.modality import modality, split_batches

MOST = 12
"""Series of a table that are drawn."""


def plot(
    what: Run | str | Path,
    *inputs: Any,
    split: str = "test",
    data_dir: str | None = None,
    path: str | Path | None = None,
) -> list[Path]:
    """Draw what a model looked at, or how sure it was; or its answers to a whole split.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        *inputs: as `zoo.predict` takes them, each for a picture of its own; none for one of the
            split. Of a video the first 2,000 frames are drawn, of a table the first 12 series.
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
    check_ending(path)
    trained = restore(folder)
    model, task = trained.model, trained.task
    task.data_dir = data_dir or task.data_dir
    if not inputs:
        figures = [task.plot_split(model, split, trained.settings)]
    else:
        kind = modality(task.input_kind)
        options, figures = task.input_options(), []
        sources = split_batches(kind, inputs, **options)
        if len(sources) > MOST and any(map(kind.title, sources)):
            print(f"the first {MOST} of {len(sources)} series are drawn", file=sys.stderr)
            sources = sources[:MOST]
        for source in sources:
            raw, message = kind.beginning(source, **options)
            if message:
                print(message, file=sys.stderr)
            figures.append(task.plot(model, raw))
            if title := kind.title(source):
                figures[-1].suptitle(title)
    drawn = dict(zip(free_names(path, len(figures), keep), figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_plots(drawn)
    return list(drawn)


def check_ending(path: Path) -> None:
    """Raise UserError for a picture whose ending says no format that can be drawn."""
    known = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:] not in known:
        raise UserError(f"{path} has no known ending: use one of {', '.join(sorted(known))}")


def free_names(path: Path, number: int, keep: bool) -> list[Path]:
    """Return names for so many files, numbered if there are several, or to `keep` old ones."""
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in count(1))
    names = numbered if number > 1 else chain([path], numbered)
    return list(islice((name for name in names if not (keep and name.exists())), number))

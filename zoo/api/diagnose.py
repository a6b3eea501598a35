"""`zoo.diagnose`: how far back the gradient of a cell, a model or a run reaches."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.api.load import folder_of, restore
from zoo.api.plot import check_ending, free_names
from zoo.api.run import Run, open_run
from zoo.api.training import initial_model
from zoo.catalog.config import RunConfig, resolve
from zoo.diagnostics.cell_diagnosis import diagnose_cell
from zoo.diagnostics.diagnosis import Diagnosis, LayerFlow, flows_of, window_loss
from zoo.diagnostics.price import prices
from zoo.diagnostics.probing import Reading
from zoo.diagnostics.subjects import Kind, check_sizes, kind_of
from zoo.diagnostics.windows import LENGTH, first_windows
from zoo.errors import UserError
from zoo.evaluation.diagnosis_plots import diagnosis_figure
from zoo.evaluation.plots import write_plots
from zoo.exporting.manifest import is_export
from zoo.exporting.trained import Trained
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.replicas import replicas
from zoo.utils.progress import counting_bar


class Diagnoses(list[Diagnosis]):
    """Diagnoses side by side.

    Attributes:
        plot: the picture that was drawn of them.
    """

    def __init__(self, diagnoses: Iterable[Diagnosis], plot: Path) -> None:
        super().__init__(diagnoses)
        self.plot = plot


def diagnose(
    *what: Run | str | Path,
    memory_task: str = "adding",
    parameters: int = 20000,
    length: int = LENGTH,
    steps: int = 600,
    seed: int = 1,
    data_dir: str | None = None,
    path: str | Path | None = None,
    verbose: bool = True,
) -> Diagnoses:
    """Measure how far back gradients reach, and draw it.

    For each it is the norm of the gradient of the last loss in the state t steps back, whole
    sequences at a time, at the start and after training; the horizon, which is the lag from which
    on that is under 1% of lag 1; the spectral radius of the step's Jacobian; how many gates are
    saturated; how many updates were clipped; and what a gradient over so many steps costs.

    Args:
        *what: names of cells, which are trained here; runs, their folders, exports or names of
            ready-trained models, whose first weights are made anew; or names of the catalog, as
            they start. A name of a cell is always the cell: write ./lstm for a folder of that name.
        memory_task: "adding", "copy" or "parity", what cells are trained on.
        parameters: of the network around a cell, at most.
        length: time steps of a sequence, for cells and for models of streams.
        steps: of a cell's training; 0 for none.
        seed: of a cell's weights and sequences.
        data_dir: folder of prepared data sets, if not that of the training.
        path: the picture to write; by default `plots/diagnosis.png` in the folder of a single run,
            else `diagnosis.png` here, with a number if there is one.
        verbose: show a progress bar.

    Returns:
        A list with a diagnosis of each, in order; its `plot` is the picture.

    Raises:
        UserError: something is unknown, or has no recurrence.
    """
    subjects = [each.path if isinstance(each, Run) else each for each in what]
    kinds = [kind_of(each) for each in subjects]
    if not kinds:
        raise UserError("nothing is named: give cells, models or runs, such as lstm")
    check_sizes(memory_task, parameters, length, steps)
    file = _file(subjects, kinds, path)
    bar = counting_bar(verbose)
    diagnoses = []
    with bar:
        line = bar.add_task("", total=kinds.count("cell") * steps + len(kinds))
        for each, kind in zip(subjects, kinds):
            bar.update(line, description=f"diagnosing {each}")
            diagnoses.append(
                diagnose_cell(
                    str(each),
                    memory_task,
                    parameters,
                    length,
                    steps,
                    seed,
                    lambda: bar.advance(line),
                )
                if kind == "cell"
                else _diagnose_model(each, kind, length, data_dir)
            )
            bar.advance(line)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_plots({file: diagnosis_figure(diagnoses)})
    return Diagnoses(diagnoses, file)


def _diagnose_model(what: str | Path, kind: Kind, length: int, data_dir: str | None) -> Diagnosis:
    """Return the diagnosis of a trained model, or of one of the catalog."""
    if kind == "trained":
        trained = restore(what)
        trained.task.data_dir = data_dir or trained.task.data_dir
        return diagnose_trained(trained, folder_of(what), str(what), length)
    config = resolve(str(what), data_dir=data_dir)
    task = config.make_task()
    return _diagnosis(str(what), config.decided_by(task), task, None, length)


def diagnose_trained(
    trained: Trained, folder: Path, name: str, length: int = LENGTH, with_prices: bool = True
) -> Diagnosis:
    """Return the diagnosis of a trained model, at the start and now.

    Args:
        trained: the model.
        folder: where it lies, a run or an export.
        name: what it is called.
        length: time steps of a stream that are looked at.
        with_prices: measure also what a gradient over so many steps costs.

    Raises:
        UserError: it has no recurrence.
    """
    model, config = trained.model, trained.config
    clipped = _clipped(folder)
    return _diagnosis(name, config, trained.task, model, length, clipped, with_prices)


def _diagnosis(
    name: str,
    config: RunConfig,
    task: Task,
    model: SequenceModel | None,
    length: int,
    clipped: float | None = None,
    with_prices: bool = True,
) -> Diagnosis:
    windows = first_windows(task, config.training, length)
    window = windows[-1]
    flows: list[LayerFlow] = []
    first = None
    try:
        # Half precision has too few numbers for gradients of long ago.
        whole = replace(config, training=replace(config.training, precision="float32"))
        first = initial_model(whole, task, replicas(1))
    except UserError as error:
        if model is None:
            raise
        print(f"the model as it started is left out: {error}", file=sys.stderr)
    readings: list[Reading] = []
    for stage, one in (("start", first), ("trained", model)):
        if one is not None:
            loss = window_loss(one, task.objective(), windows)
            more, readings = flows_of(one, loss, stage)
            flows += more
    steps = max(flow.steps for flow in flows)
    settings = config.training
    streams = window["reset"].shape.rank == 2
    truncation = (settings.window, settings.truncation or settings.window) if streams else None
    data = f"{task.dataset}, validation, {len(window['reset'])} rows of up to {steps} steps"
    costs = prices(readings, steps) if with_prices else []
    return Diagnosis(name, data, flows, clipped, costs, truncation)


def _clipped(folder: Path) -> float | None:
    """Return the share of updates that were clipped; None where that was not written down."""
    if is_export(folder):
        return None
    shares = open_run(folder).history.get("clipped")
    return sum(shares) / len(shares) if shares else None


def _file(what: Sequence[str | Path], kinds: list[Kind], path: Any) -> Path:
    """Return the file to draw to."""
    if path:
        path = Path(path)
        check_ending(path)
        return path
    if kinds == ["trained"] and not is_export(folder := folder_of(what[0])):
        return folder / "plots" / "diagnosis.png"
    return free_names(Path("diagnosis.png"), 1, keep=True)[0]

"""`zoo.report` and `zoo.compare_runs`: what came of runs, as a page that opens anywhere."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.api.diagnose import diagnose_trained
from zoo.api.folds import summary_of_folds
from zoo.api.load import folder_of, restore
from zoo.api.plot import free_names
from zoo.api.run import Run, open_run
from zoo.errors import UserError
from zoo.evaluation.diagnosis_plots import gradient_figure
from zoo.evaluation.plots import curves_figure, metric_figure
from zoo.exporting.card.card import facts, measured_metrics
from zoo.exporting.card.examples import chosen_examples
from zoo.exporting.card.markdown import number
from zoo.exporting.card.provenance import training, versions
from zoo.exporting.checksums import CARD, read_card
from zoo.exporting.manifest import is_export
from zoo.exporting.report.page import Section, page
from zoo.exporting.report.sections import (
    classes_section,
    command_section,
    ends,
    examples_section,
    facts_section,
    forms_section,
    horizon_section,
    metrics_section,
    picture,
    versions_section,
)
from zoo.exporting.trained import Trained
from zoo.utils.files import write_whole
from zoo.utils.html import table, wide
from zoo.utils.metric_names import is_of_all


def report(
    what: Run | str | Path, data_dir: str | None = None, path: str | Path | None = None
) -> Path:
    """Write one self-contained HTML page that says what came of a run.

    It has the command, curves, metrics with intervals beside a naive answer, examples right and
    wrong, what was taken for what, each class, how far back the gradient reaches, versions; and of
    an export sizes and certificate. What a model has nothing of is left out.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        data_dir: folder of prepared data sets, if not that of the training.
        path: the file; by default `report.html` in a run's folder, of an export in the current
            folder, with a number if such a file is there.

    Returns:
        The file.

    Raises:
        UserError: there is no such model, or it has not been trained yet.
    """
    folder = folder_of(what)
    file = _file(folder, path)
    trained = restore(folder)
    task = trained.task
    task.data_dir = data_dir or task.data_dir
    made = training(trained.config, task, folder)
    metrics, why_not = _measured(trained, folder)
    sections = [
        facts_section(_facts(trained)),
        command_section(made),
        metrics_section(metrics, why_not),
        _curves(made),
        examples_section(_examples(trained) if not why_not else []),
        _answers(trained) if not why_not else Section("", ""),
        classes_section(metrics),
        _horizon(what, trained, folder),
        forms_section(read_card(folder) if (folder / CARD).is_file() else {}),
        versions_section(versions()),
    ]
    config = trained.config
    title = config.model if is_export(folder) else f"{config.model}, run {folder.name}"
    write_whole(file, page(title, facts(trained)["summary"], sections))
    return file


def _file(folder: Path, path: str | Path | None, name: str = "report.html") -> Path:
    """Return the file to write.

    Raises:
        UserError: its ending is another than `.html`.
    """
    if path is None:
        return free_names(Path(name), 1, keep=True)[0] if is_export(folder) else folder / name
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{path} is no name of a page: let it end with .html")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _facts(trained: Trained) -> dict[str, Any]:
    known = facts(trained)
    shown = {key: known[key] for key in ("task", "topology", "cell", "parameters")}
    return {
        **shown,
        "multiply-adds, one time step": known["multiply_adds"],
        "data": _data_name(trained.task.dataset),
        "seed": str(trained.config.seed),
        "limits": known["limits"],
    }


def _data_name(dataset: str) -> str:
    """Return the name of data, without the path of a person's own."""
    return Path(dataset).name if Path(dataset).is_absolute() else dataset


def _measured(trained: Trained, folder: Path) -> tuple[dict[str, Any], str]:
    """Return the metrics of the test split; or none, and why."""
    summary = None if is_export(folder) else summary_of_folds(open_run(folder), "test")
    if summary:
        return {}, f"{summary['measured_on']}: {', '.join(_means(summary))}"
    try:
        return measured_metrics(trained), ""
    except UserError as error:
        return {}, f"not measured: {error}"


def _means(summary: dict[str, Any]) -> Iterator[str]:
    """Yield each mean of folds with its interval, beside that of a naive answer."""
    for key in summary:
        if f"{key}_low" in summary:
            ends = " to ".join(number(summary[f"{key}_{end}"]) for end in ("low", "high"))
            naive = summary.get(f"naive/{key}")
            beside = "" if naive is None else f", naive {number(naive)}"
            yield f"{key} {number(summary[key])} ({ends}{beside})"


def _curves(made: dict[str, Any]) -> Section:
    if not made.get("curve"):
        return Section("Curves", "")
    alt = "Each metric over the epochs, in training and validation."
    return Section("Curves", picture(curves_figure(made["curve"]), alt))


def _examples(trained: Trained) -> list[Any]:
    """Return right and wrong answers with how they are shown, which the task says."""
    return [
        (case, answer, right, trained.task.show(trained.model, case.raw))
        for case, answer, right in chosen_examples(trained)
    ]


def _answers(trained: Trained) -> Section:
    """Return what the task draws of all its answers to the test split, if anything."""
    try:
        figure = trained.task.plot_split(trained.model, "test", trained.settings)
    except UserError:
        return Section("", "")
    alt = "All answers to the test split, such as which classes were taken for which."
    return Section("All answers", picture(figure, alt))


def _horizon(what: Any, trained: Trained, folder: Path) -> Section:
    """Return how far back the gradient reaches, if the model has a recurrence."""
    try:
        diagnosis = diagnose_trained(trained, folder, folder.name, with_prices=False)
    except UserError:
        return Section("", "")
    return horizon_section(diagnosis, gradient_figure([diagnosis]))


def compare_runs(
    *what: Run | str | Path, data_dir: str | None = None, path: str | Path | None = None
) -> "Comparison":
    """Measure runs side by side, and write a page of them.

    Args:
        *what: two or more runs, folders, exports or names of ready-trained models.
        data_dir: folder of prepared data sets, if not that of the trainings.
        path: the page; by default `comparison.html` here, with a number if there is one.

    Returns:
        What differs, and the metrics of each.

    Raises:
        UserError: there are fewer than two, or one is none.
    """
    if len(what) < 2:
        raise UserError("one run cannot be compared: name two or more")
    folders = [folder_of(each) for each in what]
    names = _names([str(each.path if isinstance(each, Run) else each) for each in what])
    file = free_names(Path("comparison.html"), 1, keep=True)[0]
    if path:
        file = _file(folders[0], path)
    models = [restore(folder) for folder in folders]
    measured = []
    for trained, folder in zip(models, folders):
        trained.task.data_dir = data_dir or trained.task.data_dir
        measured.append(_measured(trained, folder))
    comparison = Comparison(
        names, _options(models), [metrics.get("values", {}) for metrics, _ in measured], file
    )
    curves = {
        name: made["curve"]
        for name, trained, folder in zip(names, models, folders)
        if (made := training(trained.config, trained.task, folder)).get("curve")
    }
    commands = [[n, t.config.without_paths().to_command(t.task)] for n, t in zip(names, models)]
    notes = [[name, why_not] for name, (_, why_not) in zip(names, measured) if why_not]
    shown = sorted({key for curve in curves.values() for key in curve[0] if key.startswith("val_")})
    alt = "The metrics of validation over the epochs, a line for each run."
    drawn = picture(metric_figure(curves, shown), alt) if shown else ""
    sections = [
        Section("Metrics of the test split", _table(names, comparison.metric_rows())),
        Section("Not measured", wide(table(["", ""], notes)) if notes else ""),
        Section("Options that differ", _table(names, comparison.option_rows())),
        Section("Curves", drawn),
        Section("Commands", wide(table([], commands))),
        versions_section(versions()),
    ]
    write_whole(file, page("Runs compared", ", ".join(names), sections))
    return comparison


class Comparison:
    """Runs side by side.

    Attributes:
        names: of the runs, in order.
        options: of each run, the value of every option that is not the same in all of them.
        metrics: of each run, `value`, `low` and `high` of each metric of the test split.
        page: the file that was written.
    """

    def __init__(
        self,
        names: list[str],
        options: list[dict[str, Any]],
        metrics: list[dict[str, Any]],
        page: Path,
    ) -> None:
        self.names, self.options, self.metrics, self.page = names, options, metrics, page

    def metric_rows(self) -> list[list[str]]:
        """Return a row for each metric: its name, and that of each run with its interval.

        Those of single classes or kinds are left out, those of a naive answer are not.
        """
        known = {key for each in self.metrics for key in each if "/" not in key}
        keys = dict.fromkeys(key for each in self.metrics for key in each if is_of_all(key, known))
        return [
            [key, *(_value(each[key]) if key in each else "" for each in self.metrics)]
            for key in keys
        ]

    def option_rows(self) -> list[list[str]]:
        """Return a row for each option that differs: its name, and its value in each run."""
        keys = dict.fromkeys(key for each in self.options for key in each)
        return [[key, *(str(each.get(key, "")) for each in self.options)] for key in keys]

    def to_json(self) -> dict[str, Any]:
        """Return all as JSON values."""
        runs = [
            {"name": name, "options": options, "metrics": metrics}
            for name, options, metrics in zip(self.names, self.options, self.metrics)
        ]
        return {"runs": runs, "page": str(self.page)}


def _value(each: dict[str, Any]) -> str:
    interval = "" if ends(each) == "none" else f" ({ends(each)})"
    return f"{number(each['value'])}{interval}"


def _table(names: list[str], rows: list[list[str]]) -> str:
    return wide(table(["", *names], rows)) if rows else ""


def _names(paths: Sequence[str]) -> list[str]:
    """Return a name for each run: its path, with a number where it is named twice."""
    seen: dict[str, int] = {}
    names = []
    for path in paths:
        seen[path] = seen.get(path, 0) + 1
        names.append(path if seen[path] == 1 else f"{path} ({seen[path]})")
    return names


def _options(models: Sequence[Trained]) -> list[dict[str, Any]]:
    """Return what is not the same in all configs, by option.

    An option that a config does not have is as good as one that is off, such as 0 or "".
    """
    whole = [_flat(trained) for trained in models]
    keys = dict.fromkeys(key for each in whole for key in each)
    differing = [key for key in keys if len({repr(each.get(key) or None) for each in whole}) > 1]
    return [{key: each[key] for key in differing if key in each} for each in whole]


def _flat(trained: Trained) -> dict[str, Any]:
    """Return the options of a run by name, without what its data decided."""
    config = trained.config
    decided = {*config.decided_options(trained.task), *trained.task.learned}
    decided |= {*trained.task.vocabularies, *trained.task.outcomes, "data_dir"}
    groups = (vars(config.training), config.objective, config.options, config.task_options)
    options = {k: v for group in groups for k, v in group.items() if k not in decided}
    return {"model": config.model, "seed": config.seed, "from": config.start_from, **options}

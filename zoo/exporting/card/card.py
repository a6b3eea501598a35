"""What an export says of itself to people: what it is, what it was trained on, what it is worth."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.catalog import describe
from zoo.diagnostics.cost import model_multiply_adds
from zoo.evaluation.bootstrap import LEVEL, RESAMPLES, SEED
from zoo.evaluation.plots import curves_figure
from zoo.exporting.card.examples import show_examples
from zoo.exporting.card.front_matter import on_hub
from zoo.exporting.card.markdown import readme
from zoo.exporting.card.provenance import training, versions
from zoo.exporting.checksums import (
    CARD,
    CURVE,
    FORMAT,
    README,
    hash_file,
    hash_files,
    read_card,
)
from zoo.exporting.manifest import EXAMPLES, is_export
from zoo.exporting.trained import Trained
from zoo.readers.modality import modality
from zoo.task import Task
from zoo.training.folds import Folds
from zoo.training.run import RunFolder
from zoo.utils.files import write_whole

WEIGHTS_LICENCE = "Apache-2.0"
"""Of weights that only a bundled data set went into; of others it is their maker's to say."""

_LEARNED = "it learned from all of its data"


def make_card(
    trained: Trained,
    folder: Path,
    source: Path | None,
    parity: dict[str, Any],
    metrics: bool = True,
) -> dict[str, Any]:
    """Write down all that the card of an export says, as JSON values.

    Of data without a test split nothing is measured; a line on standard error says so.

    Args:
        trained: the model and its task.
        folder: of the export, to which all has been written but the card. Pictures for the card
            are added to it.
        source: the folder that the model came from, a run or another export, for the time that it
            took and the learning curve.
        parity: how far the forms of the export differ, see `zoo.exporting.parity`.
        metrics: measure the model on the test split, and look for examples there; without it the
            card says that it was not `measured`.
    """
    task, config = trained.task, trained.config
    made = training(config, task, source)
    if made.get("curve"):
        curves_figure(made["curve"]).savefig(folder / CURVE, dpi=50)
    unmeasured = "" if metrics else "this was exported with --no-metrics"
    if metrics and parity["split"] != "test":
        unmeasured = _by_folds(source) or f"{task.dataset} has no test split"
        print(f"metrics and examples are left out of the card: {unmeasured}", file=sys.stderr)
    data = task.data_card()
    shown = [] if unmeasured else show_examples(trained, folder)
    return {
        "format": FORMAT,
        **facts(trained),
        "hub": on_hub(task),
        "use": usage(task, folder),
        "data": data,
        "training": made,
        "measured": not unmeasured,
        **({"unmeasured": unmeasured} if unmeasured else {}),
        "metrics": {} if unmeasured else measured_metrics(trained),
        "examples": shown,
        "certificate": parity,
        "versions": versions(),
        "sizes": sizes(folder, hash_files(folder)),
        "files": hash_files(folder),
    }


def _by_folds(source: Path | None) -> str:
    """Say how good the models of a run's folds were; "" for what has none.

    Args:
        source: the folder that a model came from, a run or another export.
    """
    if source is None:
        return ""
    if is_export(source):
        before = read_card(source).get("unmeasured", "")
        return before if before.startswith(_LEARNED) else ""
    run = RunFolder(source)
    return f"{_LEARNED}; {Folds.of(run).sentence()}" if run.folds_file.exists() else ""


def usage(task: Task, folder: Path) -> dict[str, Any]:
    """Say how the model is used from the export's folder, on the first example that lies there.

    Returns:
        `argument` for the command line, and `python`, a batch of one, with what that `imports`;
        `numbers`, what the endpoints on numbers take.
    """
    kind = modality(task.input_kind)
    files = sorted(path.relative_to(folder).as_posix() for path in (folder / EXAMPLES).iterdir())
    raw = kind.read(folder / files[0]) if files else None
    argument, python, imports = kind.use(files[0] if files else "INPUT", raw)
    use = {"argument": argument, "python": python, "imports": imports}
    return {**use, "numbers": task.numbers()}


def facts(trained: Trained) -> dict[str, Any]:
    """Return what a card says that the model and what was run to make it decide alone."""
    model, task, config = trained.model, trained.task, trained.config
    entry = describe(config.model)
    ours = config.dataset == config.usual_dataset and not config.start_from
    return {
        "name": config.model,
        "summary": entry["summary"],
        "task": config.task,
        "topology": entry["topology"],
        "cell": config.options.get("cell", entry["cell"]),
        "parameters": model.count_params(),
        "multiply_adds": model_multiply_adds(model),
        "licence": WEIGHTS_LICENCE if ours else "not stated",
        "limits": task.limits,
        "decoding": task.decoding(),
    }


def write_card(card: dict[str, Any], folder: Path) -> None:
    """Write README.md from the card alone, and card.json, with the README's checksum as `readme`.

    It is none of the `files`, so that a note may be added to it.
    """
    write_whole(folder / README, readme(card))
    whole = {**card, "readme": hash_file(folder / README)}
    write_whole(folder / CARD, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")


def measured_metrics(trained: Trained) -> dict[str, Any]:
    """Measure the metrics of the test split, and how sure they are.

    Returns:
        `split`; `examples`, how many were measured, and what is `counted` as one; the `interval`,
        how it was made; `values`, a dict `value`, `low`, `high` for each metric, the last two None
        where one has no interval; and `told`, strings that say how a metric was measured.
    """
    task = trained.task
    measured = task.measure(trained.model, "test", trained.settings)
    score, ends = measured.metrics(), measured.intervals()
    values = {
        key: dict(zip(("value", "low", "high"), (value, *ends.get(key, (None, None)))))
        for key, value in score.items()
        if not isinstance(value, str)
    }
    return {
        "split": "test",
        "examples": len(measured.sums[0].rows),
        "counted": task.counted,
        "interval": {
            "level": LEVEL,
            "method": "percentile bootstrap",
            "resamples": RESAMPLES,
            "seed": SEED,
            **({"over": task.resampled} if task.resampled != task.counted else {}),
        },
        "values": values,
        "told": {key: value for key, value in score.items() if isinstance(value, str)},
    }


def sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Count the bytes of each form of the export, and of what lies `beside` them but the card."""
    forms: dict[str, int] = {}
    for name in names:
        forms[form_of(name)] = forms.get(form_of(name), 0) + (folder / name).stat().st_size
    return forms


def form_of(name: str) -> str:
    """Return which form of an export a file belongs to.

    Example:
        >>> form_of("variables/variables.index"), form_of("onnx/step.onnx"), form_of("notes.txt")
        ('saved_model', 'onnx/step.onnx', 'beside')
    """
    top = Path(name).parts[0]
    if top in ("onnx", "litert"):
        return name
    if top in ("saved_model.pb", "variables", "assets", "fingerprint.pb"):
        return "saved_model"
    return "beside"

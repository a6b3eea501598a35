"""What an export says of itself to people: what it is, what it was trained on, what it is worth."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.catalog import describe
from zoo.catalog.config import RunConfig
from zoo.diagnostics.cost import model_multiply_adds
from zoo.evaluation.bootstrap import LEVEL, RESAMPLES, SEED
from zoo.evaluation.plots import curves_figure
from zoo.exporting.card.examples import show_examples
from zoo.exporting.card.markdown import readme
from zoo.exporting.card.provenance import training, versions
from zoo.exporting.checksums import CARD, CURVE, FORMAT, README, hash_file, hash_files
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.utils.files import write_whole

WEIGHTS_LICENCE = "Apache-2.0"
"""Of weights that only a bundled data set went into; of others it is their maker's to say."""


def make_card(
    model: SequenceModel,
    task: Task,
    settings: Settings,
    config: RunConfig,
    folder: Path,
    run: Path | None,
    certificate: dict[str, Any],
    figures: bool = True,
) -> dict[str, Any]:
    """All that the card of an export says, as JSON values.

    Args:
        model: a built model.
        task: the task it was trained for.
        settings: by which it was trained.
        config: the run's.
        folder: of the export, to which all has been written but the card. Pictures for the card
            are added to it.
        run: the folder that the model came from, a run or another export, for the time that it
            took and the learning curve.
        certificate: how far the forms of the export differ, see `zoo.exporting.parity`.
        figures: measure the model on the test split, and look for examples there; without it the
            card says that it was not `measured`.
    """
    made = training(config, task, run)
    if made.get("curve"):
        curves_figure(made["curve"]).savefig(folder / CURVE, dpi=50)
    return {
        "format": FORMAT,
        **facts(model, task, config),
        "data": task.data_card(),
        "training": made,
        "measured": figures,
        "figures": measured_figures(model, task, settings) if figures else {},
        "examples": show_examples(model, task, folder) if figures else [],
        "certificate": certificate,
        "versions": versions(),
        "sizes": sizes(folder, hash_files(folder)),
        "files": hash_files(folder),
    }


def facts(model: SequenceModel, task: Task, config: RunConfig) -> dict[str, Any]:
    """What a card says that the model and what was run to make it decide alone."""
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


def measured_figures(model: SequenceModel, task: Task, settings: Settings) -> dict[str, Any]:
    """The figures of the test split, and how sure they are.

    Returns:
        `split`; `examples`, how many were measured, and what is `counted` as one; the `interval`,
        how it was made; `values`, a dict `value`, `low`, `high` for each figure, the last two None
        where a figure has no interval; and `told`, strings that say how a figure was measured.
    """
    found = task.measure(model, "test", settings)
    score, ends = found.metrics(), found.intervals()
    values = {
        key: dict(zip(("value", "low", "high"), (value, *ends.get(key, (None, None)))))
        for key, value in score.items()
        if not isinstance(value, str)
    }
    return {
        "split": "test",
        "examples": len(found.sums[0].rows),
        "counted": task.counted,
        "interval": {
            "level": LEVEL,
            "method": "percentile bootstrap",
            "resamples": RESAMPLES,
            "seed": SEED,
        },
        "values": values,
        "told": {key: value for key, value in score.items() if isinstance(value, str)},
    }


def sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Bytes of each form of the export, and of what else lies `beside` them but the card."""
    told: dict[str, int] = {}
    for name in names:
        told[form_of(name)] = told.get(form_of(name), 0) + (folder / name).stat().st_size
    return told


def form_of(name: str) -> str:
    """Which form of an export a file belongs to.

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

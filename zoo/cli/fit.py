"""`zoo fit`: from a name to a trained model."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from zoo import registry
from zoo.catalog.config import FLAGS
from zoo.cli.common import (
    NOT_EMPTY,
    as_json,
    check_folder,
    data_dir,
    load_api,
    print_json,
    refuse_what_resume_keeps,
    seed_of,
    set_option,
    values_of,
)
from zoo.cli.metrics import print_metrics
from zoo.errors import UserError
from zoo.pretrained import find
from zoo.utils.metric_names import is_of_all


@click.command()
@click.argument("name", required=False)
@click.option("--resume", type=NOT_EMPTY, metavar="RUN", help="Go on with this run's folder.")
@click.option(
    "--from",
    "start_from",
    type=NOT_EMPTY,
    metavar="MODEL",
    help="Fine-tune a run, an export or a ready-trained model of the same name.",
)
@click.option(
    "--dataset",
    type=NOT_EMPTY,
    help="A tensorflow-datasets name, or a path where the task takes one.",
)
@click.option("--epochs", type=int, help="Passes over the training data, at most.")
@click.option("--steps", type=int, help="Updates of the weights, at most.")
@click.option("--cell", type=NOT_EMPTY, help="The recurrent cell, see `zoo list cells`.")
@click.option(
    "--folds", type=int, default=0, metavar="K", help="Judge it by K folds, then train it on all."
)
@click.option("--minutes", type=float, help="Stop training after this time.")
@set_option("Any other option; repeatable.")
@click.option(
    "--devices", type=int, default=1, show_default=True, help="Devices that share each batch."
)
@click.option(
    "--diagnose", is_flag=True, help="Draw after each epoch how far back gradients reach."
)
@seed_of("weights, dropout and data order")
@click.option(
    "--runs", type=NOT_EMPTY, default="runs", show_default=True, help="Folder of all runs."
)
@data_dir
@as_json
@click.pass_context
def fit(
    context: click.Context,
    name: str | None,
    resume: str | None,
    start_from: str | None,
    dataset: str | None,
    epochs: int | None,
    steps: int | None,
    cell: str | None,
    minutes: float | None,
    folds: int,
    settings: tuple[str, ...],
    devices: int,
    diagnose: bool,
    seed: int,
    runs: str,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Train the model NAME and write a run folder, RUNS/NAME/<n>.

    The last line printed is that folder; before it stands, on standard error, how the model does
    on the validation part beside a naive answer. `zoo show NAME` lists what --set can change, and
    what it is by default. Several machines that are named by TF_CONFIG run the same command
    together.

    \b
    Examples:
      zoo fit char-lstm
      zoo fit char-lstm --cell gru --set units=128 --set dropout=0.2 --epochs 5
      zoo fit digits-cnn --dataset mnist --data-dir ~/tensorflow_datasets
      zoo fit char-lstm --from char-lstm --dataset my-notes/ --epochs 3
      zoo fit sequence-gru --dataset movements.csv --set joints=3 --folds 5
      zoo fit --resume runs/char-lstm/1
      zoo fit --resume runs/char-lstm/1 --minutes 60
    """
    if resume:
        refuse_what_resume_keeps(context, "diagnose")
        check_folder(resume)
        options = {"epochs": epochs, "steps": steps, "minutes": minutes}
        limits = {key: value for key, value in options.items() if value is not None}
        how = {"verbose": not as_json, "devices": devices, "diagnose": diagnose}
        run = load_api().resume(resume, **how, **limits)
        _tell(run, as_json)
        return
    arguments = asked(**context.params)
    overrides = arguments.pop("overrides")
    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    registry.get("model", arguments["name"])
    if cell:
        registry.get("cell", cell)
    if start_from:
        find(start_from)
    how = {"verbose": not as_json, "devices": devices, "diagnose": diagnose}
    _tell(load_api().fit(**arguments, **overrides, **how, runs=runs, folds=folds), as_json)


def asked(
    name: str | None,
    settings: Sequence[str],
    dataset: str | None,
    data_dir: str | None,
    seed: int,
    start_from: str | None,
    **others: Any,
) -> dict[str, Any]:
    """Return what a command line asks for: `overrides`, and other arguments of `zoo.fit`.

    Args:
        name: of the model.
        settings: what --set says, each KEY=VALUE.
        dataset: of --dataset.
        data_dir: of --data-dir.
        seed: of --seed.
        start_from: of --from.
        **others: what else the command was given.

    Raises:
        UserError: no model is named, or a setting is none.
    """
    if not name:
        raise UserError("no model is named: `zoo list` shows them, such as `zoo fit char-lstm`")
    flags = {key: others[key] for key in FLAGS}
    overrides = {key: value for key, value in flags.items() if value is not None}
    overrides |= values_of(settings)
    for key in registry.RUN_ARGUMENTS & set(overrides):
        raise UserError(f"{key} is not for --set: see `zoo fit --help`")
    return {
        "name": name,
        "dataset": dataset,
        "data_dir": data_dir,
        "seed": seed,
        "start_from": start_from,
        "overrides": overrides,
    }


def _tell(run: Any, as_json: bool) -> None:
    """Print the folder of a run; before it, on standard error, how the run does beside a naive
    answer, where its task has one."""
    if as_json:
        print_json({"run": str(run.path)})
        return
    # Of several workers only the first writes a run.
    is_whole = run.weights_file.is_file()
    if run.folds_file.is_file():
        print(f"on {run.config.task_options['fold'].partition('/')[2]} folds:", file=sys.stderr)
        print_metrics(load_api().evaluate(run), stderr=True)
    elif is_whole and registry.get("task", run.config.task).info.get("baseline"):
        metrics = load_api().evaluate(run, "validation")
        # Those of single classes would be pages.
        brief = {key: value for key, value in metrics.items() if is_of_all(key, metrics)}
        print("on the validation part:", file=sys.stderr)
        print_metrics(brief, stderr=True)
    print(run.path)

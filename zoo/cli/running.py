"""`zoo fit`, `evaluate`, `predict`, `plot` and `export`: from a name to a SavedModel."""

import json
from typing import Any

import click

from zoo import registry
from zoo.cli.common import (
    as_json,
    check_folder,
    data_dir,
    load_api,
    print_json,
    print_table,
    refuse_what_resume_keeps,
    seed_of,
)
from zoo.errors import UserError
from zoo.ready import find

_NAMED = {"name", "dataset", "data_dir", "seed", "runs", "verbose", "devices", "start_from"}
"""Arguments of `zoo.fit` that are no settings."""


@click.command()
@click.argument("name", required=False)
@click.option("--resume", metavar="RUN", help="Go on with this run's folder.")
@click.option(
    "--from",
    "start_from",
    metavar="MODEL",
    help="Fine-tune a run, an export or a ready-trained model of the same name.",
)
@click.option("--dataset", help="A tensorflow-datasets name, or a path where the task takes one.")
@click.option("--epochs", type=int, help="Passes over the training data, at most.")
@click.option("--steps", type=int, help="Updates of the weights, at most.")
@click.option("--cell", help="The recurrent cell, see `zoo list cells`.")
@click.option("--minutes", type=float, help="Stop training after this time.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other option; repeatable."
)
@click.option(
    "--devices", type=int, default=1, show_default=True, help="Devices that share each batch."
)
@seed_of("weights, dropout and data order")
@click.option("--runs", default="runs", show_default=True, help="Folder of all runs.")
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
    settings: tuple[str, ...],
    devices: int,
    seed: int,
    runs: str,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Train the model NAME and write a run folder, RUNS/NAME/<n>.

    The last line printed is that folder. `zoo show NAME` lists what --set can change, and what
    it is by default. Several machines that are named by TF_CONFIG run the same command together.

    \b
    Examples:
      zoo fit char-lstm
      zoo fit char-lstm --cell gru --set units=128 --set dropout=0.2 --epochs 5
      zoo fit digits-cnn --dataset mnist --data-dir ~/tensorflow_datasets
      zoo fit char-lstm --from char-lstm --dataset my-notes/ --epochs 3
      zoo fit --resume runs/char-lstm/1
      zoo fit --resume runs/char-lstm/1 --minutes 60
    """
    if resume:
        refuse_what_resume_keeps(context)
        check_folder(resume)
        given = {"epochs": epochs, "steps": steps, "minutes": minutes}
        limits = {key: value for key, value in given.items() if value is not None}
        run = load_api().resume(resume, verbose=not as_json, devices=devices, **limits)
        _tell(run, as_json)
        return
    if not name:
        raise UserError("no model is named: `zoo list` shows them, such as `zoo fit char-lstm`")
    named = {"epochs": epochs, "steps": steps, "cell": cell, "minutes": minutes}
    overrides = {key: value for key, value in named.items() if value is not None}
    overrides |= dict(_key_and_value(text) for text in settings)
    for key in _NAMED & set(overrides):
        raise UserError(f"{key} is not for --set: see `zoo fit --help`")
    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    registry.get("model", name)
    if cell:
        registry.get("cell", cell)
    if start_from:
        find(start_from)
    api = load_api()

    run = api.fit(
        name,
        dataset=dataset,
        data_dir=data_dir,
        seed=seed,
        runs=runs,
        verbose=not as_json,
        devices=devices,
        start_from=start_from,
        **overrides,
    )
    _tell(run, as_json)


def _tell(run: Any, as_json: bool) -> None:
    if as_json:
        print_json({"run": str(run.path)})
    else:
        print(run.path)


def _key_and_value(text: str) -> tuple[str, Any]:
    """`units=64` to `("units", 64)`: the value is JSON if it can be, else a string."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text!r} is not KEY=VALUE, such as --set units=64")
    try:
        return key.replace("-", "_"), json.loads(value)
    except ValueError:
        return key.replace("-", "_"), value


@click.command()
@click.argument("what", metavar="MODEL")
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("--dataset", help="Another data set than that of the training.")
@data_dir
@as_json
def evaluate(
    what: str, split: str, dataset: str | None, data_dir: str | None, as_json: bool
) -> None:
    """Measure MODEL: a run's folder, an export, or the name of a ready-trained model.

    \b
    Examples:
      zoo evaluate runs/digits-cnn/1
      zoo evaluate translate-gru-attention --split validation
    """
    find(what)
    api = load_api()

    figures = api.evaluate(what, split, dataset, data_dir)
    if as_json:
        print_json(figures)
    else:
        _print_figures(figures)


def _print_figures(figures: dict[str, Any]) -> None:
    """One a line; those of classes or kinds, `recall/cat`, as a table with a row a class."""
    rows: dict[str, dict[str, str]] = {}
    for figure, value in figures.items():
        shown = value if isinstance(value, str) else f"{value:.4f}"
        column, slash, row = figure.partition("/")
        if slash:
            rows.setdefault(row, {"": row})[column] = shown
        else:
            print(f"{figure:<24} {shown}")
    columns = dict.fromkeys(column for row in rows.values() for column in row)
    if rows:
        print_table(list(columns), list(rows.values()))


@click.command()
@click.argument("what", metavar="MODEL")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@as_json
def predict(what: str, inputs: tuple[str, ...], as_json: bool) -> None:
    """Predict from raw INPUTs with MODEL: a run, an export, or the name of a ready-trained model.

    An INPUT is text or a UTF-8 text file, an image file, a video file, or a .npy array, as the
    model's task asks.

    \b
    Examples:
      zoo predict translate-gru-attention "January 5, 1999"
      zoo predict caption-lstm-attention scene.png
      zoo predict runs/digits-cnn/1 seven.png
    """
    find(what)
    api = load_api()

    answers = api.predict(what, *inputs)
    if as_json:
        print_json([{"input": i, **answer} for i, answer in zip(inputs, answers)])
        return
    for given, answer in zip(inputs, answers):
        if len(inputs) > 1:
            print(f"{given}: ", end="")
        sure = f"  ({answer['probability']:.0%})" if "probability" in answer else ""
        print(answer["text"] + sure)


@click.command()
@click.argument("what", metavar="MODEL")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("--split", default="test", show_default=True, help="Where no INPUT is given.")
@click.option(
    "--out",
    metavar="FILE",
    help="PNG, PDF or SVG. [figures/plot.png of a run; plot.png here, or plot-1.png and so on "
    "where it is taken, of an export or a ready-trained model]",
)
@data_dir
@as_json
def plot(
    what: str,
    inputs: tuple[str, ...],
    split: str,
    out: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Draw how MODEL comes to its answers: a run, an export, or a ready-trained one by name.

    With an INPUT: what a translation or a caption looked at, or how sure a class was over time.
    Without: what was taken for what in a split.

    \b
    Examples:
      zoo plot translate-gru-attention "January 5, 1999"
      zoo plot runs/caption-lstm-attention/1 beach.jpg --out beach.pdf
      zoo plot runs/video-gru/1
    """
    find(what)
    api = load_api()

    files = api.plot(what, *inputs, split=split, data_dir=data_dir, path=out)
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        print("\n".join(map(str, files)))


@click.command()
@click.argument("what", metavar="MODEL")
@click.argument("path")
@click.option(
    "--format",
    "formats",
    multiple=True,
    default=("saved_model",),
    show_default=True,
    type=click.Choice(("saved_model", "litert", "litert_quantised", "onnx")),
    help="The others come beside the SavedModel; repeatable.",
)
@click.option(
    "--figures/--no-figures",
    default=True,
    show_default=True,
    help="Measure the test split for the card; without, it says that it was not measured.",
)
@click.option("--overwrite", is_flag=True, help="Replace an export that is there.")
@data_dir
def export(
    what: str,
    path: str,
    formats: tuple[str, ...],
    figures: bool,
    overwrite: bool,
    data_dir: str | None,
) -> None:
    """Write MODEL, a run's or another export's, to the folder PATH, with its card.

    A SavedModel lies there, which needs TensorFlow and nothing else. What it and the other formats
    give for a test batch is compared with the model: over 1e-4, nothing is written.

    \b
    Examples:
      zoo export runs/char-lstm/1 my-model
      zoo export runs/char-lstm/1 my-model --format litert --format onnx --overwrite
      zoo export char-lstm models/char-lstm/1 --no-figures     for TensorFlow Serving
    """
    find(what)
    api = load_api()

    print(api.export(what, path, overwrite, formats, figures, data_dir))

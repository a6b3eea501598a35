"""The command line: parses, calls the public face, prints."""

import json
import os
import sys
from importlib import import_module
from typing import Any

import click

from zoo import catalog, registry
from zoo.errors import UserError

_FORMATS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        sys.exit(zoo(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        _fail(error.format_message())
    except UserError as error:
        _fail(str(error))
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if not error.filename:
            raise
        _fail(f"cannot use {error.filename}: {error.strerror}")
    except (KeyboardInterrupt, click.Abort):
        print("stopped", file=sys.stderr)
        sys.exit(130)


def _fail(message: str) -> None:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


def _api() -> Any:
    """The public face, without what TensorFlow's libraries log while they load."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        return import_module("zoo.api")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
data_dir = click.option(
    "--data-dir", metavar="DIR", help="Folder of prepared data sets. [~/tensorflow_datasets]"
)


@click.group(context_settings=_FORMATS)
@click.version_option(package_name="sequence-zoo", message="%(version)s")
def zoo() -> None:
    """Recurrent models for every sequence topology: pick one by name, fit it, export it.

    \b
    Examples:
      zoo list                               all models
      zoo fit char-lstm                      train one on its bundled data set
      zoo evaluate runs/char-lstm/1          its figures on the test split
      zoo export runs/char-lstm/1 my-model   a SavedModel
      zoo predict my-model "The function "   use it
    """


@zoo.command("list")
@click.argument("kind", default="models", type=click.Choice(sorted(registry.KINDS.values())))
@click.option("--topology", help="Only models of this topology.")
@click.option("--task", help="Only models for this task.")
@click.option("--cell", help="Only models with this cell.")
@click.option("--name", metavar="WILDCARD", help='Only these names, such as "video*".')
@click.option("--sizes", is_flag=True, help="With cells: what each costs at 128 units.")
@as_json
def list_command(
    kind: str,
    topology: str | None,
    task: str | None,
    cell: str | None,
    name: str | None,
    sizes: bool,
    as_json: bool,
) -> None:
    """List models, or another KIND of registered thing.

    \b
    Examples:
      zoo list
      zoo list --topology seq2seq --name "*gru"
      zoo list cells --sizes
    """
    if sizes and kind != "cells":
        raise UserError(f"--sizes speaks of cells, not of {kind}: `zoo list cells --sizes`")
    if kind == "models":
        rows = [catalog.describe(n) for n in catalog.list_models(topology, task, cell, name)]
        columns = ["name", "topology", "task", "cell", "summary"]
    else:
        if topology or task or cell:
            raise UserError(f"--topology, --task and --cell filter models, not {kind}")
        if sizes:
            rows = _cell_cards(registry.select("cell", name))
        else:
            singular = next(key for key, plural in registry.KINDS.items() if plural == kind)
            found = registry.entries(singular)
            rows = [
                {"name": n, **found[n].info, "summary": found[n].summary}
                for n in registry.select(singular, name)
            ]
        # An equation is too long for a table.
        columns = list(dict.fromkeys(key for row in rows for key in row if key != "equation"))
        columns.sort(key="summary".__eq__)
    if as_json:
        _print_json(rows)
    else:
        _print_table(columns, rows)


def _cell_cards(names: list[str]) -> list[dict[str, Any]]:
    from rich.console import Console
    from rich.progress import track

    console, api = Console(stderr=True), _api()
    hidden = not console.is_terminal
    cells = track(names, "building", console=console, transient=True, disable=hidden)
    return [api.cell_card(name) for name in cells]


def _text(value: Any) -> str:
    """A value as users read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _print_table(columns: list[str], rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(_text(row.get(column)) for column in columns))
    wide = None if sys.stdout.isatty() else 200
    Console(width=wide, markup=False, highlight=False).print(table)


@zoo.command()
@click.argument("name")
@click.option("--units", type=int, help="Size of a cell's output. [128]")
@click.option("--input-size", type=int, help="Size of a cell's input. [128]")
@as_json
def show(name: str, units: int | None, input_size: int | None, as_json: bool) -> None:
    """Show what a model is, its parts and its defaults; or what a cell costs.

    \b
    Examples:
      zoo show char-lstm
      zoo show lstm --units 256
    """
    models, cells = registry.entries("model"), registry.entries("cell")
    sizes = {"units": units, "input_size": input_size}
    given = {key: size for key, size in sizes.items() if size is not None}
    if name in models:
        if given:
            raise UserError(f"--units and --input-size are for cells, and {name} is a model")
        entry = catalog.describe(name)
    elif name in cells:
        entry = _api().cell_card(name, **given)
    else:
        raise UserError(registry.unknown("model or cell", name, {*models, *cells}))
    width = max(map(len, entry)) + 1 if name in cells else 10
    if as_json:
        _print_json(entry)
        return
    for key, value in entry.items():
        if isinstance(value, dict):
            print(f"{key}:")
            for option, default in value.items():
                print(f"  {option:<14} {default}")
        else:
            print(f"{key + ':':<{width}} {_text(value)}")


@zoo.command()
@click.argument("name")
@click.option("--dataset", help="A tensorflow-datasets name, or a path where the task takes one.")
@click.option("--epochs", type=int, help="Passes over the training data, at most.")
@click.option("--cell", help="The recurrent cell, see `zoo list cells`.")
@click.option("--minutes", type=float, help="Stop training after this time.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other option; repeatable."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help="Of weights, dropout and data order.",
)
@click.option("--runs", default="runs", show_default=True, help="Folder of all runs.")
@data_dir
@as_json
def fit(
    name: str,
    dataset: str | None,
    epochs: int | None,
    cell: str | None,
    minutes: float | None,
    settings: tuple[str, ...],
    seed: int,
    runs: str,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Train the model NAME and write a run folder, RUNS/NAME/<n>.

    The last line printed is that folder. `zoo show NAME` lists what --set can change, and what
    it is by default.

    \b
    Examples:
      zoo fit char-lstm
      zoo fit char-lstm --cell gru --set units=128 --set dropout=0.2 --epochs 5
      zoo fit digits-cnn --dataset mnist --data-dir ~/tensorflow_datasets
    """
    named = {"epochs": epochs, "cell": cell, "minutes": minutes}
    overrides = {key: value for key, value in named.items() if value is not None}
    overrides |= dict(_key_and_value(text) for text in settings)
    for key in {"name", "dataset", "data_dir", "seed", "runs", "verbose"} & set(overrides):
        raise UserError(f"{key} is not for --set: see `zoo fit --help`")
    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    registry.get("model", name)
    if cell:
        registry.get("cell", cell)
    api = _api()

    run = api.fit(
        name,
        dataset=dataset,
        data_dir=data_dir,
        seed=seed,
        runs=runs,
        verbose=not as_json,
        **overrides,
    )
    if as_json:
        _print_json({"run": str(run.path)})
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


@zoo.command()
@click.argument("run")
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("--dataset", help="Another data set than that of the training.")
@data_dir
@as_json
def evaluate(
    run: str, split: str, dataset: str | None, data_dir: str | None, as_json: bool
) -> None:
    """Measure the model of a RUN folder.

    \b
    Example:
      zoo evaluate runs/digits-cnn/1
    """
    _check_folder(run)
    api = _api()

    figures = api.evaluate(run, split, dataset, data_dir)
    if as_json:
        _print_json(figures)
    else:
        for figure, value in figures.items():
            print(f"{figure:<24} {value:.4f}")


@zoo.command()
@click.argument("run_or_savedmodel")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@as_json
def predict(run_or_savedmodel: str, inputs: tuple[str, ...], as_json: bool) -> None:
    """Predict from raw INPUTs with a run or an exported SavedModel.

    An INPUT is text or a UTF-8 text file, an image file, a video file, or a .npy array, as the
    model's task asks.

    \b
    Examples:
      zoo predict runs/translate-gru/1 "January 5, 1999"
      zoo predict saved_models/demo/digits-cnn seven.png
    """
    _check_folder(run_or_savedmodel)
    api = _api()

    answers = api.predict(run_or_savedmodel, *inputs)
    if as_json:
        _print_json([{"input": i, **answer} for i, answer in zip(inputs, answers)])
        return
    for given, answer in zip(inputs, answers):
        if len(inputs) > 1:
            print(f"{given}: ", end="")
        sure = f"  ({answer['probability']:.0%})" if "probability" in answer else ""
        print(answer["text"] + sure)


@zoo.command()
@click.argument("run")
@click.argument("path")
@click.option("--overwrite", is_flag=True, help="Replace an export that is there.")
def export(run: str, path: str, overwrite: bool) -> None:
    """Write the model of a RUN as a SavedModel to PATH.

    \b
    Example:
      zoo export runs/char-lstm/1 saved_models/demo/char-lstm --overwrite
    """
    _check_folder(run)
    api = _api()

    print(api.export(run, path, overwrite))


def _check_folder(path: str) -> None:
    """Found missing before TensorFlow is imported."""
    if not os.path.isdir(path):
        raise UserError(f"there is no folder {path}: `zoo fit` prints where it writes")


@zoo.group()
def compare() -> None:
    """Compare cells with each other.

    \b
    Example:
      zoo compare cells lstm gru
    """


@compare.command("cells")
@click.argument("names", nargs=-1)
@click.option("--parameters", default=20000, show_default=True, help="Of each network, at most.")
@click.option("--length", default=50, show_default=True, help="Time steps of a sequence.")
@click.option("--steps", default=600, show_default=True, help="Steps of training.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help="Of weights and sequences.",
)
@click.option(
    "--output", metavar="DIR", default="runs/compare-cells", show_default=True, help="Its folder."
)
@as_json
def compare_cells(
    names: tuple[str, ...],
    parameters: int,
    length: int,
    steps: int,
    seed: int,
    output: str,
    as_json: bool,
) -> None:
    """Train the cells NAMES, or all, on three tests of memory, with as many parameters each.

    \b
    adding  the sum of two marked numbers, at the end
    copy    the first five symbols again at the last five steps, all five scored
    parity  odd or even so far, scored at every step but the first

    A dense layer of 32 stands before every cell. A score of 0 is chance, 1 is perfect. What is done
    is kept in DIR: the same command continues a comparison that was stopped.

    \b
    Example:
      zoo compare cells lstm gru vanilla_rnn
    """
    from zoo.comparison import Comparison

    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    for name in names:
        registry.get("cell", name)
    Comparison(output, parameters, length, steps, seed)
    api = _api()

    rows = api.compare_cells(names, parameters, length, steps, seed, output, not as_json)
    if as_json:
        _print_json(rows)
        return
    lines = api.summary(rows)
    _print_table(list(lines[0]), lines)
    print(f"{output}/results.md")

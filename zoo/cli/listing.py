"""`zoo list` and `zoo show`: what there is."""

from textwrap import fill, indent
from typing import Any

import click

from zoo import catalog, registry
from zoo.cli.common import as_json, load_api, print_json, print_table, text
from zoo.errors import UserError
from zoo.pretrained import ready_models
from zoo.utils.progress import progress


@click.command("list")
@click.argument("kind", default="models", type=click.Choice(sorted(registry.KINDS.values())))
@click.option("--topology", help="Only models of this topology.")
@click.option("--task", help="Only models for this task.")
@click.option("--cell", help="Only models with this cell.")
@click.option("--name", metavar="WILDCARD", help='Only these names, such as "video*".')
@click.option("--ready", is_flag=True, help="Only ready-trained models.")
@click.option("--sizes", is_flag=True, help="With cells: what each costs at 128 units.")
@as_json
def list_command(
    kind: str,
    topology: str | None,
    task: str | None,
    cell: str | None,
    name: str | None,
    ready: bool,
    sizes: bool,
    as_json: bool,
) -> None:
    """List models, or another KIND of registered thing.

    \b
    Examples:
      zoo list
      zoo list --topology seq2seq --name "*gru"
      zoo list --ready
      zoo list cells --sizes
    """
    if sizes and kind != "cells":
        raise UserError(f"--sizes speaks of cells, not of {kind}: `zoo list cells --sizes`")
    if kind == "models":
        trained = {*ready_models()}
        models = catalog.list_models(topology, task, cell, name)
        rows = [
            {**catalog.describe(n), "ready": n in trained}
            for n in models
            if n in trained or not ready
        ]
        columns = ["name", "topology", "task", "cell", "ready", "summary"]
    else:
        if topology or task or cell or ready:
            raise UserError(f"--topology, --task, --cell and --ready filter models, not {kind}")
        if sizes:
            rows = _cell_cards(registry.select("cell", name))
        else:
            singular = next(key for key, plural in registry.KINDS.items() if plural == kind)
            entries = registry.entries(singular)
            rows = [
                {"name": n, **entries[n].info, "summary": entries[n].summary}
                for n in registry.select(singular, name)
            ]
        # Too long for a table.
        long = ("equation", "example")
        columns = list(dict.fromkeys(key for row in rows for key in row if key not in long))
        columns.sort(key="summary".__eq__)
    if as_json:
        print_json(rows)
    else:
        print_table(columns, rows)


def _cell_cards(names: list[str]) -> list[dict[str, Any]]:
    api = load_api()
    return [api.cell_card(name) for name in progress(names, "building")]


@click.command()
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
    options = {"units": units, "input_size": input_size}
    sizes = {key: size for key, size in options.items() if size is not None}
    if name in models:
        if sizes:
            raise UserError(f"--units and --input-size are for cells, and {name} is a model")
        entry = catalog.describe(name)
    elif name in cells:
        entry = load_api().cell_card(name, **sizes)
    else:
        raise UserError(registry.unknown("model or cell", name, {*models, *cells}))
    width = max(map(len, entry)) + 1 if name in cells else 10
    if as_json:
        print_json(entry)
        return
    documentation = entry.pop("documentation", {})
    for key, value in entry.items():
        if isinstance(value, dict):
            print(f"{key}:")
            _print_options(value, documentation if key != "options" else {})
        else:
            print(f"{key + ':':<{width}} {text(value)}")


def _print_options(defaults: dict[str, Any], documentation: dict[str, str]) -> None:
    """Print a line an option: its name, its default and, below, what it means."""
    wide = max(map(len, defaults), default=0)
    for option, default in defaults.items():
        print(f"  {option:<{wide}} {default}")
        if option in documentation:
            print(indent(fill(documentation[option], 90), " " * (wide + 3)))

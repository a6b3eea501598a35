"""`zoo compare`: cells side by side."""

from importlib import import_module

import click

from zoo import registry
from zoo.cli.common import NOT_EMPTY, as_json, load_api, print_json, print_table, seed_of


@click.group()
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
@seed_of("weights and sequences")
@click.option(
    "--output",
    type=NOT_EMPTY,
    metavar="DIR",
    default="runs/compare-cells",
    show_default=True,
    help="Its folder.",
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
    from zoo.diagnostics.comparison_log import Comparison

    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    for name in names:
        registry.get("cell", name)
    Comparison(output, parameters, length, steps, seed)
    api = load_api()

    rows = api.compare_cells(names, parameters, length, steps, seed, output, not as_json)
    if as_json:
        print_json(rows)
        return
    lines = import_module("zoo.diagnostics.compare_cells").summary(rows)
    print_table(list(lines[0]), lines)
    print(f"{output}/results.md")

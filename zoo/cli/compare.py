"""`zoo compare`: runs side by side, or cells."""

from importlib import import_module
from pathlib import Path

import click

from zoo import registry
from zoo.cli.common import (
    NOT_EMPTY,
    as_json,
    data_dir,
    load_api,
    output_file,
    print_json,
    print_table,
    seed_of,
)
from zoo.errors import UserError
from zoo.pretrained import find


class _RunsOrCells(click.Group):
    """A group whose first word may also be a run: what is no command is handed to `runs`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command `runs` before what is a run, or an option of it."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["runs", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunsOrCells)
def compare() -> None:
    """Compare runs with each other, or cells.

    Runs are named by their folders: `zoo compare runs RUN RUN` is the same as `zoo compare RUN
    RUN`. Cells are named after the word `cells`; a folder of that name is ./cells.

    \b
    Examples:
      zoo compare runs/char-lstm/1 runs/char-lstm/2
      zoo compare cells lstm gru
    """


@compare.command("runs")
@click.argument("what", nargs=-1, required=True, metavar="RUN...")
@output_file("The page. [comparison.html here, or comparison-1.html and so on where it is taken]")
@data_dir
@as_json
def compare_runs(
    what: tuple[str, ...], output: str | None, data_dir: str | None, as_json: bool
) -> None:
    """Measure runs, exports or ready-trained models on their test splits, side by side.

    One table shows the metrics with their intervals, one the options that differ; a page holds
    both, with curves and commands.

    \b
    Examples:
      zoo compare runs runs/char-lstm/1 runs/char-lstm/2
      zoo compare runs/char-lstm/2 char-lstm --output both.html
    """
    for name in what:
        if name in registry.entries("cell") and not Path(name).exists():
            raise UserError(f"{name} is a cell: say zoo compare cells {' '.join(what)}")
        find(name)
    if len(what) < 2:
        raise UserError("one run cannot be compared: name two or more")
    comparison = load_api().compare_runs(*what, data_dir=data_dir, path=output)
    if as_json:
        print_json(comparison.to_json())
        return
    for rows in (comparison.metric_rows(), comparison.option_rows()):
        columns = ["", *comparison.names]
        if rows:
            print_table(columns, [dict(zip(columns, row)) for row in rows])
    print(comparison.page)


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

"""What the commands share: options, the public face loaded quietly, and printing."""

import json
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from click.core import ParameterSource

from zoo.errors import UserError
from zoo.utils.files import check_not_empty
from zoo.utils.stderr import quietly


class NotEmpty(click.ParamType):
    """A text that is not empty, as that of a shell variable is which is not set."""

    name = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value.

        Raises:
            UserError: it is empty, or nothing but white space.
        """
        check_not_empty(**{param.opts[0]: value})
        return value


NOT_EMPTY = NotEmpty()
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
data_dir = click.option(
    "--data-dir",
    type=NOT_EMPTY,
    metavar="DIR",
    help="Folder of prepared data sets. [~/tensorflow_datasets]",
)


class _Renamed(click.Option):
    """An option whose help shows its first name only: others are those that it had before."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and what it says, without older names."""
        record = super().get_help_record(ctx)
        older = "".join(f", {name}" for name in self.opts[1:])
        return record and (record[0].replace(older, ""), record[1])


def output_file(help_text: str) -> Any:
    """Return the option --output, which was --out before.

    Args:
        help_text: what is written, and where if not told.
    """
    return click.option(
        "--output", "--out", cls=_Renamed, type=NOT_EMPTY, metavar="FILE", help=help_text
    )


def set_option(help_text: str) -> Any:
    """Return the option --set, which may be given several times.

    Args:
        help_text: what can be set.
    """
    return click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help=help_text)


def values_of(texts: Sequence[str]) -> dict[str, Any]:
    """Return what --set says by name, the last of each.

    Raises:
        UserError: one is not KEY=VALUE.
    """
    return dict(_key_and_value(text) for text in texts)


def _key_and_value(text: str) -> tuple[str, Any]:
    """Turn `units=64` into `("units", 64)`: the value is JSON if it can be, else a string."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text!r} is not KEY=VALUE, such as --set units=64")
    try:
        return key.replace("-", "_"), json.loads(value)
    except ValueError:
        return key.replace("-", "_"), value


def seed_of(what: str) -> Any:
    """Return the option --seed, which says what it is the seed of."""
    seeds = click.IntRange(0, 2**32 - 1)
    return click.option("--seed", type=seeds, default=1, show_default=True, help=f"Of {what}.")


def refuse_what_resume_keeps(context: click.Context, *free: str) -> None:
    """Refuse options with --resume: a run keeps its settings, but for how far and where.

    Args:
        context: of the command.
        *free: what this command may be given besides.
    """
    always = ("resume", "as_json", "epochs", "steps", "minutes", "devices", *free)
    refused = [
        key
        for key in context.params
        if context.get_parameter_source(key) is ParameterSource.COMMANDLINE and key not in always
    ]
    if refused:
        options = {each.name: each.opts[0] for each in context.command.params}
        option = options[refused[0]]
        raise UserError(
            f"--resume goes on with the run as it was begun: leave out "
            f"{option if option.startswith('-') else option.upper()}"
        )


def check_folder(path: str) -> None:
    """Return the path of a run or an export, found missing before TensorFlow is imported."""
    if not os.path.isdir(path):
        raise UserError(f"there is no folder {path}: `zoo fit` prints where it writes")


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def load_api() -> Any:
    """Import and return the public face, without what TensorFlow's libraries log."""
    with quietly():
        import_module("zoo.api.load")
    # tensorflow-datasets warns of its own use of its own attributes, TensorFlow of the gradients
    # that exports do without. No level, which TensorFlow's converters set anew.
    logging.getLogger("absl").addFilter(_is_error)
    # And of graphs that are made anew, for each of several models.
    logging.getLogger("tensorflow").addFilter(_is_error)
    return import_module("zoo")


def print_json(value: Any) -> None:
    """Print JSON, indented, with every letter as it is."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def text(value: Any) -> str:
    """Return a value as users read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def print_table(columns: list[str], rows: list[dict[str, Any]], stderr: bool = False) -> None:
    """Print rows under the columns; wide where nobody watches, such as in a pipe.

    Args:
        columns: their names.
        rows: what stands in each column.
        stderr: print them on standard error.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(text(row.get(column)) for column in columns))
    wide = None if (sys.stderr if stderr else sys.stdout).isatty() else 200
    Console(width=wide, markup=False, highlight=False, stderr=stderr).print(table)

"""`zoo export`: from a run to a SavedModel."""

import click

from zoo.cli.common import (
    data_dir,
    load_api,
)
from zoo.pretrained import find


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
    "--metrics/--no-metrics",
    default=True,
    show_default=True,
    help="Measure the test split for the card; without, it says that it was not measured.",
)
# Its name before.
@click.option("--figures/--no-figures", hidden=True, default=None)
@click.option("--overwrite", is_flag=True, help="Replace an export that is there.")
@data_dir
def export(
    what: str,
    path: str,
    formats: tuple[str, ...],
    metrics: bool,
    figures: bool | None,
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
      zoo export char-lstm models/char-lstm/1 --no-metrics     for TensorFlow Serving
    """
    find(what)
    api = load_api()

    asked = metrics if figures is None else figures
    print(api.export(what, path, overwrite, formats, asked, data_dir))

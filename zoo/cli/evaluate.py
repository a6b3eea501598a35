"""`zoo evaluate`: the metrics of a trained model."""

import click

from zoo.cli.common import (
    NOT_EMPTY,
    as_json,
    data_dir,
    load_api,
    print_json,
    set_option,
    values_of,
)
from zoo.cli.metrics import print_metrics
from zoo.errors import UserError
from zoo.pretrained import find

RESERVED = {"what", "split", "dataset", "data_dir", "paths"}
"""Arguments of `zoo.evaluate` that the command has options of its own for."""


@click.command()
@click.argument("what", metavar="MODEL")
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("--dataset", type=NOT_EMPTY, help="Another data set than that of the training.")
@click.option("--paths", type=int, help="Also average so many drawn paths of each picture.")
@set_option("How texts are searched, such as beam_width=1; repeatable.")
@data_dir
@as_json
def evaluate(
    what: str,
    split: str,
    dataset: str | None,
    paths: int | None,
    settings: tuple[str, ...],
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Measure MODEL: a run's folder, an export, or the name of a ready-trained model.

    \b
    Examples:
      zoo evaluate runs/digits-cnn/1
      zoo evaluate translate-gru-attention --split validation
      zoo evaluate runs/caption-lstm-attention/1 --set beam_width=1
    """
    searching = values_of(settings)
    for key in searching.keys() & RESERVED:
        raise UserError(f"{key} is not for --set: see `zoo evaluate --help`")
    find(what)
    api = load_api()

    metrics = api.evaluate(what, split, dataset, data_dir, paths, **searching)
    if as_json:
        print_json(metrics)
    else:
        print_metrics(metrics)

"""`zoo evaluate`: the metrics of a trained model."""

import click

from zoo.cli.common import (
    NOT_EMPTY,
    as_json,
    data_dir,
    load_api,
    print_json,
)
from zoo.cli.metrics import print_metrics
from zoo.pretrained import find


@click.command()
@click.argument("what", metavar="MODEL")
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("--dataset", type=NOT_EMPTY, help="Another data set than that of the training.")
@click.option("--paths", type=int, help="Also average so many drawn paths of each picture.")
@data_dir
@as_json
def evaluate(
    what: str,
    split: str,
    dataset: str | None,
    paths: int | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Measure MODEL: a run's folder, an export, or the name of a ready-trained model.

    \b
    Examples:
      zoo evaluate runs/digits-cnn/1
      zoo evaluate translate-gru-attention --split validation
    """
    find(what)
    api = load_api()

    metrics = api.evaluate(what, split, dataset, data_dir, paths)
    if as_json:
        print_json(metrics)
    else:
        print_metrics(metrics)

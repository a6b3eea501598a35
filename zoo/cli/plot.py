"""`zoo plot`: pictures of what a trained model does."""

import click

from zoo.cli.common import (
    as_json,
    data_dir,
    load_api,
    output_file,
    print_json,
)
from zoo.pretrained import find


@click.command()
@click.argument("what", metavar="MODEL")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("--split", default="test", show_default=True, help="Where no INPUT is given.")
@output_file(
    "PNG, PDF or SVG. [plots/plot.png of a run; plot.png here, or plot-1.png and so on "
    "where it is taken, of an export or a ready-trained model]"
)
@data_dir
@as_json
def plot(
    what: str,
    inputs: tuple[str, ...],
    split: str,
    output: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Draw how MODEL comes to its answers: a run, an export, or a ready-trained one by name.

    With an INPUT: what a translation or a caption looked at, how sure a class was over time, or a
    forecast over its past. Without: what was taken for what in a split, or how calibrated forecasts
    are.

    \b
    Examples:
      zoo plot translate-gru-attention "January 5, 1999"
      zoo plot runs/caption-lstm-attention/1 beach.jpg --output beach.pdf
      zoo plot runs/video-gru/1
    """
    find(what)
    api = load_api()

    files = api.plot(what, *inputs, split=split, data_dir=data_dir, path=output)
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        print("\n".join(map(str, files)))

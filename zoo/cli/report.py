"""`zoo report`: one page that says what came of a run."""

import click

from zoo.cli.common import as_json, data_dir, load_api, output_file, print_json
from zoo.pretrained import find


@click.command()
@click.argument("what", metavar="RUN")
@output_file(
    "The page. [report.html in the run's folder; of an export report.html here, or "
    "report-1.html and so on where it is taken]"
)
@data_dir
@as_json
def report(what: str, output: str | None, data_dir: str | None, as_json: bool) -> None:
    """Write one HTML page about RUN: a run's folder, an export, or a ready-trained model.

    The page needs no network and opens from a mail: command, curves, metrics with intervals beside
    a naive answer, examples right and wrong, what was taken for what, each class, how far back the
    gradient reaches, and of an export its sizes and certificate.

    \b
    Examples:
      zoo report runs/char-lstm/1
      zoo report translate-gru-attention --output translate.html
    """
    find(what)
    file = load_api().report(what, data_dir=data_dir, path=output)
    if as_json:
        print_json({"page": str(file)})
    else:
        print(file)

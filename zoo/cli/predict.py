"""`zoo predict`: readable answers to raw inputs."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from zoo.cli.common import (
    NOT_EMPTY,
    as_json,
    load_api,
    print_json,
)
from zoo.cli.forecasts import check_output, forecast_rows, print_forecasts, write_forecasts
from zoo.errors import UserError
from zoo.pretrained import find

_PAINTED = (".svg", ".png", ".gif")


@click.command()
@click.argument("what", metavar="MODEL")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--horizon", type=int, help="Steps of a forecast, if not the model's own.")
@click.option(
    "--output",
    type=NOT_EMPTY,
    metavar="FILE",
    help="Write forecasts as .csv or .tsv, all of them; or strokes as .svg, .png or .gif.",
)
@click.option("--paths", type=int, help="Also average so many drawn paths of each picture.")
@as_json
def predict(
    what: str,
    inputs: tuple[str, ...],
    horizon: int | None,
    output: str | None,
    paths: int | None,
    as_json: bool,
) -> None:
    """Predict from raw INPUTs with MODEL: a run, an export, or the name of a ready-trained model.

    An INPUT is text or a UTF-8 text file, an image file, a video file, a table of series over time,
    or a .npy array, as the model's task asks. Of series a table of forecasts is printed, with the
    intervals that hold 80% and 95%; of a picture that is painted, an SVG of the strokes.

    \b
    Examples:
      zoo predict translate-gru-attention "January 5, 1999"
      zoo predict caption-lstm-attention scene.png
      zoo predict runs/digits-cnn/1 seven.png
      zoo predict forecast-gru sales.csv --horizon 7 --output forecast.csv
      zoo predict spiral-digits seven.png --output seven.svg
    """
    find(what)
    if output:
        check_output(output, _PAINTED)
    api = load_api()

    answers = api.predict(what, *inputs, horizon=horizon, paths=paths)
    are_forecasts = bool(answers) and "ds" in answers[0]
    are_painted = bool(answers) and "canvases" in answers[0]
    if output and not (are_forecasts or are_painted):
        raise UserError("--output is for forecasts of series and painted strokes: leave it out")
    if output and are_forecasts:
        write_forecasts(output, answers)
    elif output:
        _write_paintings(output, answers)
        if not as_json:
            print(output)
            return
    if are_forecasts and as_json:
        print_json(forecast_rows(answers))
    elif are_forecasts:
        print_forecasts(answers, output)
    elif as_json:
        print_json([{"input": i, **answer} for i, answer in zip(inputs, answers)])
    else:
        _print_answers(inputs, answers)


def _write_paintings(output: str, answers: list[dict[str, Any]]) -> None:
    """Write what was painted, all of it in one file.

    Raises:
        UserError: the file cannot be written, or is of another kind.
    """
    if Path(output).suffix.lower() not in _PAINTED:
        raise UserError(f"--output {output}: paintings are written as {', '.join(_PAINTED)}")
    # Listings import no numpy.
    numpy, paintings = import_module("numpy"), import_module("zoo.evaluation.paintings")
    canvases = numpy.stack([answer["canvases"] for answer in answers])
    drawings = [answer["text"] for answer in answers]
    paintings.write_paintings(Path(output), paintings.Paintings(canvases, drawings))


def _print_answers(inputs: tuple[str, ...], answers: list[dict[str, Any]]) -> None:
    for raw, answer in zip(inputs, answers):
        if len(inputs) > 1:
            print(f"{raw}: ", end="")
        sure = f"  ({answer['probability']:.0%})" if "probability" in answer else ""
        print(answer["text"] + sure)
        if "text_of_paths" in answer:
            sure = f"  ({answer['probability_of_paths']:.0%})"
            print(f"of drawn paths: {answer['text_of_paths']}{sure}")

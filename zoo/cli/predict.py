"""`zoo predict`: readable answers to raw inputs."""

import click

from zoo.cli.common import (
    as_json,
    load_api,
    print_json,
)
from zoo.pretrained import find


@click.command()
@click.argument("what", metavar="MODEL")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@as_json
def predict(what: str, inputs: tuple[str, ...], as_json: bool) -> None:
    """Predict from raw INPUTs with MODEL: a run, an export, or the name of a ready-trained model.

    An INPUT is text or a UTF-8 text file, an image file, a video file, or a .npy array, as the
    model's task asks.

    \b
    Examples:
      zoo predict translate-gru-attention "January 5, 1999"
      zoo predict caption-lstm-attention scene.png
      zoo predict runs/digits-cnn/1 seven.png
    """
    find(what)
    api = load_api()

    answers = api.predict(what, *inputs)
    if as_json:
        print_json([{"input": i, **answer} for i, answer in zip(inputs, answers)])
        return
    for raw, answer in zip(inputs, answers):
        if len(inputs) > 1:
            print(f"{raw}: ", end="")
        sure = f"  ({answer['probability']:.0%})" if "probability" in answer else ""
        print(answer["text"] + sure)

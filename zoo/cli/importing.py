"""`zoo import`: recurrent layers from elsewhere."""

from importlib import import_module
from pathlib import Path

import click

from zoo.cli.common import as_json, load_api, print_json


@click.group("import")
def import_command() -> None:
    """Turn recurrent layers of PyTorch or Keras into layers of the zoo.

    \b
    Examples:
      zoo import torch encoder.pt encoder.keras
      zoo import keras model.keras zoo-model.keras
    """


@import_command.command("torch")
@click.argument("file")
@click.argument("out")
@click.option("--prefix", metavar="NAME", help="The module, where FILE holds several.")
@click.option(
    "--activation",
    type=click.Choice(["tanh", "relu"]),
    help="Of a torch.nn.RNN, whose weights do not tell it. [tanh]",
)
@as_json
def import_torch(
    file: str, out: str, prefix: str | None, activation: str | None, as_json: bool
) -> None:
    """Write the torch.nn.LSTM, GRU or RNN whose state_dict() is in FILE to OUT, a .keras file.

    The model takes sequences `[B, T, D]` and gives the outputs of the top layer, which are compared
    with PyTorch's equations before anything is written. PyTorch is not needed, and nothing in FILE
    is run.

    \b
    Examples:
      zoo import torch lstm.pt lstm.keras
      zoo import torch checkpoint.pt encoder.keras --prefix model.encoder.rnn
    """
    _check(file, out)
    load_api()
    layers, difference = import_module("zoo.importing.torch_layers").import_torch(
        Path(file), Path(out), prefix, activation
    )
    memory = f", memory: {layers.memory}" if layers.memory else ""
    both = ", both ways" if len(layers.directions[0]) == 2 else ""
    summary = (
        f"{layers.cell}, layers: {len(layers.directions)}, units: {layers.units}{memory}{both}, "
        f"for inputs of {layers.inputs}"
    )
    _tell(out, summary, difference, as_json)


@import_command.command("keras")
@click.argument("file")
@click.argument("out")
@as_json
def import_keras(file: str, out: str, as_json: bool) -> None:
    """Write the model in FILE, .keras or .h5, to OUT, with recurrent layers of the zoo for Keras'.

    Weights, names and options stay. The outputs for random inputs are compared before anything is
    written. A FILE that holds a program, such as a Lambda layer, is refused.

    \b
    Examples:
      zoo import keras model.keras zoo-model.keras
      zoo import keras old.h5 zoo-model.keras
    """
    _check(file, out)
    load_api()
    module = import_module("zoo.importing.keras_layers")
    names, difference = module.import_keras(Path(file), Path(out))
    _tell(out, f"replaced {', '.join(names)}", difference, as_json)


def _check(file: str, out: str) -> None:
    """Check the arguments before TensorFlow is imported, so that the answer comes at once."""
    import_module("zoo.importing.paths").check_paths(Path(file), Path(out))


def _tell(out: str, summary: str, difference: float, as_json: bool) -> None:
    if as_json:
        print_json({"file": out, "said": summary, "largest_difference": difference})
    else:
        print(f"{summary}\nlargest difference: {difference:.1e}\n{out}")

"""From an image to a vector."""

from collections.abc import Sequence
from typing import Any

import keras


def image_encoder(kind: str, filters: Sequence[int], units: int, dropout: float) -> Any:
    """Layers from images `[B, h, w, c]` with values 0..255 to vectors.

    Args:
        kind: "linear" flattens and nothing more; "mlp" adds a dense layer; "cnn" puts 3x3
            convolutions before it, the first at full resolution and each further one halving it.
        filters: channels of each convolution; "cnn" only.
        units: size of the dense layer, for "mlp" and "cnn".
        dropout: share of the dense layer's inputs and outputs that is dropped in training.

    Raises:
        ValueError: the kind is none of these.

    Example:
        >>> import numpy as np
        >>> image_encoder("cnn", [8, 16], 32, 0.0)(np.zeros((2, 8, 8, 1), "uint8")).shape
        TensorShape([2, 32])
    """
    if kind not in ("linear", "mlp", "cnn"):
        raise ValueError(f"encoder is {kind!r}, but linear, mlp or cnn is needed")
    layers: list[Any] = [keras.layers.Rescaling(1 / 255)]
    if kind == "cnn":
        for index, channels in enumerate(filters):
            layers += [
                keras.layers.Conv2D(channels, 3, strides=1 if index == 0 else 2, padding="same"),
                keras.layers.Activation("relu"),
            ]
    layers.append(keras.layers.Flatten())
    if kind != "linear":
        layers += [
            keras.layers.Dropout(dropout),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(dropout),
        ]
    return keras.Sequential(layers)

"""From an image to a vector."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers

from zoo.typing import Tensor

NORMALIZATIONS = ("batch", "group")
_LARGE, _GROUPS = 48, 4


def image_encoder(
    kind: str,
    shape: Sequence[int],
    filters: Sequence[int],
    units: int,
    dropout: float = 0.0,
    normalization: str = "batch",
) -> keras.Model:
    """A model from images `[B, h, w, c]` with values 0..255 to vectors `[B, size]`.

    - "maps" gives the maps of the "cnn"'s blocks, `[B, h', w', filters[-1]]`, as they are.
    - "none" flattens the values as they are; the shape may then be any, such as that of a vector.
    - "pooled" takes what another network sees, `[h, w, c]` or a vector: the means over all places,
      then a dense layer, normalised.
    - "linear" brings the pixels to 0..1, flattens them and does nothing more.
    - "mlp" adds a dense layer.
    - "cnn" puts blocks before it, each a 3x3 convolution, batch normalisation (Ioffe and Szegedy
      2015, arXiv:1502.03167), a rectifier, and 2x2 max pooling. In images of 48 pixels and more,
      the first convolution is 5x5 and skips every second pixel. The dense layer sees where
      something is; beside its outputs stand the means of the channels over all places, which tell
      what there is. Both are normalised, for what follows to get inputs of one scale.

    Args:
        kind: "none", "pooled", "linear", "mlp", "cnn" or "maps".
        shape: height, width and channels.
        filters: channels of each block of the "cnn" and the "maps".
        units: size of the dense layer of "pooled", "mlp" and "cnn".
        dropout: share of the dense layer's inputs and outputs that is dropped in training.
        normalization: "batch"; or "group", of four groups of channels of an image, and of the
            vector alone (Wu and He 2018, arXiv:1803.08494), which has no statistics to measure:
            where there are few updates, those of a batch lag behind.

    Raises:
        ValueError: the kind or the normalization is none of these.

    Example:
        >>> image_encoder("cnn", (8, 8, 1), [8, 16], units=32).output_shape
        (None, 48)
    """
    kinds = ("none", "pooled", "linear", "mlp", "cnn", "maps")
    if kind not in kinds:
        raise ValueError(f"encoder is {kind!r}, but one of {', '.join(kinds)} is needed")
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization is {normalization!r}, but one of {', '.join(NORMALIZATIONS)} is needed"
        )
    images = keras.Input(tuple(shape))
    if kind == "none":
        return keras.Model(images, layers.Flatten()(images))
    maps = images if kind == "pooled" else layers.Rescaling(1 / 255)(images)
    if kind in ("cnn", "maps"):
        maps = _AtLeastOne()(maps)
        large = min(shape[:2]) >= _LARGE
        for index, channels in enumerate(filters):
            maps = _block(maps, channels, large and index == 0, normalization)
    if kind == "maps":
        return keras.Model(images, _AsMany()(maps, images))
    pooled = kind == "pooled" and len(shape) == 3
    vector = (layers.GlobalAveragePooling2D if pooled else layers.Flatten)()(maps)
    if kind != "linear":
        vector = layers.Dropout(dropout)(vector)
        vector = layers.Dense(units, activation="relu")(vector)
        vector = layers.Dropout(dropout)(vector)
    if kind == "cnn":
        vector = layers.Concatenate()([vector, layers.GlobalAveragePooling2D()(maps)])
        vector = _AsMany()(vector, images)
    if kind in ("cnn", "pooled"):
        vector = _normalized(vector, normalization)
    return keras.Model(images, vector)


class _AtLeastOne(layers.Layer):
    """Puts a blank image in the place of none, of which convolutions give a wrong shape on a CPU.

    In training there are always some.
    """

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        if training:
            return images
        missing = tf.maximum(1 - tf.shape(images)[0], 0)
        return tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]])


class _AsMany(layers.Layer):
    """Leaves out what stands for no image."""

    def call(self, values: Tensor, images: Tensor) -> Tensor:
        return values[: tf.shape(images)[0]]


def _block(maps: Tensor, channels: int, halve: bool, normalization: str) -> Tensor:
    size, strides = (5, 2) if halve else (3, 1)
    maps = layers.Conv2D(channels, size, strides, padding="same", use_bias=False)(maps)
    maps = layers.Activation("relu")(_normalized(maps, normalization))
    return layers.MaxPooling2D(2, padding="same")(maps)


def _normalized(values: Tensor, kind: str) -> Tensor:
    if kind == "batch":
        # Running averages of about ten steps: those of Keras' hundred lag behind fast-changing
        # weights.
        return layers.BatchNormalization(momentum=0.9)(values)
    if len(values.shape) == 2:
        return layers.LayerNormalization()(values)
    return layers.GroupNormalization(math.gcd(values.shape[-1], _GROUPS))(values)

"""Images seen a little differently each time, in training."""

from typing import Any

import keras
import tensorflow as tf

from zoo.typing import Tensor
from zoo.utils.validation import check_shares


class Augmentation(keras.layers.Layer):
    """What draws anew at each call, in training only, from a seed that checkpoints keep.

    Args:
        strength: in 0..1, below 1.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.
    """

    option = "augment"
    """What a model calls the strength."""

    def __init__(self, strength: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_shares(**{self.option: strength})
        self.strength = strength
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def _uniform(self, shape: Any) -> Tensor:
        """Return numbers between -1 and 1."""
        return keras.random.uniform(shape, -1, 1, dtype="float32", seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "strength": self.strength}


@keras.saving.register_keras_serializable("zoo")
class RandomView(Augmentation):
    """Images moved, scaled, and of other light, each differently; in training only.

    All images of a clip are seen alike.

    With strength s, an image is scaled by 1 - s..1 + s around its middle, moved by up to s of its
    height and of its width, its border going on where nothing is; its values are brought nearer to
    their mean or farther from it by the factor 1 - s..1 + s, and all of them made brighter or
    darker by up to s / 2 of white. With `flip`, half of the images are mirrored, too; not where
    captions tell left from right. With `patch`, half of them have a patch left blank, of up to so
    much of their height and of their width (Zhong et al. 2017, arXiv:1708.04896).

    Each axis is resampled by a product with a matrix of linear weights. Those are products that
    XLA compiles; the random layers of Keras are not.

    Args:
        strength: s, in 0..1, below 1; 0 does nothing.
        flip: whether half of the images are mirrored.
        patch: the most of a side that a blank patch takes, in 0..1; 0 for none.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.

    Example:
        >>> view = RandomView(0.1)
        >>> images = tf.random.uniform([2, 8, 8, 3]) * 255
        >>> bool(tf.reduce_all(view(images) == images)), view(images, training=True).shape
        (True, TensorShape([2, 8, 8, 3]))
    """

    def __init__(
        self, strength: float = 0.1, flip: bool = False, patch: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(strength, **kwargs)
        self.flip, self.patch = flip, patch

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """`[B, h, w, c]` or `[B, T, h, w, c]`, values 0..255, to the same shape."""
        images = tf.cast(images, self.compute_dtype)
        if not training or not (self.strength or self.flip or self.patch):
            return images
        drawn = self._uniform((11, tf.shape(images)[0]))
        zoom, down, across, contrast, bright, mirror = tf.unstack(drawn[:6])
        scale = 1 + self.strength * zoom
        turned = tf.where(mirror < 0, -scale, scale) if self.flip else scale
        rows = _resampling(images.shape[-3], scale, self.strength * down, images.dtype)
        columns = _resampling(images.shape[-2], turned, self.strength * across, images.dtype)
        images = tf.einsum("bij,b...jwc->b...iwc", rows, images)
        images = tf.einsum("bij,b...hjc->b...hic", columns, images)
        mean = tf.reduce_mean(images, axis=(-3, -2, -1), keepdims=True)
        factor = _over(1 + self.strength * contrast, images)
        lit = mean + _over(127.5 * self.strength * bright, images)
        images = tf.clip_by_value(lit + factor * (images - mean), 0, 255)
        return _blanked(images, self.patch, drawn[6:]) if self.patch else images

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "flip": self.flip, "patch": self.patch}


def _blanked(images: Tensor, strength: float, drawn: Tensor) -> Tensor:
    """Return images `[B, ..., h, w, c]`, half of them with a patch of their mean.

    Args:
        images: to change.
        strength: the most of the height and of the width that a patch takes.
        drawn: `[5, B]`, between -1 and 1: whether there is one, where, and how large.
    """
    height, width = images.shape[-3:-1]
    there, down, across, tall, wide = tf.unstack(drawn)
    rows = _inside(height, down, strength * tf.abs(tall))
    columns = _inside(width, across, strength * tf.abs(wide))
    blank = (there < 0)[:, None, None] & rows[:, :, None] & columns[:, None, :]
    blank = tf.reshape(blank, [-1, *[1] * (len(images.shape) - 4), height, width, 1])
    return tf.where(blank, tf.reduce_mean(images, axis=(-3, -2, -1), keepdims=True), images)


def _over(values: Tensor, images: Tensor) -> Tensor:
    """Return a value `[B]` for each image, so that it goes with all of its pixels."""
    return tf.cast(tf.reshape(values, [-1, *[1] * (len(images.shape) - 1)]), images.dtype)


def _inside(size: int, place: Tensor, share: Tensor) -> Tensor:
    """Return which of so many pixels `[B, size]` are in a part around a place between -1 and 1."""
    middle = (place[:, None] + 1) / 2 * size
    pixels = tf.range(size, dtype=tf.float32) + 0.5
    return tf.abs(pixels - middle) < share[:, None] * size / 2


def _resampling(size: int, scale: Tensor, move: Tensor, dtype: Any) -> Tensor:
    """Weights `[B, size, size]` of the old places for each new one, linear between neighbours."""
    middle = (size - 1) / 2
    places = tf.range(size, dtype=tf.float32)
    source = (places - middle) / scale[:, None] + middle + (move * size)[:, None]
    source = tf.clip_by_value(source, 0, size - 1)
    return tf.cast(tf.maximum(0.0, 1 - tf.abs(source[..., None] - places)), dtype)

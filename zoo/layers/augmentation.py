"""Images seen a little differently each time, in training."""

from typing import Any

import keras
import tensorflow as tf

from zoo.typing import Tensor


@keras.saving.register_keras_serializable("zoo")
class RandomView(keras.layers.Layer):
    """Images moved, scaled, and of another contrast, each differently; in training only.

    All images of a clip are seen alike.

    With strength s, an image is scaled by 1 - s..1 + s around its middle, moved by up to s of its
    height and of its width, its border going on where nothing is, and its values are brought
    nearer to their mean or farther from it by the factor 1 - s..1 + s. With `flip`, half of the
    images are mirrored, too; not where captions tell left from right.

    Each axis is resampled by a product with a matrix of linear weights. Those are products that
    XLA compiles; the random layers of Keras are not.

    Args:
        strength: s, in 0..1, below 1; 0 does nothing.
        flip: whether half of the images are mirrored.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.

    Example:
        >>> view = RandomView(0.1)
        >>> images = tf.random.uniform([2, 8, 8, 3]) * 255
        >>> bool(tf.reduce_all(view(images) == images)), view(images, training=True).shape
        (True, TensorShape([2, 8, 8, 3]))
    """

    def __init__(self, strength: float = 0.1, flip: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= strength < 1:
            raise ValueError(f"augment is {strength}, but 0 to below 1 is needed")
        self.strength, self.flip = strength, flip
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, images: Tensor, training: bool | None = None) -> Tensor:
        """`[B, h, w, c]` or `[B, T, h, w, c]`, values 0..255, to the same shape."""
        images = tf.cast(images, self.compute_dtype)
        if not training or not (self.strength or self.flip):
            return images
        zoom, down, across, contrast, mirror = tf.unstack(
            keras.random.uniform(
                (5, tf.shape(images)[0]), -1, 1, dtype="float32", seed=self.seed_generator
            )
        )
        scale = 1 + self.strength * zoom
        turned = tf.where(mirror < 0, -scale, scale) if self.flip else scale
        rows = _resampling(images.shape[-3], scale, self.strength * down, images.dtype)
        columns = _resampling(images.shape[-2], turned, self.strength * across, images.dtype)
        images = tf.einsum("bij,b...jwc->b...iwc", rows, images)
        images = tf.einsum("bij,b...hjc->b...hic", columns, images)
        mean = tf.reduce_mean(images, axis=(-3, -2, -1), keepdims=True)
        factor = 1 + self.strength * contrast
        factor = tf.cast(tf.reshape(factor, [-1, *[1] * (len(images.shape) - 1)]), images.dtype)
        return tf.clip_by_value(mean + factor * (images - mean), 0, 255)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "strength": self.strength, "flip": self.flip}


def _resampling(size: int, scale: Tensor, move: Tensor, dtype: Any) -> Tensor:
    """Weights `[B, size, size]` of the old places for each new one, linear between neighbours."""
    middle = (size - 1) / 2
    places = tf.range(size, dtype=tf.float32)
    source = (places - middle) / scale[:, None] + middle + (move * size)[:, None]
    source = tf.clip_by_value(source, 0, size - 1)
    return tf.cast(tf.maximum(0.0, 1 - tf.abs(source[..., None] - places)), dtype)

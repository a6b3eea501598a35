"""Pictures whose pixels are on or off: what is grey becomes so in a way that is named, or not."""

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.utils.validation import checked

WAYS = ("", "threshold", "sample")
_MESSAGE = (
    "only black and white is likely or not for this model, which was trained without binarize: "
    "give pictures of 0 and 255 in its own size; so many pixels are grey:"
)


def binary_pictures(images: np.ndarray, way: str, name: str) -> np.ndarray:
    """Return pictures of 0 and 255, uint8, outside of the graph.

    Args:
        images: `[N, h, w, c]`, uint8.
        way: as in `binarised`.
        name: of the data, for the message.

    Raises:
        UserError: `way` is "", and a pixel is grey; it names the value, and the ways.
    """
    grey = images[(images > 0) & (images < 255)]
    if not grey.size:
        return images
    if not way:
        raise UserError(
            f"{name} has grey pixels, such as {grey[0]} of 255, but the model is of pixels that "
            "are on or off: set binarize to threshold (on is what is over half) or to sample (each "
            "is on with the probability that its grey says)"
        )
    # One by one outside of a graph, pictures take many times as long.
    run = tf.function(lambda images: tf.cast(binarised(images, way), tf.uint8), autograph=False)
    return run(tf.constant(images)).numpy()


def binarised(images: Any, way: str) -> Any:
    """Return pictures of 0 and 255, in the graph.

    Args:
        images: `[N, h, w, c]`, values 0..255 of any dtype.
        way: "threshold": on is what is over half of 255. "sample": a pixel is on with probability
            grey / 255, drawn once for all from a seed that the picture itself makes (R.
            Salakhutdinov and I. Murray 2008, doi:10.1145/1390156.1390266). "": they are so
            already, which is checked.

    Returns:
        float32, of the same shape.

    Raises:
        tf.errors.InvalidArgumentError: `way` is "", and a pixel is grey.

    Example:
        >>> binarised(tf.constant([[[[127]], [[128]]]]), "threshold").numpy().ravel().tolist()
        [0.0, 255.0]
    """
    images = tf.cast(images, tf.float32)
    if way == "sample":
        return tf.map_fn(_sampled, images)
    on = images > 255 / 2
    if not way:
        grey = tf.math.count_nonzero((images > 0) & (images < 255))
        on = checked(on, grey == 0, _MESSAGE, grey)
    return tf.where(on, 255.0, 0.0)


def _sampled(image: Any) -> Any:
    """Return one picture `[h, w, c]` whose pixels are drawn."""
    written = tf.strings.reduce_join(tf.strings.as_string(tf.cast(image, tf.int32)), separator=" ")
    seed = tf.stack([tf.strings.to_hash_bucket_fast(written, 2**31 - 1), 0])
    # XLA would otherwise choose another generator.
    noise = tf.random.stateless_uniform(tf.shape(image), seed, alg="philox")
    return tf.where(255 * noise < image, 255.0, 0.0)

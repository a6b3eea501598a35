"""Pictures in the graph: raw input to what a model takes."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from zoo.readers.images import read_picture
from zoo.readers.stored_pictures import StoredPicture


def decode_images(encoded: Any, shape: Sequence[int]) -> Any:
    """Decode PNG or JPEG bytes `[N]` to `[N, *shape]`, float32 in 0..255, resized.

    Args:
        encoded: strings.
        shape: height, width, and 1 or 3 channels.
    """
    height, width, channels = shape

    def decode(one: Any) -> Any:
        image = tf.io.decode_image(one, channels=channels, expand_animations=False)
        return tf.ensure_shape(_resize(image, (height, width)), (height, width, channels))

    return tf.map_fn(
        decode, encoded, fn_output_signature=tf.TensorSpec((height, width, channels), tf.float32)
    )


def fit_frames(clips: Any, shape: Sequence[int]) -> Any:
    """Return RGB clips `[N, T, h, w, 3]`, uint8, as `[N, T, *shape]`, float32 in 0..255.

    Frames of another proportion are cropped at both sides, as in `zoo.readers.video`; then
    they are resized.
    """
    height, width, channels = shape
    size = tf.shape(clips)
    crop_height = tf.minimum(size[2], tf.maximum(1, size[3] * height // width))
    crop_width = tf.minimum(size[3], tf.maximum(1, size[2] * width // height))
    top, left = (size[2] - crop_height) // 2, (size[3] - crop_width) // 2
    frames = clips[:, :, top : top + crop_height, left : left + crop_width]
    frames = tf.reshape(frames, [-1, crop_height, crop_width, 3])
    if channels == 1:
        frames = tf.image.rgb_to_grayscale(frames)
    frames = _resize(frames, (height, width))
    return tf.reshape(frames, [size[0], size[1], height, width, channels])


def read_pixels(
    source: Path | bytes | StoredPicture, name: str, shape: Sequence[int]
) -> np.ndarray:
    """Read an image file, or its bytes, as `[*shape]`, uint8, resized like `decode_images` does.

    It is decoded outside of the graph, where every kind of picture can be, by any thread.

    Args:
        source: see `zoo.readers.images.read_picture`.
        name: what to call it in an error.
        shape: height, width, and 1 or 3 channels.

    Raises:
        UserError: it is no image that can be read.
    """
    height, width, channels = shape
    picture = read_picture(source, name, max(height, width))
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture).reshape(height, width, channels)


def is_shape(shape: Sequence[Any]) -> bool:
    """Return whether values are the height, the width and the channels, 1 or 3, of a picture.

    Example:
        >>> is_shape([28, 28, 1]), is_shape([28, 28]), is_shape([28, 0, 3])
        (True, False, False)
    """
    numbers = all(isinstance(size, int) and size > 0 for size in shape)
    return len(shape) == 3 and numbers and shape[2] in (1, 3)


def encode_png(image: np.ndarray) -> bytes:
    """Return an image `[h, w, 1 or 3]`, uint8, as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(buffer, "png")
    return buffer.getvalue()


def stack_images(images: Sequence[np.ndarray], shape: Sequence[int]) -> np.ndarray:
    """Stack images `[h, w, c]`, uint8, of any sizes, as `[N, *shape]`, uint8."""
    wanted = tuple(shape)

    def resized(image: np.ndarray) -> np.ndarray:
        pixels = decode_images(tf.constant([encode_png(image)]), wanted)[0]
        return np.rint(pixels).astype("uint8")

    return np.stack([image if image.shape == wanted else resized(image) for image in images])


def _resize(images: Any, size: tuple[int, int]) -> Any:
    """Resize, antialiased: a large picture keeps its strokes, one of this size stays as it is."""
    return tf.image.resize(images, size, antialias=True)

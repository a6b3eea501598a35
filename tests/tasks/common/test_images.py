import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tasks.common.images import decode_images, encode_png, read_pixels


def photo(height=90, width=120):
    """Smooth, as photos are."""
    y, x = np.mgrid[:height, :width] / 20
    waves = [np.sin(x + shift) * np.cos(y * (1 + shift)) for shift in (0, 1, 2)]
    return np.rint(127 + 120 * np.stack(waves, axis=-1)).astype("uint8")


@pytest.mark.parametrize("shape", [(32, 40, 3), (32, 32, 1), (90, 120, 3), (180, 200, 3)])
def test_pixels_are_those_that_the_graph_decodes(shape):
    png = encode_png(photo())
    inside = decode_images(tf.constant([png]), shape)[0].numpy()
    outside = read_pixels(png, "photo", shape)
    assert outside.shape == shape and outside.dtype == np.uint8
    assert np.abs(outside - inside).max() <= 2


def test_a_jpeg_decoded_smaller_is_nearly_the_same():
    file = io.BytesIO()
    Image.fromarray(photo(480, 640)).save(file, "jpeg", quality=95)
    inside = decode_images(tf.constant([file.getvalue()]), (64, 64, 3))[0].numpy()
    assert np.abs(read_pixels(file.getvalue(), "photo", (64, 64, 3)) - inside).mean() < 2


def test_an_image_of_the_right_size_keeps_its_pixels(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(encode_png(photo()))
    assert np.array_equal(read_pixels(path, "photo", (90, 120, 3)), photo())

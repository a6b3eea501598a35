import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.augmentation import RandomView


@pytest.fixture
def images():
    """Each pixel tells its place: row, column, and something in the middle."""
    rows, columns = np.meshgrid(np.arange(9), np.arange(12), indexing="ij")
    image = np.stack([rows * 20, columns * 20, np.full_like(rows, 128)], axis=-1)
    return np.repeat(image[None], 200, axis=0).astype("uint8")


def test_nothing_happens_outside_of_training(images):
    np.testing.assert_array_equal(RandomView(0.3, flip=True, patch=0.5)(images), images)


def test_images_are_moved_and_scaled_within_bounds(images):
    view = RandomView(0.1)
    seen = view(images, training=True).numpy()
    assert seen.min() >= 0 and seen.max() <= 255
    # Rows and columns still run the same way, each in its own axis alone.
    assert (np.diff(seen[..., 0], axis=1) >= -1e-3).all()
    assert np.abs(np.diff(seen[..., 0], axis=2)).max() < 1e-3
    # The middle pixel shows another one: moved by 0.1 of the height or width, at most.
    contrast = (seen[..., 0].max((1, 2)) - seen[..., 0].min((1, 2)))[:, None] / 160
    assert 0.5 < contrast.min() < contrast.max() < 1.15
    assert len(np.unique(np.round(seen[:, 4, 6, 1], 2))) > 150


def test_images_get_brighter_and_darker_by_as_much_as_is_said(images):
    # The middle pixel of the last channel is grey everywhere, and stays so but for the light.
    grey = RandomView(0.2)(images[..., 2:] * 0 + 128, training=True).numpy()
    assert np.ptp(grey, axis=(1, 2, 3)).max() < 1e-3
    assert -25.6 < grey.min() - 128 < -20 and 20 < grey.max() - 128 < 25.6


def test_a_patch_is_blank_at_one_place_of_all_frames_in_half_of_the_clips(images):
    clips = np.stack([images, images], axis=1)
    seen = RandomView(0.0, patch=0.5)(clips, training=True).numpy()
    blank = np.abs(seen - clips).max(axis=-1) > 1e-3
    np.testing.assert_array_equal(blank[:, 0], blank[:, 1])
    assert 60 < blank[:, 0].any((1, 2)).sum() < 120
    assert blank.any(-1).sum(-1).max() <= 5 and blank.any(-2).sum(-1).max() <= 6
    np.testing.assert_allclose(seen[blank].std(axis=0), 0, atol=1e-3)


def test_half_of_the_images_are_mirrored(images):
    seen = RandomView(0.0, flip=True)(images, training=True).numpy()
    same = (np.abs(seen - images) < 1e-2).all(axis=(1, 2, 3))
    mirrored = (np.abs(seen - images[:, :, ::-1]) < 1e-2).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 60 < same.sum() < 140


def test_the_same_seed_shows_the_same_views_and_the_graph_compiles(images):
    views = [RandomView(0.2, flip=True, patch=0.5) for _ in range(2)]
    for view in views:
        view.seed_generator.state.assign([7, 0])
    one, other = (view(images, training=True) for view in views)
    np.testing.assert_array_equal(one, other)
    assert np.abs(one - views[0](images, training=True)).max() > 1
    compiled = tf.function(lambda x: views[0](x, training=True), jit_compile=True)(images)
    assert np.abs(compiled - images).max() > 1


def test_a_strength_of_one_is_refused():
    with pytest.raises(ValueError, match="augment is 1, but 0 to below 1"):
        RandomView(1)

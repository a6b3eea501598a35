"""A brush that is told and one that chooses: both paint alike."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.layers.strokes import over, stroke_coverage
from zoo.topologies.stroke_policy import PRESSURES, RADII
from zoo.training.objectives.stroke_worth import gumbel

SIZES = {"image_shape": (7, 6, 1), "strokes": 4, "grid": 5, "units": 6, "filters": 2}


def make(**options):
    """A model whose weights are all different from zero."""
    model = zoo.create("spiral-digits", **{**SIZES, **options})
    rng = np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(5).integers(0, 256, (3, 7, 6, 1)).astype("uint8")


@pytest.fixture(scope="module")
def painted(images):
    model = make()
    noise = gumbel([3, 4, sum(model.parts)], tf.constant([1, 2]))
    return model, noise, model.paint(model.encode(images), noise)


def test_what_was_chosen_is_painted_again_stroke_by_stroke(painted, images):
    model, noise, painting = painted
    whole = model({"image": images, "strokes": painting.tokens})
    logits = tf.split(model.score_painting(painting, images)[..., :-1], model.parts, axis=-1)
    likely = tf.concat([tf.nn.softmax(part) for part in logits], axis=-1)
    np.testing.assert_allclose(likely, whole[..., :-1], atol=1e-5)
    state = model.encode(images)
    for t in range(4):
        outputs, state = model.step(painting.tokens[:, t], state)
        np.testing.assert_allclose(outputs, whole[:, t], atol=1e-5)
        np.testing.assert_allclose(state["canvas"], painting.canvases[:, t + 1], atol=1e-6)
        # Each part is the one whose logarithm and noise are largest, given the parts before.
        paints = painting.tokens[:, t, 0].numpy().astype(bool)
        parts = zip(*(tf.split(x, model.parts, axis=-1) for x in (outputs[:, :-1], noise[:, t])))
        for part, (probabilities, drawn) in enumerate(parts):
            chosen = tf.argmax(tf.math.log(probabilities) + drawn, axis=-1).numpy()
            chosen = chosen if part < 2 else chosen * paints
            np.testing.assert_array_equal(painting.tokens[:, t, part], chosen)


def test_strokes_are_laid_one_over_the_other_from_where_the_brush_is(painted):
    _, _, painting = painted
    for tokens, canvases in zip(painting.tokens.numpy(), painting.canvases.numpy()):
        brush, canvas = np.zeros(2), np.zeros((7, 6))
        for t, (flag, end, control, size, pressure) in enumerate(tokens):
            # The middles of 5x5 cells over 7x6 pixels, from the middle of the canvas.
            end, control = (
                np.array([(n // 5 + 0.5) * 7 / 5 - 3.5, (n % 5 + 0.5) * 6 / 5 - 3])
                for n in (end, control)
            )
            radius = max(RADII[size] * 7 / 16, 0.5)
            points = [tf.constant(x[None], tf.float32) for x in (brush, control, end)]
            covered = stroke_coverage(*points, tf.constant([radius], tf.float32), 7, 6)[0]
            canvas = over(canvas, flag * PRESSURES[pressure] * covered.numpy())
            np.testing.assert_allclose(canvases[t + 1, ..., 0], canvas, atol=1e-5)
            brush = end


def test_a_move_leaves_no_ink_and_has_no_parts_but_its_end(images):
    model = make()
    strokes = np.full((3, 4, 5), 1, "int32")
    strokes[:, :2, 0] = 0
    other = strokes.copy()
    other[:, :2, 2:] = 2
    first, second = ({"image": images, "strokes": each} for each in (strokes, other))
    np.testing.assert_array_equal(model(first), model(second))
    state = model.encode(images)
    for t in range(3):
        _, state = model.step(strokes[:, t], state)
        assert bool(tf.reduce_any(state["canvas"] > 0)) == (t == 2)
    np.testing.assert_allclose(state["brush"][0], [0.5 * 7 / 5 - 3.5, 1.5 * 6 / 5 - 3])


def test_choices_out_of_range_count_as_the_nearest(images):
    model = make()
    strokes = np.full((3, 4, 5), 10**6, "int32")
    highest = np.broadcast_to(np.array(model.parts) - 1, strokes.shape).astype("int32")
    first, second = ({"image": images, "strokes": each} for each in (strokes, highest))
    np.testing.assert_array_equal(model(first), model(second))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"strokes": 0}, "strokes is 0"),
        ({"grid": 0}, "grid is 0"),
        ({"filters": 0}, "filters is 0"),
        ({"image_shape": (6, 6, 3)}, "ink has one channel"),
    ],
)
def test_a_size_that_paints_nothing_is_refused(option, message):
    with pytest.raises(zoo.UserError, match=message):
        zoo.create("spiral-digits", **{**SIZES, **option})

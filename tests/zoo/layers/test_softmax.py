import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.softmax import SampledSoftmax, cross_entropy

H = 5


def random(*shape):
    return tf.constant(np.random.default_rng(sum(shape)).normal(size=shape), tf.float32)


def exact(h, y, kernel, bias):
    """The loss of all classes, and whether the target is the likeliest."""
    logits = tf.matmul(h, kernel, transpose_b=True) + bias
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
    return nll, tf.argmax(logits, axis=-1, output_type=y.dtype) == y


def gradients_of(loss, sources):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        value = tf.reduce_mean(loss(*sources))
    return [tf.convert_to_tensor(part) for part in tape.gradient(value, sources)]


def gradients(loss, *sources):
    return [part.numpy() for part in gradients_of(loss, sources)]


@pytest.mark.parametrize("samples", [30, 100])
def test_of_all_classes_loss_and_gradients_are_exact(samples):
    softmax = SampledSoftmax(30, samples)
    h, kernel, bias = random(40, H), random(30, H), random(30)
    y = tf.constant(np.arange(40) % 30)
    loss, nll, right = softmax(h, y, kernel, bias)
    expected, expected_right = exact(h, y, kernel, bias)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    np.testing.assert_allclose(nll, expected, rtol=1e-5)
    assert np.array_equal(right == 1, expected_right)
    ours = gradients(lambda *s: softmax(s[0], y, *s[1:])[0], h, kernel, bias)
    theirs = gradients(lambda *s: exact(s[0], y, *s[1:])[0], h, kernel, bias)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("classes, samples", [(300, 1), (300, 40), (300, 299), (33278, 2048)])
def test_as_many_are_expected_as_are_drawn_and_none_more_than_once(classes, samples):
    softmax = SampledSoftmax(classes, samples)
    expected = np.exp(softmax.log_expected(tf.range(classes)))
    np.testing.assert_allclose(expected.sum(), samples, rtol=1e-4)
    assert expected.max() <= 1.001
    assert np.all(np.diff(expected) <= 1e-6)


def test_each_class_is_drawn_as_often_as_expected():
    softmax, draws = SampledSoftmax(300, 40), 4000
    draw = tf.function(softmax.draw)
    found = sum(np.bincount(draw(), minlength=300) for _ in range(draws)) / draws
    expected = np.exp(softmax.log_expected(tf.range(300)))
    assert np.array_equal(found[: softmax.head], np.ones(softmax.head))
    assert np.abs(found - expected).max() < 5 * np.sqrt(expected.max() / draws)
    rare = slice(200, 300)
    np.testing.assert_allclose(found[rare].sum(), expected[rare].sum(), rtol=0.05)


@pytest.fixture(scope="module")
def mean_gradient():
    """d loss / d bias on the average over targets drawn from `truth` and over draws of classes."""

    def mean(softmax, logits, truth, draws=1500, targets=400):
        rng = np.random.default_rng(0)
        kernel, h = tf.zeros([len(truth), 1]), tf.zeros([targets, 1])
        bias = tf.Variable(logits, dtype=tf.float32)

        @tf.function
        def one(y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(softmax(h, y, kernel, bias)[0])
            return tf.convert_to_tensor(tape.gradient(loss, bias))

        ys = rng.choice(len(truth), (draws, targets), p=truth)
        return np.mean([one(tf.constant(y)) for y in ys], axis=0)

    return mean


def a_surprising_distribution(classes):
    """That of Zipf, but for a rare class that is likely here, as `Angeles` after `Los`."""
    p = 1 / np.arange(1.0, classes + 1)
    p[2 * classes // 3] = 2
    return p / p.sum()


def test_the_loss_is_least_where_the_model_is_right(mean_gradient):
    truth = a_surprising_distribution(60)
    gradient = mean_gradient(SampledSoftmax(60, 15), np.log(truth), truth)
    # Without the correction of the target, that of the rare class would be 0.15 and more.
    assert np.abs(gradient).max() < 0.006


def test_the_mean_gradient_nears_the_exact_one_as_more_are_drawn(mean_gradient):
    truth = a_surprising_distribution(60)
    exact = np.full(60, 1 / 60) - truth
    misses = [
        np.linalg.norm(mean_gradient(SampledSoftmax(60, n), np.zeros(60), truth, 400) - exact)
        for n in (6, 20, 55)
    ]
    assert misses[0] > misses[1] > misses[2]
    assert misses[2] < 0.06 * np.linalg.norm(exact)


def test_what_is_told_estimates_the_exact_loss():
    softmax = SampledSoftmax(2000, 300)
    h, kernel, bias = 0.3 * random(50, H), random(2000, H), -np.log(np.arange(1.0, 2001))
    bias = tf.constant(bias, tf.float32)
    y = tf.constant(np.arange(0, 2000, 40))
    told = np.mean([softmax(h, y, kernel, bias)[1] for _ in range(50)], axis=0)
    np.testing.assert_allclose(told, exact(h, y, kernel, bias)[0], atol=0.1)


def test_the_same_seed_draws_the_same_and_the_next_draw_is_another():
    softmax = SampledSoftmax(1000, 50)
    (seed,) = softmax.variables
    before = seed.numpy()
    first, second = softmax.draw(), softmax.draw()
    seed.assign(before)
    assert np.array_equal(softmax.draw(), first)
    assert not np.array_equal(first, second)


def test_half_precision_is_scored_in_full():
    softmax = SampledSoftmax(30, 10, dtype="mixed_bfloat16")
    half = [tf.cast(part, tf.bfloat16) for part in (random(7, H), random(30, H), random(30))]
    told = softmax(half[0], tf.zeros([7], tf.int32), *half[1:])
    assert {part.dtype for part in told} == {tf.float32}


def test_config_round_trip():
    again = SampledSoftmax.from_config(SampledSoftmax(30, 10).get_config())
    assert (again.classes, again.samples) == (30, 10)
    assert keras.saving.get_registered_object("zoo>SampledSoftmax") is SampledSoftmax


@pytest.mark.parametrize("jit", [False, True])
def test_the_exact_cross_entropy_and_its_gradient_are_tensorflows(jit):
    """Also for logits whose exponentials overflow, and for targets of weights that may be zero."""
    h, kernel, bias = 30 * random(2, 20, H), random(30, H), random(30)
    y, weights = tf.reshape(tf.range(40) % 30, [2, 20]), tf.nn.relu(random(2, 20))
    sources = (h, kernel, bias)
    losses = {
        "ours": lambda *s: weights * cross_entropy(*s, y)[0],
        "theirs": lambda h, *s: weights * exact(h, y, *s)[0],
    }
    run = tf.function(lambda loss: gradients_of(losses[loss], sources), jit_compile=jit)
    for a, b in zip(run("ours"), run("theirs"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    nll, right = cross_entropy(h, kernel, bias, y)
    expected, expected_right = exact(h, y, kernel, bias)
    np.testing.assert_allclose(nll, expected, rtol=1e-5, atol=1e-5)
    assert np.array_equal(right == 1, expected_right)

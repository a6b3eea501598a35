"""DRAW against the equations of the paper, written out in numpy with its own counting."""

import numpy as np
import pytest
import tensorflow as tf

import zoo

H, W, Z, N, M, T, B = 7, 6, 3, 3, 2, 4, 2
SIZES = {"image_shape": (H, W, 1), "latent": Z, "units": 8, "read_size": N, "write_size": M}


def make(name="draw-digits", **options):
    """A model whose weights are all different from zero."""
    model = zoo.create(name, **{**SIZES, **options})
    rng = np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return model


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    images = 255 * rng.integers(0, 2, (B, H, W, 1)).astype("uint8")
    return images, rng.normal(size=(B, T, Z)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dense(layer, x):
    return x @ layer.kernel.numpy() + layer.bias.numpy()


def lstm(stack, x, h, c):
    """One step of the zoo's LSTM: rows of h first, gates in the order f, i, o, g."""
    cell = stack.recurrences[0].cell
    f, i, o, g = np.split(np.concatenate([h, x]) @ cell.kernel.numpy() + cell.bias.numpy(), 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def paper_filters(numbers, size):
    """F_Y and F_X, gamma and the centre: pixels a and Gaussians i are counted from 1."""
    g_y, g_x, log_variance, log_stride, log_gamma = numbers
    g_y, g_x = (H + 1) / 2 * (g_y + 1), (W + 1) / 2 * (g_x + 1)
    delta = (max(H, W) - 1) / (size - 1) * np.exp(log_stride)

    def bank(g, length):
        F = np.zeros((size, length))
        for i in range(1, size + 1):
            mu = g + (i - size / 2 - 0.5) * delta
            for a in range(1, length + 1):
                F[i - 1, a - 1] = np.exp(-((a - mu) ** 2) / (2 * np.exp(log_variance)))
        return F / F.sum(axis=1, keepdims=True)

    return bank(g_y, H), bank(g_x, W), np.exp(log_gamma), (g_y, g_x, delta)


def paper(model, image, noise, attention=True):
    """Canvases, means, log sigmas and the written windows' places of one picture, stroke by stroke.

    Without a picture, z is the noise.
    """
    x = None if image is None else image[..., 0] / 255
    c = model.first_canvas.numpy().reshape(H, W).astype("float64")
    h_enc = c_enc = np.zeros(8)
    h_dec = c_dec = np.zeros(8)
    canvases, means, log_sigmas, places = [], [], [], []
    for e in noise:
        z = e
        if x is not None:
            error = x - sigmoid(c)
            if attention:
                F_y, F_x, gamma, _ = paper_filters(dense(model.read_place, h_dec), N)
                seen = [gamma * F_y @ part @ F_x.T for part in (x, error)]
                r = np.stack(seen, axis=-1).ravel()
            else:
                r = np.concatenate([x.ravel(), error.ravel()])
            h_enc, c_enc = lstm(model.encoder, np.concatenate([r, h_dec]), h_enc, c_enc)
            mean, log_sigma = np.split(dense(model.posterior, h_enc), 2)
            means.append(mean)
            log_sigmas.append(log_sigma)
            z = mean + np.exp(log_sigma) * e
        h_dec, c_dec = lstm(model.decoder, z, h_dec, c_dec)
        patch = dense(model.write, h_dec)
        if attention:
            F_y, F_x, gamma, place = paper_filters(dense(model.write_place, h_dec), M)
            c = c + F_y.T @ patch.reshape(M, M) @ F_x / gamma
            places.append(place)
        else:
            c = c + patch.reshape(H, W)
        canvases.append(c)
    return map(np.array, (canvases, means, log_sigmas, places))


@pytest.mark.parametrize("attention", [True, False])
def test_every_stroke_is_that_of_the_papers_equations(data, attention):
    model = make(attention=attention)
    images, noise = data
    strokes, _ = model.strokes(noise, model.encode(images))
    for row in range(B):
        canvases, means, log_sigmas, places = paper(model, images[row], noise[row], attention)
        np.testing.assert_allclose(strokes.canvas[row], canvases.reshape(T, -1), atol=1e-4)
        np.testing.assert_allclose(strokes.mean[row], means, atol=1e-5)
        np.testing.assert_allclose(strokes.log_sigma[row], log_sigmas, atol=1e-5)
        z = means + np.exp(log_sigmas) * noise[row]
        np.testing.assert_allclose(strokes.z[row], z, atol=1e-5)
        if attention:
            # Ours count from the edge, where the first pixel's middle is at 0.5 and not at 1.
            shifted = places - [0.5, 0.5, 0]
            np.testing.assert_allclose(strokes.place[row, :, :3], shifted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("attention", [True, False])
def test_a_new_picture_is_painted_from_the_prior_and_the_encoder_has_no_say(data, attention):
    model, noise = make(attention=attention), data[1]
    strokes, _ = model.strokes(noise, model.initial_state(B))
    for row in range(B):
        canvases, *_ = paper(model, None, noise[row], attention)
        np.testing.assert_allclose(strokes.canvas[row], canvases.reshape(T, -1), atol=1e-4)
    for weight in [*model.encoder.trainable_variables, *model.posterior.trainable_variables]:
        weight.assign(weight + 1)
    np.testing.assert_array_equal(
        model.strokes(noise, model.initial_state(B))[0].canvas, strokes.canvas
    )


def test_each_stroke_has_noise_of_its_own(data):
    model = make()
    images, noise = data
    before = model({"image": images, "noise": noise}).numpy()
    for t in range(T):
        other = noise.copy()
        other[:, t] += 1
        after = model({"image": images, "noise": other}).numpy()
        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert np.abs(after[:, t] - before[:, t]).max(axis=(1, 2, 3)).min() > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("log_variance", [-1000.0, 2 * np.log(0.01), 2 * np.log(100.0), 1000.0])
def test_no_window_is_so_narrow_or_wide_that_it_makes_no_numbers(data, log_variance):
    model, (images, noise) = make(), data
    places = [model.read_place, model.write_place]
    for layer in places:
        # Between pixels, and with the other window far outside.
        layer.bias.assign([0.1 if layer is places[0] else -9.0, 0.1, log_variance, 0.0, 0.0])
    weights = [weight.value for weight in model.trainable_variables]
    with tf.GradientTape() as tape:
        strokes, _ = model.strokes(noise, model.encode(images))
        loss = tf.reduce_sum(tf.sigmoid(strokes.canvas)) + tf.reduce_sum(strokes.mean)
    assert all(np.isfinite(part).all() for part in strokes)
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, weights))


@pytest.mark.parametrize("cell", ["gru", "vanilla_rnn", "min_gru"])
def test_encoder_and_decoder_are_of_any_cell_and_depth(data, cell):
    model = make(cell=cell, layers=2)
    images, noise = data
    whole = model({"image": images, "noise": noise})
    state, steps = model.encode(images), []
    for t in range(T):
        canvas, state = model.step(noise[:, t], state)
        steps.append(canvas)
    np.testing.assert_allclose(tf.stack(steps, axis=1), whole, atol=1e-5)
    assert "hidden" in state and np.ptp(whole) > 0


def test_strokes_go_on_from_where_others_ended(data):
    model = make()
    images, noise = data
    whole, _ = model.strokes(noise, model.encode(images))
    _, state = model.strokes(noise[:, :2], model.encode(images))
    rest, _ = model.strokes(noise[:, 2:], state)
    np.testing.assert_allclose(rest.canvas, whole.canvas[:, 2:], atol=1e-4)


@pytest.mark.parametrize("option", [{"read_size": 1}, {"write_size": 1}, {"latent": 0}])
def test_a_size_that_makes_no_window_is_refused(option):
    with pytest.raises(zoo.UserError, match=f"{next(iter(option))} is"):
        zoo.create("draw-digits", **{**SIZES, **option})

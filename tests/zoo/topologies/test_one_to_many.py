import math

import numpy as np
import pytest
import tensorflow as tf

from zoo.topologies.one_to_many import OneToMany

SIZES = {"vocab_size": 11, "image_shape": (8, 8, 3), "filters": (4,), "features": 6, "units": 5}


@pytest.fixture
def inputs():
    rng = np.random.default_rng(1)
    return {
        "image": rng.integers(0, 256, (3, 8, 8, 3)).astype("uint8"),
        "tokens": rng.integers(0, 11, (3, 4)).astype("int32"),
    }


@pytest.mark.parametrize("image_input", ["first", "every", "gated"])
def test_steps_equal_the_whole_wherever_the_image_enters(image_input, inputs):
    model = OneToMany(**SIZES, image_input=image_input)
    state, steps = model.encode(inputs["image"]), []
    for t in range(4):
        logits, state = model.step(inputs["tokens"][:, t], state)
        steps.append(logits)
    np.testing.assert_allclose(tf.stack(steps, axis=1), model(inputs), atol=1e-5)


@pytest.mark.parametrize("image_input", ["first", "every", "gated"])
def test_the_final_state_goes_on_as_steps_do(image_input, inputs):
    model = OneToMany(**SIZES, image_input=image_input)
    _, state = model({**inputs, "tokens": inputs["tokens"][:, :3]}, return_state=True)
    logits, _ = model.step(inputs["tokens"][:, 3], state)
    np.testing.assert_allclose(logits, model(inputs)[:, 3], atol=1e-5)


def test_the_gate_shows_the_output_layer_the_image(inputs):
    model = OneToMany(**SIZES, image_input="gated")
    state = model.encode(inputs["image"])
    logits, new = model.step(inputs["tokens"][:, 0], state)
    h, v = np.array(new["stack"][0][0]), np.array(state["v"])
    U, a = model.gate.get_weights()
    W, b = model.head.get_weights()
    shown = v / (1 + np.exp(-(h @ U + a)))
    np.testing.assert_allclose(logits, np.concatenate([h, shown], axis=1) @ W + b, atol=1e-5)


def test_an_image_shown_first_does_not_enter_later(inputs):
    model = OneToMany(**SIZES, image_input="first")
    _, state = model.step(inputs["tokens"][:, 0], model.encode(inputs["image"]))
    assert not np.any(state["v"])


def test_several_captions_of_an_image_equal_one_at_a_time(inputs):
    model = OneToMany(**SIZES)
    twice = np.stack([inputs["tokens"], inputs["tokens"][:, ::-1]], axis=1)
    both = model({**inputs, "tokens": twice})
    for k in (0, 1):
        alone = model({**inputs, "tokens": twice[:, k]})
        np.testing.assert_allclose(both[:, k], alone, atol=1e-5)


def test_another_way_for_the_image_to_enter_is_refused():
    with pytest.raises(ValueError, match="sometimes"):
        OneToMany(**SIZES, image_input="sometimes")


ATTENDING = {"attention": "additive", "attention_units": 7, "embedding": 6}


def looking(**options):
    """A model that attends, with random weights."""
    rng = np.random.default_rng(2)
    model = OneToMany(**{**SIZES, "filters": (4, 3), **ATTENDING, **options})
    for weight in model.trainable_weights:
        weight.assign(rng.normal(size=weight.shape) / 2)
    return model


@pytest.mark.parametrize("attention", ["additive", "scaled"])
def test_steps_look_where_the_whole_looks(attention, inputs):
    model = looking(attention=attention)
    whole, alignments, final = model(inputs, return_alignments=True, return_state=True)
    assert alignments.shape == (3, 4, 4)
    state = model.encode(inputs["image"])
    for t in range(4):
        logits, state = model.step(inputs["tokens"][:, t], state)
        np.testing.assert_allclose(logits, whole[:, t], atol=1e-5)
        np.testing.assert_allclose(model.alignment(state), alignments[:, t], atol=1e-6)
    for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(final), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_captions_of_an_image_look_at_their_own_image(inputs):
    model = looking()
    twice = np.stack([inputs["tokens"], inputs["tokens"][:, ::-1]], axis=1)
    both, looked = model({**inputs, "tokens": twice}, return_alignments=True)
    for k in (0, 1):
        given = {**inputs, "tokens": twice[:, k]}
        alone, alone_looked = model(given, return_alignments=True)
        np.testing.assert_allclose(both[:, k], alone, atol=1e-5)
        np.testing.assert_allclose(looked[:, k], alone_looked, atol=1e-6)


def test_the_gate_and_the_output_layer_are_those_of_the_paper(inputs):
    model = looking()
    before = model.encode(inputs["image"])
    maps = np.array(model.encoder(inputs["image"])).reshape(3, 4, 3)
    kernel, bias = model.values.get_weights()
    places = maps @ kernel + bias + np.array(model.place_vectors)
    np.testing.assert_allclose(before.memory.values, places, atol=1e-4)
    logits, after = model.step(inputs["tokens"][:, 0], before)
    kernel, bias = model.stack.gate.get_weights()
    context = np.einsum("bs,bsd->bd", after.attention["alignment"], places)
    context /= 1 + np.exp(-(np.array(before.fed) @ kernel + bias))
    word = np.array(model.embedding(inputs["tokens"][:, 0]))
    kernel, bias = model.readout.get_weights()
    read = np.concatenate([after.fed, context, word], axis=1) @ kernel + bias
    kernel, bias = model.head.get_weights()
    np.testing.assert_allclose(logits, read @ kernel + bias, atol=1e-4)


def test_captions_that_leave_places_out_cost_in_training_alone(inputs):
    model = looking(doubly_stochastic=2.0)
    model(inputs)
    assert not model.losses
    tokens = inputs["tokens"].copy()
    tokens[:, 2:] = 0
    _, looked = model({**inputs, "tokens": tokens}, return_alignments=True, training=True)
    real = np.array(looked) * (tokens > 0)[..., None]
    expected = 2 * np.mean((1 - real.sum(axis=1)) ** 2)
    np.testing.assert_allclose(model.losses, [expected], rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 8), (8,)])
@pytest.mark.parametrize("attention", ["none", "additive"])
def test_what_another_network_saw_is_taken(shape, attention, inputs):
    model = OneToMany(11, shape, "none", features=6, units=5, attention=attention)
    seen = np.random.default_rng(1).normal(size=(3, *shape)).astype("float16")
    logits = model({"image": seen, "tokens": inputs["tokens"]})
    assert logits.shape == (3, 4, 11)
    assert np.abs(logits[0] - logits[1]).max() > 1e-4


def test_images_are_seen_differently_in_training_alone(inputs):
    model = OneToMany(**SIZES, augment=0.3)
    np.testing.assert_array_equal(model(inputs), model(inputs))
    images = np.repeat(inputs["image"][:1], 8, axis=0)
    one, other = model.view(images, training=True)[:2]
    assert np.abs(one - other).max() > 1


def test_what_does_not_go_with_attention_is_refused():
    with pytest.raises(ValueError, match="encoder is 'mlp', but attention needs cnn or none"):
        OneToMany(**SIZES, encoder="mlp", attention="additive")
    with pytest.raises(ValueError, match="cannot be seen differently"):
        OneToMany(11, (8,), "none", augment=0.1)


@pytest.mark.parametrize("attention", ["none", "additive"])
def test_naming_words_teaches_the_encoder_in_training_only(attention):
    sizes = {**SIZES, "filters": (3,), "attention": attention, "doubly_stochastic": 0.0}
    model = OneToMany(**sizes, naming=0.5)
    inputs = model.example_inputs(2, time=4)
    inputs["tokens"] = np.array([[2, 5, 6, 0], [2, 5, 7, 7]], "int32")
    model(inputs, training=False)
    assert not model.losses
    model(inputs, training=True)
    chances = 1 / (1 + math.exp(4))
    # Grey images, of which nothing is known yet: words come as rarely as it starts with.
    absent, present = -math.log(1 - chances), -math.log(chances)
    words = SIZES["vocab_size"] - 4
    model.namer.kernel.assign(tf.zeros_like(model.namer.kernel))
    model(inputs, training=True)
    assert float(model.losses[0]) == pytest.approx(0.5 * (2 * present + (words - 2) * absent), 1e-4)
    assert len(OneToMany(**sizes).variables) == len(model.variables) - 2

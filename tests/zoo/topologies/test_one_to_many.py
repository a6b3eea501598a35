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

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import generating
from zoo.utils.validation import LONGEST_TEXT, checked_steps, checked_texts, of_one_batch, reason

take_texts = tf.function(checked_texts, input_signature=[tf.TensorSpec([None], tf.string)])


def refused(call, *given, **named):
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        call(*given, **named)
    told = reason(error.value)
    assert "\n" not in told and "node" not in told
    return told


@pytest.mark.parametrize("text", ["", "a\0b\r\n", "\ufeffa", "\ufffd", "ä" * LONGEST_TEXT])
def test_any_text_within_bounds_stays_as_it_is(text):
    assert take_texts(["x", text]).numpy().tolist() == [b"x", text.encode()]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "the batch is empty: give at least one input; there are 0"),
        (["ok", b"caf\xe9"], "a text is not UTF-8: convert it first; it is number 1"),
        (["ä" * 20_001], "a text may have 20,000 characters: give a shorter one; it has 20001"),
    ],
)
def test_other_texts_are_refused_and_it_is_said_why(texts, said):
    assert refused(take_texts, tf.constant(texts, tf.string)) == said


def test_a_text_with_nothing_in_it_is_refused_where_it_has_no_answer():
    take = tf.function(lambda texts: checked_texts(texts, empty=False))
    assert take(tf.constant(["x", " y "])).numpy().tolist() == [b"x", b" y "]
    for text in ("", " \n\t"):
        said = refused(take, tf.constant(["x", text]))
        assert said == "a text is empty: give at least one word; it is number 1"


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (np.zeros((0, 3, 2), "float32"), "the batch is empty"),
        (np.zeros((2, 0, 2), "uint8"), "has no time steps: give at least one; there are 0"),
        (
            np.array([[[0, np.nan], [np.inf, 1]]], "float32"),
            "give numbers only; so many are none: 2",
        ),
    ],
)
def test_a_sequence_of_nothing_or_of_no_numbers_is_refused(batch, said):
    take = tf.function(checked_steps)
    np.testing.assert_array_equal(take(tf.ones([2, 1, 2])), np.ones([2, 1, 2]))
    assert said in refused(take, tf.constant(batch))


def test_parts_of_different_batches_are_refused():
    rows = tf.function(lambda *parts: of_one_batch(parts))
    np.testing.assert_array_equal(rows(tf.ones([2, 3]), tf.zeros([2]))[0], np.ones([2, 3]))
    for sizes in ((2, 1), (1, 2), (0, 0)):
        said = refused(rows, *map(tf.zeros, sizes))
        assert "must have the same number of rows" in said
        assert said.endswith(f"have {sizes[0]} {sizes[1]}")


@pytest.fixture(scope="module")
def generate():
    given = tf.TensorSpec([None], tf.string, name="prompts")
    return generating(given, lambda prompts, **options: options, max_length=7)


def test_options_come_in_one_order_and_have_defaults(generate):
    told = generate(["a"])
    assert {name: value.numpy().tolist() for name, value in told.items()} == {
        "max_length": 7, "temperature": 0.0, "top_k": 0, "top_p": 1.0, "beam_width": 1,
        "seed": [0, 0],
    }  # fmt: skip
    told = generate(["a"], 1, 0.5, 3, 0.25, 64, [1, 2])
    assert [value.numpy().tolist() for value in told.values()] == [1, 0.5, 3, 0.25, 64, [1, 2]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_length", 0),
        ("max_length", 10_001),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.5),
        ("top_p", float("nan")),
        ("beam_width", 0),
        ("beam_width", 65),
    ],
)
def test_an_option_out_of_range_is_named(generate, name, value):
    said = refused(generate, ["a"], **{name: value})
    assert said.startswith(f"{name} must be ") and "but is" in said
    assert float(said.split()[-1]) == pytest.approx(value, nan_ok=True)

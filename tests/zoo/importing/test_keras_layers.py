"""Models with Keras' recurrent layers in the zoo answer as they did."""

import keras
import numpy as np
import pytest
from keras import layers

import zoo as public
from zoo import UserError
from zoo.importing import keras_layers
from zoo.importing.keras_layers import import_keras, replace_layers


def spread(model):
    """Weights that are all different from zero, the biases too."""
    random = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) / 2)
    return model


def functional(*stacked, width=3):
    inputs = y = keras.Input((None, width))
    for layer in stacked:
        y = layer(y)
    return spread(keras.Model(inputs, y))


def encoder_decoder():
    source, target = keras.Input((None, 3)), keras.Input((None, 2))
    _, h, c = layers.LSTM(4, return_state=True)(source)
    y = layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    return spread(keras.Model([source, target], layers.Dense(2)(y)))


def nested():
    inside = functional(layers.GRU(4, return_sequences=True))
    inputs = keras.Input((None, 3))
    return spread(keras.Model(inputs, layers.GRU(2)(inside(inputs) + 1)))


def shared():
    one, other = keras.Input((None, 3)), keras.Input((None, 3))
    read = layers.GRU(4)
    return spread(keras.Model([one, other], [read(one), read(other) * 2]))


def states_of_both_ways():
    inputs = keras.Input((None, 3))
    y, *states = layers.Bidirectional(layers.LSTM(4, return_state=True))(inputs)
    return spread(keras.Model(inputs, [y, *states]))


MODELS = {
    "lstm": lambda: functional(layers.LSTM(4, return_sequences=True), layers.LSTM(5)),
    "gru": lambda: functional(layers.GRU(4, return_sequences=True), layers.Dense(2)),
    "gru_before": lambda: functional(layers.GRU(4, reset_after=False)),
    "rnn": lambda: functional(layers.SimpleRNN(4, activation="relu"), layers.Dense(2)),
    "no_bias": lambda: functional(
        layers.LSTM(4, use_bias=False, return_sequences=True),
        layers.GRU(4, use_bias=False, return_sequences=True),
        layers.SimpleRNN(4, use_bias=False),
    ),
    "backwards": lambda: functional(
        layers.LSTM(4, go_backwards=True, return_sequences=True), layers.GRU(2, go_backwards=True)
    ),
    "both_ways": lambda: functional(
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.Bidirectional(layers.GRU(4), merge_mode="sum"),
    ),
    "states_of_both_ways": states_of_both_ways,
    "encoder_decoder": encoder_decoder,
    "nested": nested,
    "shared": shared,
    "sequential": lambda: spread(
        keras.Sequential(
            [keras.Input((None,), dtype="int32"), layers.Embedding(9, 3), layers.LSTM(4)]
        )
    ),
    "others": lambda: functional(
        layers.Conv1D(4, 2),
        layers.LayerNormalization(),
        layers.LSTM(3, dropout=0.5),
        layers.Dropout(0.5),
    ),
}


def kinds(model):
    return {type(layer).__name__ for layer in model._flatten_layers()}


def compare(new, old):
    """Answers to the same inputs."""
    assert "KerasLike" in kinds(new) and not {"LSTM", "GRU", "SimpleRNN"} & kinds(new)
    random = np.random.default_rng(5)
    given = [
        random.normal(size=(2, 6, x.shape[-1])).astype("float32")
        if len(x.shape) == 3
        else random.integers(0, 9, (2, 6))
        for x in old.inputs
    ]
    given = given if len(given) > 1 else given[0]
    expected, answers = (keras.tree.flatten(model(given)) for model in (old, new))
    for wanted, answer in zip(expected, answers, strict=True):
        np.testing.assert_allclose(answer, wanted, atol=2e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_answers_as_the_old_one(name):
    old = MODELS[name]()
    compare(replace_layers(old)[0], old)


@pytest.mark.parametrize("name", ["encoder_decoder", "sequential", "states_of_both_ways"])
def test_a_file_becomes_one_that_is_read_safely(tmp_path, name):
    old = MODELS[name]()
    old.save(tmp_path / "old.keras")
    replaced, difference = import_keras(tmp_path / "old.keras", tmp_path / "new.keras")
    compare(public.load(tmp_path / "new.keras"), old)
    assert difference < 1e-5 and len(replaced) == len(set(replaced)) > 0


def test_dropout_is_kept_and_acts_in_training():
    model, _ = replace_layers(functional(layers.LSTM(4, dropout=0.5, name="reads")))
    x = np.ones((2, 5, 3), "float32")
    assert model.get_layer("reads").dropout.rate == 0.5
    assert not np.allclose(model(x, training=True), model(x))
    np.testing.assert_array_equal(model(x), model(x))


def test_a_layer_that_is_not_trained_stays_so():
    model = functional(layers.LSTM(4, trainable=False), layers.Dense(2))
    new, _ = replace_layers(model)
    assert [layer.trainable for layer in new.layers] == [True, False, True]


def only(name="x", **options):
    return functional(layers.LSTM(4, name=name, **options))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: only(recurrent_dropout=0.2), "the layer x has recurrent_dropout=0.2"),
        (lambda: only(activation="relu"), "has activation='relu'"),
        (lambda: only(recurrent_activation="hard_sigmoid"), "recurrent_activation='hard_sigmoid'"),
        (lambda: only(kernel_regularizer="l2"), "kernel_regularizer=L2"),
        (lambda: only(recurrent_constraint="max_norm"), "recurrent_constraint=MaxNorm"),
        (
            lambda: functional(layers.Bidirectional(layers.GRU(4, recurrent_dropout=0.1))),
            "recurrent_dropout=0.1",
        ),
        (lambda: functional(layers.Bidirectional(layers.GRU(4), "mul")), "merge_mode 'mul'"),
        (
            lambda: functional(
                layers.Bidirectional(
                    layers.GRU(4), backward_layer=layers.LSTM(4, go_backwards=True)
                )
            ),
            "differ in more than weights",
        ),
        (lambda: functional(layers.RNN(layers.LSTMCell(4))), "holds a RNN"),
        (lambda: functional(layers.Masking(), layers.LSTM(4)), "makes a mask"),
        (lambda: functional(layers.Dense(4)), "no LSTM, GRU or SimpleRNN"),
    ],
)
def test_what_the_zoo_has_not_is_refused_by_name(tmp_path, make, said):
    make().save(tmp_path / "old.keras")
    with pytest.raises(UserError) as error:
        import_keras(tmp_path / "old.keras", tmp_path / "new.keras")
    assert said in str(error.value)
    assert not (tmp_path / "new.keras").exists()


def test_a_layer_that_keeps_its_state_is_refused(tmp_path):
    inputs = keras.Input(batch_shape=(3, 7, 3))
    keras.Model(inputs, layers.LSTM(4, stateful=True)(inputs)).save(tmp_path / "old.keras")
    with pytest.raises(UserError, match="stateful=True"):
        import_keras(tmp_path / "old.keras", tmp_path / "new.keras")


def test_a_model_of_another_kind_is_refused(tmp_path):
    public.create("char-rnn", vocab_size=9, units=4).save(tmp_path / "old.keras")
    with pytest.raises(UserError, match="holds a ManyToMany"):
        import_keras(tmp_path / "old.keras", tmp_path / "new.keras")


def test_the_command_tells_what_was_replaced(zoo, tmp_path):
    functional(layers.LSTM(4, name="reads")).save(tmp_path / "old.keras")
    code, out, _ = zoo("import", "keras", tmp_path / "old.keras", tmp_path / "new.keras")
    assert code == 0 and out.splitlines()[0] == "replaced reads"
    assert out.splitlines()[1].startswith("largest difference: ")
    assert out.splitlines()[2] == str(tmp_path / "new.keras")
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, layers.LSTM(4)(layers.Lambda(lambda x: x * 2)(inputs)))
    model.save(tmp_path / "evil.keras")
    code, out, err = zoo("import", "keras", tmp_path / "evil.keras", tmp_path / "out.keras")
    assert code == 2 and "Lambda" in err and err.count("\n") == 1


def test_outputs_that_differ_are_not_written(tmp_path, monkeypatch):
    functional(layers.LSTM(4)).save(tmp_path / "old.keras")
    monkeypatch.setitem(keras_layers._GATES, "LSTM", ("ifgo", "fgoi"))
    with pytest.raises(UserError, match="nothing was written"):
        import_keras(tmp_path / "old.keras", tmp_path / "new.keras")

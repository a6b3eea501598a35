"""Models with Keras' recurrent layers in the zoo answer as they did."""

import keras
import numpy as np
import pytest
from keras import layers

import zoo as public
from zoo import UserError
from zoo.importing import keras_layers
from zoo.importing.keras_layers import import_keras, replace_layers


def spread(model, seed=3):
    """Weights that are all different from zero, the biases too."""
    random = np.random.default_rng(seed)
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
    "options": lambda: functional(
        layers.LSTM(
            4,
            activation="relu",
            recurrent_activation="hard_sigmoid",
            kernel_regularizer="l2",
            recurrent_constraint="max_norm",
            recurrent_dropout=0.2,
            return_sequences=True,
        ),
        layers.Bidirectional(layers.GRU(4, recurrent_dropout=0.1, return_sequences=True), "mul"),
        layers.Bidirectional(
            layers.GRU(4, return_sequences=True),
            "ave",
            backward_layer=layers.LSTM(4, go_backwards=True, return_sequences=True),
        ),
        layers.TimeDistributed(layers.Dense(2)),
        layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]),
    ),
    "masks": lambda: spread(
        keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                layers.Embedding(9, 3, mask_zero=True),
                layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
                layers.GRU(4),
            ]
        )
    ),
    "frames": lambda: spread(
        keras.Sequential([keras.Input((None, 5, 5, 2)), layers.ConvLSTM2D(3, 3), layers.Flatten()])
    ),
    "others": lambda: functional(
        layers.Conv1D(4, 2),
        layers.LayerNormalization(),
        layers.LSTM(3, dropout=0.5),
        layers.Dropout(0.5),
    ),
}


def recurrent(model):
    kinds = keras.layers.RNN | keras.layers.Bidirectional
    return [layer for layer in model._flatten_layers() if isinstance(layer, kinds)]


def compare(new, old, atol=2e-5):
    """Answers to the same inputs."""
    assert {layer.__module__ for layer in recurrent(new)} == {"zoo.layers.rnn"}
    assert [layer.name for layer in recurrent(new)] == [layer.name for layer in recurrent(old)]
    random = np.random.default_rng(5)
    inputs = [
        random.normal(size=(x.shape[0] or 2, 6, *x.shape[2:])).astype("float32")
        if len(x.shape) > 2
        else random.integers(0, 9, (2, 6))
        for x in old.inputs
    ]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    expected, answers = (keras.tree.flatten(model(inputs)) for model in (old, new))
    for wanted, answer in zip(expected, answers, strict=True):
        np.testing.assert_allclose(answer, wanted, atol=atol)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_answers_as_the_old_one(name):
    old = MODELS[name]()
    compare(replace_layers(old)[0], old)


@pytest.mark.parametrize("file", ["old.keras", "old.h5"])
@pytest.mark.parametrize(
    "name",
    [
        "options",
        *(
            pytest.param(n, marks=pytest.mark.slow)
            for n in ("encoder_decoder", "masks", "states_of_both_ways")
        ),
    ],
)
def test_a_file_becomes_one_that_is_read_safely(tmp_path, name, file):
    old = MODELS[name]()
    old.save(tmp_path / file)
    replaced, difference = import_keras(tmp_path / file, tmp_path / "new.keras")
    compare(public.load(tmp_path / "new.keras"), old)
    assert difference < 1e-5 and len(replaced) == len(set(replaced)) > 0


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_a_model_of_half_precision_is_compared_by_its_own_roundings(tmp_path, dtype):
    old = functional(layers.LSTM(4, dtype=dtype), layers.Dense(2))
    old.save(tmp_path / "old.keras")
    import_keras(tmp_path / "old.keras", tmp_path / "new.keras")
    compare(public.load(tmp_path / "new.keras"), old, atol=0.1)


def test_a_layer_that_keeps_its_state_is_imported(tmp_path):
    inputs = keras.Input(batch_shape=(1, None, 3))
    old = spread(keras.Model(inputs, layers.LSTM(4, stateful=True)(inputs)))
    old.save(tmp_path / "old.keras")
    import_keras(tmp_path / "old.keras", tmp_path / "new.keras")
    new, x = public.load(tmp_path / "new.keras"), np.ones((1, 2, 3), "float32")
    first = new(x)
    np.testing.assert_allclose(first, old(x), atol=1e-6)
    np.testing.assert_allclose(new(x), old(x), atol=1e-6)
    assert not np.allclose(new(x), first)


def test_dropout_is_kept_and_acts_in_training():
    model, _ = replace_layers(functional(layers.LSTM(4, dropout=0.5, name="reads")))
    x = np.ones((2, 5, 3), "float32")
    assert model.get_layer("reads").dropout == 0.5
    assert not np.allclose(model(x, training=True), model(x))
    np.testing.assert_array_equal(model(x), model(x))


def test_a_layer_that_is_not_trained_stays_so():
    model = functional(layers.LSTM(4, trainable=False), layers.Dense(2))
    new, _ = replace_layers(model)
    assert [layer.trainable for layer in new.layers] == [True, False, True]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: functional(layers.Dense(4)), "no recurrent layer of Keras"),
        (lambda: keras.Sequential([layers.LSTM(4)]), "never called"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_line(tmp_path, make, message):
    make().save(tmp_path / "old.keras")
    with pytest.raises(UserError, match=message):
        import_keras(tmp_path / "old.keras", tmp_path / "new.keras")
    assert not (tmp_path / "new.keras").exists()


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
    replace = keras_layers.replace_layers

    def wrong(old):
        new, names = replace(old)
        return spread(new, 4), names

    monkeypatch.setattr(keras_layers, "replace_layers", wrong)
    with pytest.raises(UserError, match="nothing was written"):
        import_keras(tmp_path / "old.keras", tmp_path / "new.keras")

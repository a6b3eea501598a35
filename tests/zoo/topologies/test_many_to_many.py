"""Language models: their options, each beside what its paper says."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.cells.wrappers import RecurrentWeightDrop, VariationalDropoutCell
from zoo.errors import UserError
from zoo.exporting.endpoints import numeric_endpoints
from zoo.topologies.many_to_many import ManyToMany
from zoo.training.objectives import CrossEntropy
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

pytestmark = pytest.mark.compiled
V, B, T = 20, 4, 7
TIED = {"tied": True, "projection": False, "embedding": 8}
EVERY = {
    **TIED,
    "layers": 2,
    "dropout": 0.2,
    "recurrent_dropout": 0.3,
    "weight_drop": 0.4,
    "embedding_dropout": 0.1,
    "activation_reg": 2.0,
    "temporal_reg": 1.0,
    "samples": 6,
}


def make(**options):
    return ManyToMany(**{"vocab_size": V, "units": 8, **options})


def window(time=T, seed=0):
    tokens = np.random.default_rng(seed).integers(0, V, (B, time + 1)).astype("int32")
    parts = {"inputs": tokens[:, :-1], "targets": tokens[:, 1:]}
    parts |= {"weights": np.ones((B, time), "float32"), "reset": np.zeros(B, "int32")}
    return {name: tf.constant(part) for name, part in parts.items()}


def test_a_model_is_run_once_to_make_its_weights():
    runs = []

    class Counted(ManyToMany):
        def call(self, *arguments, **options):
            runs.append(1)
            return super().call(*arguments, **options)

    made = Counted(vocab_size=V, units=8)
    assert made.built and len(runs) == 1


def trained(model, optimizer):
    """A step of training: the loss, the gradient's norm, and the state after it."""
    optimizer.build(model.trainable_variables)

    def step(part, state):
        with tf.GradientTape() as tape:
            told, state = model.score(part, state, training=True)
            loss = tf.reduce_mean(told.loss) + sum(model.losses)
        weights = model.trainable_weights
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        optimizer.apply(gradients, weights)
        return loss, tf.linalg.global_norm(gradients), state

    return tf.function(step)


@pytest.fixture(scope="module")
def zaremba():
    """What PyTorch made of their equations, see tests/fixtures/make_zaremba.py."""
    return np.load(Path(__file__).parents[2] / "fixtures" / "zaremba.npz")


def in_our_layout(arrays, when):
    """Their parameters in the model's order: the rows of h before those below, gates f, i, o, g."""
    theirs = {k.partition("/")[2]: arrays[k] for k in arrays.files if k.startswith(f"{when}/")}
    ours = [theirs["embedding"]]
    for layer in range(2):
        below, h = np.split(theirs[f"map_{layer}"], 2)
        for part in (np.concatenate([h, below]), theirs[f"shift_{layer}"]):
            i, f, o, g = np.split(part, 4, axis=-1)
            ours.append(np.concatenate([f, i, o, g], axis=-1))
    return [*ours, theirs["softmax"], theirs["bias"]]


@pytest.mark.slow
def test_two_training_steps_of_zaremba_et_al_are_theirs(zaremba):
    name, rows, time, steps = "word-lstm-zaremba-small", 3, 20, 2
    model = zoo.create(name, vocab_size=11, units=6, embedding=6)
    model.set_weights(in_our_layout(zaremba, "before"))
    settings = Settings(**{**zoo.describe(name)["training"], "steps": steps})
    assert settings.window == time
    tokens = zaremba["tokens"].astype("int32")
    parts = {"inputs": tokens[:, :-1], "targets": tokens[:, 1:]}
    parts |= {"weights": np.ones((rows, 2 * time), "float32")}
    parts |= {"reset": np.zeros((rows, 2 * time), "int32")}
    windows = tf.data.Dataset.from_tensor_slices(
        {name: np.stack(np.split(part, 2, axis=1)) for name, part in parts.items()}
    )
    told = Trainer(model, settings).fit(windows, windows.take(1))
    expected = sum(zaremba[f"loss_{n}"] for n in range(steps)) / (steps * time)
    np.testing.assert_allclose(told["loss"], [expected], rtol=1e-5)
    for ours, theirs in zip(
        model.get_weights(), in_our_layout(zaremba, str(steps - 1)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_all_weights_start_uniformly_in_the_scale(tied):
    model = make(init_scale=0.1, tied=tied, units=64)
    for weight in model.trainable_weights:
        assert 0.08 < np.abs(weight).max() <= 0.1
        assert abs(np.mean(weight)) < 0.06
    first, second = model.trainable_weights[1:3]
    assert not np.array_equal(np.ravel(first)[: second.shape[0]], second)


def test_the_same_seed_starts_the_same():
    one, other = ([*_seeded().get_weights()] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _seeded():
    keras.utils.set_random_seed(7)
    return make(init_scale=0.1)


def test_the_embedding_may_start_in_a_scale_of_its_own():
    model = make(init_scale=0.01, embedding_scale=0.5)
    embedding, *others = model.trainable_weights
    assert 0.4 < np.abs(embedding).max() <= 0.5
    assert max(np.abs(weight).max() for weight in others) <= 0.01
    assert 0.4 < np.abs(make(embedding_scale=0.5).trainable_weights[0]).max() <= 0.5


def test_tied_weights_without_projection_are_the_embedding_alone():
    model = make(**TIED)
    inputs = window()["inputs"]
    y, _ = model.stack(model.embedding(inputs))
    model.bias.assign(np.arange(V))
    np.testing.assert_allclose(
        model(inputs), y @ tf.transpose(model.embedding.embeddings) + np.arange(V), rtol=1e-5
    )
    assert len(model.trainable_weights) == 4


def test_tied_weights_without_projection_need_equal_sizes():
    with pytest.raises(ValueError, match="embedding is 9, but 8 is needed"):
        make(tied=True, projection=False, embedding=9)


def test_a_negative_number_is_refused_by_name():
    with pytest.raises(ValueError, match="temporal_reg is -1, but it must not be negative"):
        make(temporal_reg=-1)


def test_every_seed_is_saved_with_the_model():
    model = make(**EVERY)
    seeds = {variable.path for variable in model.variables if "seed" in variable.path}
    cells = [recurrence.cell for recurrence in model.stack.recurrences]
    drawing = [model.sampled, model.dropout, model.stack.dropout, model.word_dropout]
    for layer in [*drawing, *cells, *[cell.cell for cell in cells]]:
        assert layer.seed_generator.state.path in seeds


@pytest.mark.parametrize("variational", [True, False])
def test_dropout_drops_the_same_at_all_steps_or_others_at_each(variational):
    model = make(dropout=0.5, variational=variational)
    for layer in (model.dropout, model.stack.dropout):
        kept = layer(np.ones((B, 50, 16), "float32"), training=True).numpy() != 0
        assert np.array_equal(kept, kept[:, :1].repeat(50, axis=1)) == variational
        assert 0.4 < kept.mean() < 0.6


@pytest.mark.parametrize(
    "option, wrapper",
    [("recurrent_dropout", VariationalDropoutCell), ("weight_drop", RecurrentWeightDrop)],
)
def test_what_a_recurrence_loses_it_loses_in_training_alone(option, wrapper):
    plain, model = make(), make(**{option: 0.5})
    model.set_weights([*plain.get_weights(), *model.get_weights()[len(plain.weights) :]])
    assert isinstance(model.stack.recurrences[0].cell, wrapper)
    inputs = window()["inputs"]
    np.testing.assert_allclose(model(inputs), plain(inputs), atol=1e-6)
    once, again = model(inputs, training=True), model(inputs, training=True)
    # The first step meets a state of zero, of which nothing can be lost, and no input is.
    np.testing.assert_allclose(once[:, 0], plain(inputs)[:, 0], atol=1e-6)
    assert np.abs(once[:, 1:] - again[:, 1:]).max() > 1e-4


def test_a_dropped_word_is_dropped_wherever_it_stands():
    model = make(embedding_dropout=0.5)
    inputs = tf.constant(np.arange(2 * V).reshape(2, V) % V)
    x = model.embedding(inputs).numpy()
    dropped = model._embedded(inputs, training=True).numpy()
    kept = np.any(dropped != 0, axis=-1)
    np.testing.assert_allclose(dropped, np.where(kept[..., None], 2 * x, 0), rtol=1e-6)
    assert np.array_equal(kept[0], kept[1]) and 0 < kept[0].sum() < V
    assert np.array_equal(model._embedded(inputs, training=False), x)


def test_activation_and_temporal_regularization_are_the_papers():
    model = make(activation_reg=2.0, temporal_reg=3.0, dropout=0.5)
    inputs = window()["inputs"]
    model.stack.dropout.rate = 0
    h = model.stack(model.embedding(inputs))[0].numpy()
    outputs = model(inputs, training=True)
    activation, temporal = model.losses
    np.testing.assert_allclose(temporal, 3 * np.mean((h[:, 1:] - h[:, :-1]) ** 2), rtol=1e-5)
    # Dropout keeps half of the entries, at twice their value: known from a head that shows them.
    model.activation_reg = 0.0
    model.head.set_weights([np.eye(8, V), np.zeros(V)])
    masks = {tuple(np.round(np.ravel(m), 3)) for m in ([2.0], [0.0])}
    shown = model(inputs, training=True).numpy()[..., :8] / h
    assert {(value,) for value in np.unique(np.round(shown, 3))} == masks
    assert outputs.shape == (B, T, V)
    kept = 2 * np.mean((2 * h) ** 2)
    assert 0.1 * kept < activation < 0.9 * kept


def test_losses_are_those_of_the_last_call_and_none_at_inference():
    model = make(activation_reg=1.0, temporal_reg=1.0)
    part = window()
    model.score(part, model.initial_state(B), training=True)
    model.score(part, model.initial_state(B), training=True)
    assert len(model.losses) == 2
    model.score(part, model.initial_state(B))
    assert model.losses == []
    model(part["inputs"][:, :1], training=True)
    assert np.isfinite(model.losses).all()


@pytest.mark.slow
def test_a_model_with_every_option_trains():
    model = make(**EVERY)
    step = trained(model, keras.optimizers.Adam(0.03))
    part, state = window(), model.initial_state(B)
    before = np.mean(model.score(part, state)[0].nll)
    for _ in range(40):
        loss, norm, _ = step(part, state)
        assert np.isfinite([loss, norm]).all()
    assert np.mean(model.score(part, state)[0].nll) < before - 0.1
    graph = step.get_concrete_function(part, state).graph.as_graph_def()
    assert b"_XlaMustCompile" in graph.SerializeToString()


def test_a_model_with_every_option_is_saved_stepped_and_exported(tmp_path):
    model = make(**EVERY)
    inputs = window()["inputs"]
    whole = model(inputs)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(inputs), whole, atol=1e-6)
    module = tf.Module()
    module.kept = [variable.value for variable in model.variables]
    endpoints = numeric_endpoints(model)
    module.initial_state, module.step = endpoints["initial_state"], endpoints["step"]
    tf.saved_model.save(module, str(tmp_path / "export"))
    loaded = tf.saved_model.load(str(tmp_path / "export"))
    state, exported = model.initial_state(B), loaded.initial_state(B)
    for t in range(T):
        y, state = model.step(inputs[:, t], state)
        y_exported, exported = loaded.step(inputs[:, t], exported)
        np.testing.assert_allclose(y, whole[:, t], atol=1e-6)
        np.testing.assert_allclose(y_exported, y, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"tied": True}, TIED])
def test_samples_change_the_loss_of_training_alone(options):
    model = make(**options, samples=V)
    part, state = window(), model.initial_state(B)
    exact, _ = model.score(part, state)
    sampled, _ = model.score(part, state, training=True)
    # Of all classes, and without dropout, they are the same.
    for ours, theirs in zip(sampled, exact):
        assert ours.shape == (B, T) and ours.dtype == tf.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_the_full_logits_never_exist_in_sampled_training():
    classes = 5003
    model = make(vocab_size=classes, samples=16)

    def shapes(training):
        score = lambda: model.score(window(), model.initial_state(B), training)[0]  # noqa: E731
        graph = tf.function(score).get_concrete_function().graph
        tensors = [tensor for op in graph.get_operations() for tensor in op.outputs]
        return [tensor.shape for tensor in tensors if (tensor.shape.rank or 0) > 1]

    assert any(shape[-1] == classes for shape in shapes(False))
    assert not any(shape[-1] == classes for shape in shapes(True))


def test_half_precision_is_scored_and_regularized_in_full():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(**EVERY)
    finally:
        keras.config.set_dtype_policy("float32")
    told, state = model.score(window(), model.initial_state(B), training=True)
    assert {part.dtype for part in (*told, *model.losses)} == {tf.float32}
    assert {part.dtype for part in tf.nest.flatten(state)} == {tf.bfloat16}
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}


def test_samples_and_label_smoothing_exclude_each_other():
    model = make(samples=5)
    with pytest.raises(UserError, match=r"label_smoothing is 0.1, .* needs 0"):
        model.score(window(), model.initial_state(B), training=True, smoothing=0.1)
    model.score(window(), model.initial_state(B), smoothing=0.1)
    # The same mistake from within the compiled step.
    windows = tf.data.Dataset.from_tensors(window())
    windows = windows.apply(tf.data.experimental.assert_cardinality(1))
    with pytest.raises(UserError, match="needs 0"):
        objective = CrossEntropy(label_smoothing=0.1)
        Trainer(model, Settings(), objective=objective).fit(windows, windows)


def zipf_text(words, length):
    """Tokens numbered by frequency, each drawn by Zipf's law or the one that follows the last."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1.0, words + 1)
    drawn = rng.choice(words, length, p=chances / chances.sum())
    follower = rng.permutation(words)
    for t in np.flatnonzero(rng.random(length - 1) < 0.3) + 1:
        drawn[t] = follower[drawn[t - 1]]
    ranks = np.argsort(np.argsort(-np.bincount(drawn, minlength=words)))
    return ranks[drawn].astype("int32")


@pytest.mark.slow
def test_training_on_samples_ends_near_exact_training():
    words, rows, time = 200, 16, 20
    text = zipf_text(words, rows * 1001).reshape(rows, 1001)

    def part(t):
        columns = {"inputs": text[:, t : t + time], "targets": text[:, t + 1 : t + time + 1]}
        return {k: tf.constant(v) for k, v in {**columns, "reset": np.zeros(rows, "int32")}.items()}

    def perplexity(samples):
        keras.utils.set_random_seed(1)
        model = make(vocab_size=words, units=24, embedding=24, samples=samples)
        step = trained(model, keras.optimizers.SGD(4.0, global_clipnorm=1.0))
        state, nll = model.initial_state(rows), []
        for _ in range(4):
            for t in range(0, 800, time):
                _, _, state = step(part(t), state)
        for t in range(800, 1000, time):
            told, state = model.score(part(t), state)
            nll.append(told.nll)
        return np.exp(np.mean(nll))

    exact, sampled = perplexity(0), perplexity(60)
    assert exact < 0.5 * words
    assert sampled < 1.05 * exact

"""Forecasters: what holds of every encoder and head."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.exporting.formats.litert import interpreter, write_litert
from zoo.topologies.forecaster import Forecaster

NAN = float("nan")
SMALL = {"horizon": 4, "look_back": 6, "season": 3, "seasons": (3,), "units": 8, "segment": 2}
KINDS = {
    "steps": {},
    "segments": {"encoder": "segments"},
    "linear": {"encoder": "none"},
    "lstm of two layers": {"cell": "lstm", "layers": 2},
    "student_t": {"head": "student_t"},
    "covariates": {"known_covariates": 2, "past_covariates": 1, "categories": (3, 2)},
    "level": {"base": "mean", "season": 1},
    "gaps left out": {"gaps_count": False},
    "plain": {
        "encoder": "segments",
        "plain": True,
        "base": "last",
        "head": "mean",
        "quantiles": [0.5],
        "categories": (3,),
    },
    "sampled with covariates": {
        "head": "student_t",
        "paths": 20,
        "known_covariates": 2,
        "past_covariates": 1,
        "categories": (3,),
    },
}
SLOW_TO_TRACE = (
    "steps",
    "linear",
    "lstm of two layers",
    "student_t",
    "known units",
    "gaps left out",
    "counts",
)
SLOW_TO_WRITE = ("gaps left out", "student_t", "covariates", "sampled with covariates")
OTHERS = {
    "known units": KINDS["plain"] | {"spreads": (1.0, 2.0, 4.0)},
    "counts": {"head": "negative_binomial"},
    "returns": {
        "returns": True,
        "base": "zero",
        "season": 1,
        "head": "student_t",
        "gaps_count": False,
    },
}


def shaken(**options):
    """A model whose every weight says something, as after training."""
    model = Forecaster(**{**SMALL, **options})
    rng = np.random.default_rng(1)
    for weight in model.trainable_variables:
        weight.assign(weight.numpy() + rng.normal(0, 0.1, weight.shape))
    return model


MADE = {}


def made(name):
    """One model of each kind, which runs as a graph: loops of many small steps are slow else."""
    if name not in MADE:
        MADE[name] = shaken(**(KINDS | OTHERS)[name])
        MADE[name].call = tf.function(MADE[name].call, autograph=False)
        MADE[name].step = tf.function(MADE[name].step, autograph=False)
    return MADE[name]


def some_quick(names):
    """Each kind takes long to trace: in the quick suite those that have what the others have."""
    return [pytest.param(n, marks=pytest.mark.slow if n in SLOW_TO_TRACE else []) for n in names]


@pytest.fixture(params=some_quick(KINDS))
def model(request):
    return made(request.param)


@pytest.fixture(params=some_quick(KINDS | OTHERS))
def any_model(request):
    return made(request.param)


def series(model, steps=14, seed=0, rows=3):
    """Random walks above 0 with gaps, one of them before its beginning, and covariates."""
    rng = np.random.default_rng(seed)
    x = model.example_inputs(rows, steps)
    x[..., 0] = 20 + rng.normal(0, 1, (rows, steps)).cumsum(1)
    x[..., 3:] = rng.integers(0, 4, x[..., 3:].shape)
    x[0, :3, 0] = x[1, 5, 0] = x[1, 9:11, 0] = NAN
    return x


def test_steps_equal_the_whole_and_so_does_the_state(any_model):
    x = series(any_model)
    whole, after = any_model(x, return_state=True)
    state, outputs = any_model.initial_state(3), []
    for t in range(x.shape[1]):
        y, state = any_model.step(x[:, t], state)
        outputs.append(y)
    np.testing.assert_allclose(tf.stack(outputs, 1), whole, rtol=1e-5, atol=1e-5)
    for one, other in zip(tf.nest.flatten(after), tf.nest.flatten(state)):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_window_whose_targets_are_of_its_last_steps_is_answered_at_these(model):
    x = series(model, 7, rows=2)
    window = {"inputs": x, "reset": np.ones(2, "int32")}
    whole, state = model.predict_parameters({**window, "targets": np.zeros((2, 7, 4))}, None)
    late, same = model.predict_parameters({**window, "targets": np.zeros((2, 3, 4))}, None)
    for a, b in zip(tf.nest.flatten(whole), tf.nest.flatten(late)):
        np.testing.assert_allclose(a[:, 4:], b, rtol=1e-5, atol=1e-6)
    for a, b in zip(tf.nest.flatten(state), tf.nest.flatten(same)):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_answers_asked_for_at_some_steps_only_are_those_of_all(any_model):
    x = series(any_model)
    origins = np.zeros(x.shape[:2], bool)
    origins[0, 8] = origins[2, 5:7] = True
    whole, state = any_model(x, return_state=True)
    some, same = any_model(x, return_state=True, origins=origins)
    np.testing.assert_allclose(some.numpy()[origins], whole.numpy()[origins], rtol=1e-5, atol=1e-5)
    for a, b in zip(tf.nest.flatten(state), tf.nest.flatten(same)):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_loss_at_some_steps_is_that_of_all_with_these_weights(model):
    x = series(model)
    window = {"inputs": x, "reset": np.ones(3, "int32"), "targets": np.full((3, 14, 4), 21.0)}
    weights = np.zeros((3, 14, 4), "float32")
    weights[1, 6:9] = weights[2, 12, :2] = 1
    whole, _ = model.predict_parameters(window, None)
    some, _ = model.predict_parameters({**window, "weights": weights}, None)
    losses = [
        (model.head.losses(each.numbers, each.centre, 21 * np.ones_like(weights)) * weights).numpy()
        for each in (whole, some)
    ]
    assert np.isfinite(losses[1]).all() and losses[1].any()
    np.testing.assert_allclose(*losses, rtol=1e-4, atol=1e-5)


def test_a_plain_model_reads_which_series_it_is_and_no_calendar():
    model = made("known units")
    x = series(model)
    x[..., 3] = [[1], [2], [3]]
    answer, dated, other = model(x).numpy(), x.copy(), x.copy()
    dated[..., 1:3] += 5
    np.testing.assert_array_equal(model(dated), answer)
    other[..., 3] = [[2], [3], [1]]
    assert np.abs(model(other).numpy() - answer)[:, 3:].max(axis=(1, 2, 3)).min() > 1e-3


def test_a_series_that_is_known_is_measured_in_its_own_unit():
    model = made("known units")
    x = series(model)[1:2]
    x[..., 3] = 3
    window = {"inputs": x, "reset": np.ones(1, "int32"), "targets": np.zeros((1, 14, 4))}
    known, _ = model.predict_parameters(window, None)
    np.testing.assert_array_equal(known.centre.spread, np.full((1, 14), 4.0))
    # An id that training has not seen: how far the values are from their mean.
    x[..., 3] = 0
    unknown, _ = model.predict_parameters(window, None)
    first = np.abs(x[0, :5, 0] - x[0, :5, 0].mean()).mean()
    assert float(unknown.centre.spread[0, 4]) == pytest.approx(first, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plain": True, "encoder": "none"}, "plain leaves nothing"),
        ({"base": "last", "spreads": (1.0,), "categories": (2,)}, "spreads are 1"),
        ({"head": "mean", "quantiles": (0.1, 0.5, 0.9)}, "set quantiles to"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Forecaster(**{**SMALL, **options})


def test_changing_the_future_changes_no_earlier_answer_bit_by_bit(any_model):
    x = series(any_model)
    other = x.copy()
    other[:, 8:, 0] = [[1e9], [NAN], [-5.0]]
    other[:, 8:, 1:] += 3
    run = tf.function(lambda x: any_model(x))
    np.testing.assert_array_equal(run(x)[:, :8], run(other)[:, :8])


def test_a_reset_within_a_window_starts_a_new_series(any_model):
    x = series(any_model)
    reset = np.zeros((3, 14), "int32")
    reset[:, 7] = 1
    whole = any_model(x, reset=reset)
    np.testing.assert_allclose(whole[:, :7], any_model(x[:, :7]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(whole[:, 7:], any_model(x[:, 7:]), rtol=1e-5, atol=1e-5)


def test_a_series_that_is_scaled_and_shifted_is_answered_so(model):
    x = series(model)
    answer = model(x).numpy()
    for a, b in ((0.25, 0.0), (8.0, -100.0), (1.0, 64.0)):
        moved = x.copy()
        moved[..., 0] = a * x[..., 0] + b
        unit = a * np.abs(answer).max() + abs(b)
        # The first row begins with three steps before which there is nothing to scale by.
        np.testing.assert_allclose(model(moved)[:, 3:], a * answer[:, 3:] + b, atol=1e-5 * unit)


def test_returns_do_not_depend_on_the_unit_of_prices():
    model = shaken(**OTHERS["returns"])
    x = series(model)
    dear = x.copy()
    dear[..., 0] *= 1024
    np.testing.assert_allclose(model(dear), model(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("level", "plain")])
def test_an_untrained_model_is_the_seasonal_naive_forecast(name):
    model = Forecaster(**{**SMALL, **KINDS[name]})
    x = series(model)
    x[..., 0] = np.random.default_rng(3).normal(50, 9, x.shape[:2])
    median = model(x)[..., 5].numpy()[:, :, : model.ahead]
    for t in range(3, 14):
        wanted = [x[:, t - 2 + h % 3, 0] for h in range(model.ahead)]
        np.testing.assert_allclose(median[:, t], np.stack(wanted, 1), rtol=1e-6)


def test_untrained_intervals_are_wider_further_ahead_and_about_as_wide_as_they_ought_to_be():
    model = Forecaster(**{**SMALL, "season": 1, "look_back": 60})
    x = model.example_inputs(200, 70)
    walk = np.random.default_rng(0).normal(0, 2, (200, 74)).cumsum(1)
    x[..., 0] = walk[:, :70]
    quantiles = model(x)[:, -1].numpy()
    target = walk[:, 70:]
    inside = (quantiles[..., 0] < target) & (target < quantiles[..., -1])
    assert 0.85 < inside.mean() < 0.99
    assert (np.diff(quantiles[..., -1] - quantiles[..., 0], axis=1) > 0).all()


@pytest.mark.parametrize("season", [1, 3])
def test_intervals_are_as_wide_where_half_of_the_values_are_missing(season):
    model = Forecaster(**{**SMALL, "season": season, "look_back": 60, "gaps_count": False})
    rng = np.random.default_rng(0)
    x = model.example_inputs(200, 70)
    # Around a level the naive forecast errs as much after a gap as after a step.
    x[..., 0] = rng.normal(20, 2, (200, 70))
    holes = x.copy()
    holes[..., 0][rng.random((200, 70)) < 0.5] = NAN
    widths = [model(each)[:, -1].numpy() for each in (x, holes)]
    whole, half = ((quantiles[..., -1] - quantiles[..., 0]).mean(axis=0) for quantiles in widths)
    np.testing.assert_allclose(half, whole, rtol=0.05)


EXTREMES = [0.0, -0.0, NAN, 1.0, -3.0, 1e-30, 1e30, -1e30, 16777216.0, 16777217.0, 1e-7]


def test_quantiles_are_numbers_and_never_cross_whatever_is_read(any_model):
    rng = np.random.default_rng(0)
    for _ in range(60):
        x = any_model.example_inputs(3, 14)
        x[..., 0] = rng.choice(EXTREMES, (3, 14))
        x[:, ::2, 1:] = NAN
        outputs, state = any_model(x, return_state=True)
        assert np.isfinite(outputs).all()
        assert (np.diff(outputs, axis=-1) >= 0).all()
        assert all(np.isfinite(part).all() for part in tf.nest.flatten(state))


def test_known_covariates_of_a_future_step_change_the_forecast_of_that_step():
    model = shaken(**KINDS["covariates"])
    x = series(model)
    other = x.copy()
    other[:, -1, 3 + 2 * 2] += 2
    apart = np.abs(model(other)[:, -1] - model(x)[:, -1]).max(axis=(0, 2))
    assert apart[2] > 0.01
    assert apart[[0, 1, 3]].max() < 1e-4


def test_a_category_that_is_not_known_is_like_none():
    model = shaken(categories=(3,))
    x = series(model)
    x[..., 3] = 0
    none = model(x)
    x[..., 3] = 9
    np.testing.assert_array_equal(model(x), none)
    x[..., 3] = 2
    assert np.abs(model(x) - none).max() > 1e-3


def test_there_are_more_places_for_a_season_that_is_longer_than_the_look_back():
    model = Forecaster(**{**SMALL, "season": 9, "look_back": 4})
    assert model.initial_state(2).register.values.shape == (2, 18)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "steps",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS if kind in SLOW_TO_WRITE),
    ],
)
def test_it_is_written_for_litert_with_built_in_operators_alone(kind, tmp_path):
    pytest.importorskip("ai_edge_litert")
    model = shaken(**KINDS[kind])
    x = series(model)
    step = interpreter(write_litert(model, tmp_path)).get_signature_runner("step")
    state = [np.array(part) for part in tf.nest.flatten(model.initial_state(1))]
    for t in range(14):
        parts = step(x=x[:1, t], **{f"state_{n}": part for n, part in enumerate(state)})
        state = [parts[f"state_{n}"] for n in range(len(state))]
    np.testing.assert_allclose(parts["outputs"], model(x)[:1, -1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "words"}, "encoder is 'words'"),
        ({"horizon": 0}, "horizon is 0"),
        ({"head": "normal"}, "head is 'normal'"),
        ({"base": "trend"}, "base is 'trend'"),
        ({"frequency_unit": "moon"}, "frequency_unit is 'moon'"),
    ],
)
def test_what_is_not_there_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Forecaster(**{**SMALL, **options})

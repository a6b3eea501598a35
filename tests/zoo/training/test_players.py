"""Two players with an optimizer each, in a small adversarial model; and a new objective.

Neither needs an edit in `zoo.training`.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.training.stopping import StopAfter
from zoo.evaluation.loop import row_sums
from zoo.topologies.base import SequenceModel
from zoo.training.checkpoints import Checkpoints
from zoo.training.objectives import Losses, Objective, Player
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows
from zoo.utils.fields import Range

SIZE, ROWS = 3, 4


class Forger(SequenceModel):
    """A generator of vectors from noise, and a critic that tells them from real ones."""

    recurrent = False

    def __init__(self):
        super().__init__()
        self.generator = keras.layers.Dense(SIZE, name="generator")
        self.critic = keras.layers.Dense(1, name="critic")
        self._finish()

    def initial_state(self, batch_size):
        return ()

    def call(self, inputs, state=None, reset=None, return_state=False, training=None):
        judged = self.critic(self.generator(inputs))
        return (judged, ()) if return_state else judged

    def example_inputs(self, batch_size=2, time=5):
        return np.zeros((batch_size, SIZE), "float32")


@dataclass(frozen=True)
class Adversarial(Objective):
    """The critic parts real from made; the generator makes what it takes for real."""

    critic_updates: Annotated[int, Range(1)] = 1
    critic_norm: float = 1.0
    generator_share: float = 1.0

    metrics: ClassVar[tuple[str, ...]] = ("critic", "weight", "fooled")

    def players(self, model, settings, make_optimizer):
        rates = {"generator": make_optimizer(), "critic": keras.optimizers.SGD(0.5, momentum=0.9)}
        rounds = {"generator": 1, "critic": self.critic_updates}
        norms = {"generator": settings.clip_norm, "critic": self.critic_norm}
        return {
            name: Player(
                getattr(model, name).trainable_variables, rates[name], rounds[name], norms[name]
            )
            for name in rates
        }

    def prepare(self, model, window, seed, update):
        noise = tf.random.stateless_normal(tf.shape(window["targets"]), seed)
        return {**window, "inputs": noise}

    def losses(self, model, window, state, training):
        made = model.critic(model.generator(window["inputs"]))[:, 0]
        real = model.critic(window["targets"])[:, 0]
        apart = tf.nn.softplus(-real) + tf.nn.softplus(made)
        weights = window["weights"][:, 0]
        return Losses(
            {
                "critic": tf.reduce_sum(apart * weights),
                "generator": self.generator_share * tf.reduce_sum(tf.nn.softplus(-made) * weights),
            },
            row_sums(weights, apart, tf.cast(made > 0, tf.float32)),
            state,
        )

    def results(self, sums):
        critic, weight, fooled = (float(part) for part in sums)
        return {"loss": critic / max(weight, 1.0), "fooled": fooled / max(weight, 1.0)}


def real():
    """Windows of real vectors: each reading of one data set would come in another order."""
    vectors = np.random.default_rng(1).normal(3, 1, (12, SIZE)).astype("float32")
    return example_windows(vectors, vectors, np.ones_like(vectors), ROWS, shuffle_seed=2)


def _forger():
    keras.utils.set_random_seed(3)
    return Forger()


def _settings(**changes):
    plain = {"epochs": 2, "batch_size": ROWS, "optimizer": "sgd", "schedule": "constant"}
    return Settings(**{**plain, "learning_rate": 0.1, "save_steps": 1, **changes})


def _trained(objective, folder=None, start=None, stop_after=None, **changes):
    model, windows = _forger(), real()

    trainer = Trainer(model, _settings(**changes), seed=5, objective=objective)
    saved = Checkpoints(folder) if folder else None
    history = trainer.fit(windows, windows, [StopAfter(stop_after)], saved, start)
    return model, history


def test_a_stopped_game_goes_on_bit_by_bit(tmp_path):
    objective = Adversarial(critic_updates=2)
    (tmp_path / "whole").mkdir()
    whole, history = _trained(objective, tmp_path / "whole", optimizer="adam")
    with pytest.raises(KeyboardInterrupt):
        _trained(objective, tmp_path, stop_after=4, optimizer="adam")
    start, _ = Checkpoints(tmp_path).newest()
    assert start.position.updates == 4
    again, later = _trained(objective, tmp_path, start=start, optimizer="adam")
    assert later == history
    ends = [Checkpoints(folder).newest()[0] for folder in (tmp_path, tmp_path / "whole")]
    for one, other in zip(*(end.variables for end in ends), strict=True):
        np.testing.assert_array_equal(one, other)
    # Weights of both, Adam's two moments, and SGD's momentum; counts and rates of each.
    assert len(ends[0].variables) == 4 + 2 * 2 + 2 + 2 * 2
    for one, other in zip(whole.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_a_player_is_moved_by_its_own_loss_alone():
    before, still = _forger(), Adversarial(generator_share=0.0)
    model, _ = _trained(still, epochs=1)
    for old, new in zip(before.generator.get_weights(), model.generator.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert not np.array_equal(before.critic.get_weights()[0], model.critic.get_weights()[0])
    # A loss a thousand times as large moves its own player's weights alone, in the first update.
    once = [_trained(Adversarial(generator_share=share), epochs=1, steps=1, clip_norm=0.0)[0]
            for share in (1.0, 1000.0)]  # fmt: skip
    for one, other in zip(*(model.critic.get_weights() for model in once)):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(*(model.generator.get_weights()[0] for model in once))


def test_each_players_gradient_is_clipped_by_itself():
    before = _forger()
    objective = Adversarial(critic_norm=0.02)
    changes = {"epochs": 1, "steps": 1, "clip_norm": 0.01, "learning_rate": 1.0}
    model, _ = _trained(objective, **changes)
    for name, rate, norm in (("generator", 1.0, 0.01), ("critic", 0.5, 0.02)):
        pairs = zip(getattr(before, name).get_weights(), getattr(model, name).get_weights())
        moved = np.sqrt(sum(np.sum((old - new) ** 2) for old, new in pairs))
        assert moved == pytest.approx(rate * norm, rel=0.01), name


def test_a_player_makes_as_many_updates_as_it_says():
    model = _forger()
    trainer = Trainer(model, _settings(epochs=1), seed=5, objective=Adversarial(critic_updates=3))
    trainer.fit(real(), real())
    players = trainer.players
    assert int(players["generator"].optimizer.iterations) == 3
    assert int(players["critic"].optimizer.iterations) == 9


def test_a_weight_belongs_to_one_player():
    class Greedy(Adversarial):
        def players(self, model, settings, make_optimizer):
            players = super().players(model, settings, make_optimizer)
            return {**players, "other": players["critic"]._replace(optimizer=make_optimizer())}

    with pytest.raises(ValueError, match=r"critic.* belongs to 2 players, but 1 is needed"):
        Trainer(_forger(), _settings(), objective=Greedy()).fit(real(), real())


class Pointer(SequenceModel):
    """Chooses one of four, and guesses beforehand what its choice will be worth."""

    recurrent = False

    def __init__(self):
        super().__init__()
        self.choose = keras.layers.Dense(4)
        self.baseline = keras.layers.Dense(1)
        self._finish()

    def initial_state(self, batch_size):
        return ()

    def call(self, inputs, state=None, reset=None, return_state=False, training=None):
        outputs = self.choose(inputs), self.baseline(inputs)[..., 0]
        return (outputs, ()) if return_state else outputs

    def example_inputs(self, batch_size=2, time=5):
        return np.zeros((batch_size, 4), "float32")


@dataclass(frozen=True)
class Reinforce(Objective):
    """Williams 1992: -(r - b) log p(choice), and (r - b)² for the baseline b."""

    metrics: ClassVar[tuple[str, ...]] = ("loss", "weight", "reward")

    def prepare(self, model, window, seed, update):
        logits, _ = model(window["inputs"])
        drawn = tf.random.stateless_categorical(logits, 1, seed, dtype=tf.int32)[:, 0]
        return {**window, "drawn": drawn}

    def losses(self, model, window, state, training):
        (logits, guess), state = model.run_window(window, state, training)
        chosen = window["drawn"] if training else tf.argmax(logits, -1, output_type=tf.int32)
        reward = tf.cast(chosen == window["targets"], tf.float32)
        advantage = tf.stop_gradient(reward - guess)
        surprise = tf.nn.sparse_softmax_cross_entropy_with_logits(chosen, logits)
        each = advantage * surprise + (reward - guess) ** 2
        loss = {"model": tf.reduce_sum(each * window["weights"])}
        return Losses(loss, row_sums(window["weights"], each, reward), state)

    def results(self, sums):
        loss, weight, reward = (float(part) for part in sums)
        return {"loss": loss / max(weight, 1.0), "reward": reward / max(weight, 1.0)}


@pytest.mark.slow
def test_reinforce_with_a_learned_baseline_trains_as_any_objective_does():
    keras.utils.set_random_seed(3)
    inputs, targets = np.eye(4, dtype="float32").repeat(8, 0), np.arange(4).repeat(8)
    windows = example_windows(inputs, targets, np.ones(32), 32)
    settings = _settings(epochs=80, optimizer="adam", clip_norm=0.0)
    model = Pointer()
    history = Trainer(model, settings, seed=1, objective=Reinforce()).fit(windows, windows)
    assert history["reward"][0] < 0.6 < 0.8 < history["reward"][-1]
    assert history["val_reward"][-1] == 1
    _, guess = model(np.eye(4, dtype="float32"))
    np.testing.assert_allclose(guess, 1, atol=0.25)

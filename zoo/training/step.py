"""One update, compiled: gradients of one window or several, clipped and applied."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from zoo.errors import UserError
from zoo.recurrence.compiling import Compile, compiled
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Objective, Player, Update
from zoo.training.replicas import Replicas
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.keras_internals import take_gradients_as_summed


class Step:
    """One update of truncated backpropagation through time.

    Each window is run forward and backward from the state that the one before has left, without a
    gradient through it. With a truncation shorter than the window, the same happens at each cut
    within it. With a longer one, windows overlap: gradients go back over `Settings.context` steps
    of the windows before, and the state that is carried is that after the first `window` steps.

    Each player's weights are moved by its own loss alone, in gradients that are clipped by
    themselves. Where players make several updates, the windows are run as often, from the same
    state; the sums and the carried state are those of the last time.

    Args:
        model: any model of the zoo.
        objective: what its windows are prepared with, and what is made small.
        players: who moves which weights, see `Objective.players`.
        settings: how to train.
        replicas: where.
        updates: of the whole training.
        seed: of whatever is drawn by the update's number.
    """

    def __init__(
        self,
        model: SequenceModel,
        objective: Objective,
        players: Mapping[str, Player],
        settings: Settings,
        replicas: Replicas,
        updates: int = 1,
        seed: int = 0,
    ) -> None:
        self.model, self.objective, self.players = model, objective, dict(players)
        self.settings, self.replicas = settings, replicas
        self.updates, self.seed = updates, seed % 2**31
        # XLA cannot read the variables of several replicas on one processor.
        self.compiled = settings.jit_compile and replicas.count == 1
        for player in self.players.values():
            take_gradients_as_summed(player.optimizer)
        # Converted by AutoGraph, a model's UserError would be one no more.
        self._run = tf.function(
            self._all, jit_compile=self.compiled, reduce_retracing=True, autograph=False
        )

    def __call__(self, windows: list[Window], state: State) -> tuple[State, Tensor]:
        """Update the weights.

        Args:
            windows: whole ones, one after the other, which make one update.
            state: the replicas' states before the first of them.

        Returns:
            The states to carry on, and one tensor, as each that is read costs the loop some time:
            the objective's sums over all windows, and the norm of each player's gradient before it
            is clipped.
        """
        shares = [self.replicas.split(window) for window in windows]
        state, numbers = self._run(shares, state)
        return state, self.replicas.local(numbers)

    def _all(self, windows: list[Window], state: State) -> tuple[State, Tensor]:
        return self.replicas.run(self._one, windows, state)

    def _one(self, windows: list[Window], state: State) -> tuple[State, Tensor]:
        """Run, in a replica, as many rounds as a player makes updates, the last of all players."""
        rounds = max(player.updates for player in self.players.values())
        norms: dict[str, Tensor] = {}
        for number in range(rounds):
            players = {
                name: player
                for name, player in self.players.items()
                if number >= rounds - player.updates
            }
            with compiled(Compile.ALWAYS):
                sums, after, gradients = self._gradients(players, windows, state, number)
            norms |= {name: self._apply(players[name], gradients[name]) for name in players}
        in_order = tf.stack([norms[name] for name in self.players])
        return after, tf.concat([self.replicas.sum(sums), in_order], axis=0)

    def _gradients(
        self, players: Mapping[str, Player], windows: list[Window], state: State, number: int
    ) -> tuple[Tensor, State, dict[str, list[Any]]]:
        """Run the windows for the players of a round; its sums, the state after, the gradients."""
        first = number * len(windows)
        windows = [self._prepared(n, window) for n, window in enumerate(windows, first)]
        whole = self._whole(windows)
        sums = tf.zeros(len(self.objective.metrics))
        gradients: dict[str, list[Any]] = {
            name: [None] * len(player.variables) for name, player in players.items()
        }
        cuts = [self._spans(window) for window in windows]
        share = self.replicas.count * sum(len(spans) for cut in cuts for spans in cut)
        for cut in cuts:
            for spans in cut:
                carried = None
                with tf.GradientTape(persistent=len(players) > 1) as tape:
                    losses: dict[str, Any] = dict.fromkeys(players, 0.0)
                    for span in spans:
                        part = self.objective.losses(self.model, span, state, training=True)
                        state = part.state
                        for name in players:
                            losses[name] += part.by_player[name] / whole
                        sums += tf.reduce_sum(part.sums, axis=0)
                        if self.model.losses:
                            # Of each player's weights, those of layers that have them.
                            own = tf.add_n(self.model.losses) / share
                            losses = {name: loss + own for name, loss in losses.items()}
                        carried = state if carried is None else carried
                    scaled = {
                        name: player.optimizer.scale_loss(losses[name])
                        for name, player in players.items()
                    }
                for name, player in players.items():
                    weights = [weight.value for weight in player.variables]
                    pairs = zip(gradients[name], tape.gradient(scaled[name], weights))
                    gradients[name] = [_plus(*pair) for pair in pairs]
                state = tf.nest.map_structure(tf.stop_gradient, carried)
        return sums, state, gradients

    def _prepared(self, number: int, window: Window) -> Window:
        """Return a window as the objective wants it; `number` differs for all of one update."""
        first = next(iter(self.players.values()))
        update = tf.cast(first.optimizer.iterations, tf.int32)
        if first.updates > 1:
            update //= first.updates
        seed = tf.constant([self.seed, 0])
        for place in (update, number, self.replicas.number()):
            seed = tf.random.experimental.stateless_fold_in(seed, place)
        return self.objective.prepare(self.model, window, seed, Update(update, self.updates))

    def _whole(self, windows: list[Window]) -> Any:
        """Return what the sum of all losses is divided by."""
        if self.settings.reduction == "row":
            rows = sum(window["targets"].shape[0] for window in windows)
            return float(rows * self.replicas.count)
        weights = tf.add_n([tf.reduce_sum(window["weights"]) for window in windows])
        return tf.maximum(self.replicas.sum(weights), 1.0)

    def _spans(self, window: Window) -> list[list[Window]]:
        """Return parts of a window in time: those in one list share a gradient."""
        settings = self.settings
        if settings.truncation in (0, settings.window):
            return [[window]]
        time = window["targets"].shape[1]
        if settings.context:
            return [[_cut(window, 0, settings.window), _cut(window, settings.window, time)]]
        starts = range(0, time, settings.truncation)
        return [[_cut(window, t, t + settings.truncation)] for t in starts]

    def _apply(self, player: Player, gradients: list[Any]) -> Tensor:
        """Clip and apply a player's gradients; return their norm."""
        gradients = [self._whole_gradient(gradient) for gradient in gradients]
        there = [gradient for gradient in gradients if gradient is not None]
        if self.replicas.strategy:
            summed = iter(self.replicas.sum(there))
            gradients = [None if gradient is None else next(summed) for gradient in gradients]
            there = [gradient for gradient in gradients if gradient is not None]
        scale = player.optimizer.scale_loss(tf.constant(1.0))
        norm = tf.linalg.global_norm(there)
        if limit := player.clip_norm:
            # A norm that is no number makes gradients that are none either.
            factor = limit * scale / tf.maximum(norm, limit * scale)
            gradients = [None if g is None else _times(g, factor) for g in gradients]
        player.optimizer.apply(gradients, player.variables)
        return norm / scale

    def _whole_gradient(self, gradient: Any) -> Any:
        """Return a gradient whose norm is that of its values, each row of a sparse one once."""
        if not isinstance(gradient, tf.IndexedSlices):
            return gradient
        if self.compiled or self.replicas.strategy:
            return tf.convert_to_tensor(gradient)
        rows, places = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
        return tf.IndexedSlices(values, rows, gradient.dense_shape)


def check_windows(train: tf.data.Dataset, settings: Settings) -> None:
    """Raise if settings ask for windows that are cut in time, and these cannot be.

    Raises:
        UserError: they cannot.
    """
    cut = settings.truncation not in (0, settings.window)
    if cut and len(train.element_spec["reset"].shape) != 2:
        raise UserError("truncation is for tasks whose windows are cut from streams: leave it at 0")


def _cut(window: Window, start: int, end: int) -> Window:
    return tf.nest.map_structure(lambda part: part[:, start:end], window)


def _plus(total: Any, gradient: Any) -> Any:
    if total is None or gradient is None:
        return gradient if total is None else total
    return tf.convert_to_tensor(total) + tf.convert_to_tensor(gradient)


def _times(gradient: Any, factor: Any) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * tf.cast(factor, gradient.dtype)

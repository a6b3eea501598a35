"""What one update does, compiled: gradients of one window or several, clipped and applied."""

from typing import Any

import keras
import tensorflow as tf

from zoo.errors import UserError
from zoo.topologies.base import Scores, SequenceModel
from zoo.training.replicas import Replicas
from zoo.training.scheduled_sampling import mixed, true_share
from zoo.training.self_critical import Reward, rewarded
from zoo.training.settings import Settings
from zoo.utils.keras_internals import take_gradients_as_summed

Window = dict[str, Any]


class Step:
    """One update of truncated backpropagation through time.

    Each window is run forward and backward from the state that the one before has left, without a
    gradient through it. With a truncation shorter than the window, the same happens at each cut
    within it. With a longer one, windows overlap: gradients go back over `Settings.context` steps
    of the windows before, and the state that is carried is that after the first `window` steps.

    Args:
        model: any model of the zoo.
        optimizer: of its weights.
        settings: how to train.
        replicas: where.
        updates: of the whole training.
        seed: of whatever is drawn by the update's number.
        reward: what makes a window's sequences good, where there are updates that ask for it.
    """

    def __init__(
        self,
        model: SequenceModel,
        optimizer: keras.optimizers.Optimizer,
        settings: Settings,
        replicas: Replicas,
        updates: int = 1,
        seed: int = 0,
        reward: Reward | None = None,
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.settings, self.replicas = settings, replicas
        self.updates, self.seed, self.reward = updates, seed % 2**31, reward
        # XLA cannot read the variables of several replicas on one processor.
        self.compiled = settings.jit_compile and replicas.count == 1
        if replicas.strategy:
            take_gradients_as_summed(optimizer)
        # Converted by AutoGraph, a model's UserError would be one no more.
        self._run = tf.function(
            self._all, jit_compile=self.compiled, reduce_retracing=True, autograph=False
        )

    def __call__(
        self, windows: list[Window], state: Any, rewarding: bool = False
    ) -> tuple[Any, Any]:
        """Update the weights.

        Args:
            windows: whole ones, one after the other, which make one update.
            state: the replicas' states before the first of them.
            rewarding: train on what the model itself writes, and on what that is worth.

        Returns:
            The states to carry on, and one tensor, as each that is read costs the loop some time:
            the sums of `sums` over all windows, and the norm of the gradient before it is clipped.
        """
        shares = [self.replicas.split(window) for window in windows]
        state, told = self._run(shares, state, rewarding)
        return state, self.replicas.local(told)

    def _all(self, windows: list[Window], state: Any, rewarding: bool) -> tuple[Any, Any]:
        one = self._rewarded if rewarding else self._one
        return self.replicas.run(one, windows, state)

    def _rewarded(self, windows: list[Window], state: Any) -> tuple[Any, Any]:
        return self._one(windows, state, rewarding=True)

    def _one(self, windows: list[Window], state: Any, rewarding: bool = False) -> tuple[Any, Any]:
        """In one replica."""
        windows = [self._prepared(n, window, rewarding) for n, window in enumerate(windows)]
        weights = self.model.trainable_variables
        whole = self._whole(windows)
        told, gradients = tf.zeros(3), [None] * len(weights)
        cuts = [self._spans(window) for window in windows]
        share = self.replicas.count * sum(len(spans) for cut in cuts for spans in cut)
        for cut in cuts:
            for spans in cut:
                carried = None
                with tf.GradientTape() as tape:
                    loss = 0.0
                    for span in spans:
                        scores, state = self._score(span, state)
                        counts = span.get("advantage", span["weights"])
                        loss += tf.reduce_sum(scores.loss * counts) / whole
                        told += sums(span, scores)
                        if self.model.losses:
                            loss += tf.add_n(self.model.losses) / share
                        carried = state if carried is None else carried
                    loss = self.optimizer.scale_loss(loss)
                found = tape.gradient(loss, [weight.value for weight in weights])
                gradients = [_plus(*pair) for pair in zip(gradients, found)]
                state = tf.nest.map_structure(tf.stop_gradient, carried)
        norm = self._apply(gradients, weights)
        return state, tf.concat([self.replicas.sum(told), [norm]], axis=0)

    def _prepared(self, number: int, window: Window, rewarding: bool) -> Window:
        """With what the model itself writes, where settings ask for it."""
        settings = self.settings
        if not rewarding and settings.teacher_forcing == 1:
            return window
        update = tf.cast(self.optimizer.iterations, tf.int32)
        seed = tf.constant([self.seed, 0])
        for place in (update, number, self.replicas.number()):
            seed = tf.random.experimental.stateless_fold_in(seed, place)
        if rewarding and self.reward:
            return rewarded(self.model, window, self.reward, seed)
        return mixed(self.model, window, true_share(settings, update, self.updates), seed)

    def _score(self, span: Window, state: Any) -> tuple[Scores, Any]:
        smoothing = 0.0 if "advantage" in span else self.settings.label_smoothing
        return self.model.score(span, state, training=True, smoothing=smoothing)

    def _whole(self, windows: list[Window]) -> Any:
        """What the sum of all losses is divided by."""
        if self.settings.reduction == "row":
            rows = sum(window["targets"].shape[0] for window in windows)
            return float(rows * self.replicas.count)
        weights = tf.add_n([tf.reduce_sum(window["weights"]) for window in windows])
        return tf.maximum(self.replicas.sum(weights), 1.0)

    def _spans(self, window: Window) -> list[list[Window]]:
        """Parts of a window in time: those in one list share a gradient."""
        settings = self.settings
        if settings.truncation in (0, settings.window):
            return [[window]]
        time = window["targets"].shape[1]
        if settings.context:
            return [[_cut(window, 0, settings.window), _cut(window, settings.window, time)]]
        starts = range(0, time, settings.truncation)
        return [[_cut(window, t, t + settings.truncation)] for t in starts]

    def _apply(self, gradients: list[Any], weights: list[keras.Variable]) -> Any:
        """Clip and apply the gradients; their norm."""
        gradients = [self._whole_gradient(gradient) for gradient in gradients]
        found = [gradient for gradient in gradients if gradient is not None]
        if self.replicas.strategy:
            summed = iter(self.replicas.sum(found))
            gradients = [None if gradient is None else next(summed) for gradient in gradients]
            found = [gradient for gradient in gradients if gradient is not None]
        scale = self.optimizer.scale_loss(tf.constant(1.0))
        norm = tf.linalg.global_norm(found)
        if limit := self.settings.clip_norm:
            # A norm that is no number makes gradients that are none either.
            factor = limit * scale / tf.maximum(norm, limit * scale)
            gradients = [None if g is None else _times(g, factor) for g in gradients]
        self.optimizer.apply(gradients, weights)
        return norm / scale

    def _whole_gradient(self, gradient: Any) -> Any:
        """A gradient whose norm is that of its values: each row of a sparse one only once."""
        if not isinstance(gradient, tf.IndexedSlices):
            return gradient
        if self.compiled or self.replicas.strategy:
            return tf.convert_to_tensor(gradient)
        rows, places = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
        return tf.IndexedSlices(values, rows, gradient.dense_shape)


def check_windows(train: tf.data.Dataset, settings: Settings) -> None:
    """That windows can be cut in time, where settings ask for it.

    Raises:
        UserError: they cannot.
    """
    cut = settings.truncation not in (0, settings.window)
    if cut and len(train.element_spec["reset"].shape) != 2:
        raise UserError("truncation is for tasks whose windows are cut from streams: leave it at 0")


def check_generating(model: SequenceModel, settings: Settings) -> None:
    """That a model generates, where it is to be trained with what it generates.

    Raises:
        UserError: it does not.
    """
    for name, plain in (("teacher_forcing", 1.0), ("reward", "")):
        given = getattr(settings, name)
        if given != plain and not model.conditional:
            raise UserError(
                f"{name} is {given!r}, but this is for models that caption or translate: leave it "
                f"at {plain!r}"
            )


def sums(window: Window, scores: Scores) -> Any:
    """Weighted sums of the negative log-likelihood, of the weights, and of the right answers."""
    weights = window["weights"]
    parts = (scores.nll, tf.ones_like(weights), scores.right)
    return tf.stack([tf.reduce_sum(part * weights) for part in parts])


def figures(totals: Any) -> dict[str, float]:
    """Loss and accuracy from summed `sums`."""
    nll, weights, right = (float(part) for part in totals)
    return {"loss": nll / max(weights, 1.0), "accuracy": right / max(weights, 1.0)}


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

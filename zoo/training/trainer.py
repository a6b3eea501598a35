"""The one training loop: truncated BPTT over windows, for every topology."""

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import UserError
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings


class Trainer:
    """Truncated backpropagation through time with carried state.

    Each window is run forward and backward as a whole; its final state, detached, starts the next
    window of the same streams. Training and each evaluation carry a state of their own, which
    starts from zero. The loss is the cross-entropy of the targets, averaged by their weights.

    Args:
        model: any model of the zoo.
        settings: how to train.

    Raises:
        UserError: Keras has no optimizer of that name.
    """

    def __init__(self, model: SequenceModel, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        try:
            keras.optimizers.get(settings.optimizer)
        except ValueError as error:
            raise UserError(f"Keras has no optimizer {settings.optimizer!r}: try adam") from error
        self._step = tf.function(
            self._train_step, jit_compile=settings.jit_compile, reduce_retracing=True
        )

    def fit(
        self,
        train: tf.data.Dataset,
        validation: tf.data.Dataset,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> dict[str, list[float]]:
        """Train until the epochs, the minutes or the patience are used up.

        Args:
            train: windows of one shape; their number is known.
            validation: windows for the figures named `val_...` after each epoch.
            callbacks: Keras callbacks; `logs` hold `loss`, `accuracy` and `learning_rate`.

        Returns:
            Each figure's value after each epoch.

        Raises:
            UserError: the loss is not a finite number.
        """
        steps = int(train.cardinality())
        history = keras.callbacks.History()
        self.model.optimizer = self._optimizer(steps)
        self.model.stop_training = False
        every = keras.callbacks.CallbackList(
            [*callbacks, history],
            model=self.model,
            epochs=self.settings.epochs,
            steps=steps,
            verbose=0,
        )
        deadline = time.monotonic() + 60 * self.settings.minutes
        every.on_train_begin()
        try:
            for epoch in range(self.settings.epochs):
                every.on_epoch_begin(epoch)
                logs = self._epoch(train, every, deadline)
                validated = evaluate(self.model, validation)
                logs |= {f"val_{name}": value for name, value in validated.items()}
                every.on_epoch_end(epoch, logs)
                if self.model.stop_training:
                    break
        finally:
            # Also after Ctrl-C or a failure: callbacks put away what they have begun.
            every.on_train_end()
        return history.history

    def _epoch(self, train: tf.data.Dataset, every: Any, deadline: float) -> dict[str, Any]:
        state, totals = None, tf.zeros(3)
        for step, window in enumerate(train):
            if state is None:
                state = self.model.initial_state(len(window["reset"]))
            every.on_train_batch_begin(step)
            state, sums = self._step(window, state)
            totals += sums
            every.on_train_batch_end(step, {"loss": sums[0] / tf.maximum(sums[1], 1.0)})
            if self.settings.minutes and time.monotonic() > deadline:
                self.model.stop_training = True
                break
        logs = figures(totals)
        if not math.isfinite(logs["loss"]):
            raise UserError(
                f"the loss became {logs['loss']}: try a smaller learning_rate "
                f"(it was {self.settings.learning_rate}) or a smaller clip_norm"
            )
        return {**logs, "learning_rate": float(self.model.optimizer.learning_rate)}

    def _train_step(self, window: dict[str, Any], state: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            outputs, state = self.model(
                window["inputs"],
                state=state,
                reset=window["reset"],
                return_state=True,
                training=True,
            )
            sums = _sums(window, outputs)
            loss = sums[0] / tf.maximum(sums[1], 1.0)
        weights = self.model.trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        self.model.optimizer.apply(gradients, weights)
        return state, sums

    def _optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        settings = self.settings
        rate: Any = settings.learning_rate
        if settings.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(rate, steps * settings.epochs)
        config = {"learning_rate": rate, "global_clipnorm": settings.clip_norm or None}
        optimizer = keras.optimizers.get({"class_name": settings.optimizer, "config": config})
        optimizer.build(self.model.trainable_variables)
        return optimizer


def evaluate(model: SequenceModel, windows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Loss and accuracy over all weighted targets, with a carried state that starts from zero.

    Returns:
        `loss` in nats a target, `accuracy` in 0..1.
    """
    state, totals = None, tf.zeros(3)
    for window in windows:
        if state is None:
            state = model.initial_state(len(window["reset"]))
        state, sums = _evaluation_step(model)(window, state)
        totals += sums
    return figures(totals)


def _evaluation_step(model: SequenceModel) -> Any:
    """The compiled step, kept with the model, for each evaluation to use again."""
    if not hasattr(model, "_zoo_evaluation_step"):

        def step(window: dict[str, Any], state: Any) -> tuple[Any, Any]:
            outputs, state = model(
                window["inputs"], state=state, reset=window["reset"], return_state=True
            )
            return state, _sums(window, outputs)

        model._zoo_evaluation_step = tf.function(step, reduce_retracing=True)
    return model._zoo_evaluation_step


def _sums(window: dict[str, Any], logits: Any) -> Any:
    """Weighted sums of the negative log-likelihood, of the weights, and of the right answers."""
    targets, weights = window["targets"], window["weights"]
    logits = tf.cast(logits, tf.float32)
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    right = tf.cast(tf.argmax(logits, axis=-1, output_type=targets.dtype) == targets, tf.float32)
    return tf.stack([tf.reduce_sum(part * weights) for part in (nll, tf.ones_like(nll), right)])


def figures(totals: Any) -> dict[str, float]:
    """Loss and accuracy from summed `_sums`."""
    nll, weights, right = (float(part) for part in totals)
    return {"loss": nll / max(weights, 1.0), "accuracy": right / max(weights, 1.0)}

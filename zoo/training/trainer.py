"""The one training loop: truncated BPTT over windows, for every topology."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import Interrupted, UserError
from zoo.topologies.base import SequenceModel
from zoo.training.checkpoints import Checkpoint, Checkpoints, Position
from zoo.training.interrupts import Interrupts
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

    def fit(
        self,
        train: tf.data.Dataset,
        validation: tf.data.Dataset,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checkpoints: Checkpoints | None = None,
        start: Checkpoint | None = None,
    ) -> dict[str, list[float]]:
        """Train until the epochs, the steps, the minutes or the patience are used up.

        Args:
            train: windows of one shape; their number is known.
            validation: windows for the figures named `val_...` after each epoch.
            callbacks: Keras callbacks; `logs` hold `loss`, `accuracy` and `learning_rate`.
            checkpoints: where to save, every `save_steps` windows, after each epoch, and on Ctrl-C
                or SIGTERM; None for nowhere.
            start: what was saved, to go on from there as if nothing had been.

        Returns:
            Each figure's value after each epoch.

        Raises:
            UserError: the loss or the gradient is not a finite number, a checkpoint cannot be
                saved, or `start` is of another model.
            Interrupted: a signal came, and the run is saved.
        """
        steps = int(train.cardinality())
        self.model.optimizer = self._optimizer(steps)
        # Of this optimizer, which a graph of another run would not know.
        self._step = tf.function(
            self._train_step, jit_compile=self.settings.jit_compile, reduce_retracing=True
        )
        self.model.stop_training = False
        position, parts = Position(), []
        if start:
            position, parts = copy.deepcopy(start.position), list(start.state)
            self._restore(start)
        every = keras.callbacks.CallbackList(
            callbacks, model=self.model, epochs=self.settings.epochs, steps=steps, verbose=0
        )
        with Interrupts() as interrupts:
            saving = _Saving(checkpoints, self.settings.save_steps, steps, interrupts, self._save)
            # One reading of the data for all epochs: what was read before is passed over.
            windows = iter(train.repeat().skip(position.epoch * steps + position.step))
            every.on_train_begin()
            try:
                while not self._ended(position):
                    every.on_epoch_begin(position.epoch)
                    logs = self._epoch(windows, steps, every, position, parts, saving)
                    parts = []
                    validated = evaluate(self.model, validation)
                    logs |= {f"val_{name}": value for name, value in validated.items()}
                    every.on_epoch_end(position.epoch, logs)
                    position.history.append(logs)
                    position.epoch, position.step = position.epoch + 1, 0
                    position.totals = [0.0] * 3
                    saving(position, [], always=True)
            finally:
                # Also after Ctrl-C or a failure: callbacks put away what they have begun.
                every.on_train_end()
        history = position.history
        return {name: [logs[name] for logs in history] for name in (history[0] if history else ())}

    def _epoch(
        self,
        windows: Iterator[dict[str, Any]],
        steps: int,
        every: Any,
        position: Position,
        parts: list[Any],
        saving: "_Saving",
    ) -> dict[str, Any]:
        """The rest of an epoch, from `position` and the parts of a carried state."""
        state, totals = None, np.array(position.totals)
        began = time.monotonic() - position.seconds
        while position.step < steps:
            window = next(windows)
            if state is None:
                state = self.model.initial_state(len(window["reset"]))
                if parts:
                    state = _packed(parts, state)
            every.on_train_batch_begin(position.step)
            state, told = self._step(window, state)
            *sums, norm = told.numpy().tolist()
            totals += sums
            loss = figures(sums)["loss"]
            self._check_finite(loss, norm, position)
            position.step += 1
            every.on_train_batch_end(position.step - 1, {"loss": loss})
            position.seconds = time.monotonic() - began
            position.totals = totals.tolist()
            if self._spent(position):
                break
            saving(position, tf.nest.flatten(state))
        rate = float(self.model.optimizer.learning_rate)
        return {**figures(totals), "learning_rate": rate}

    def _ended(self, position: Position) -> bool:
        return (
            position.epoch >= self.settings.epochs
            or self.model.stop_training
            or self._spent(position)
        )

    def _spent(self, position: Position) -> bool:
        """The steps or the minutes are used up."""
        limit = self.settings.steps
        return bool(limit and int(self.model.optimizer.iterations) >= limit) or (
            0 < 60 * self.settings.minutes < position.seconds
        )

    def _check_finite(self, loss: float, norm: float, position: Position) -> None:
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise UserError(
                f"at step {position.step + 1} of epoch {position.epoch + 1} the loss became {loss} "
                f"and the gradient's norm {norm}: try a smaller learning_rate (it was "
                f"{self.settings.learning_rate}) or a smaller clip_norm"
            )

    def _variables(self) -> list[keras.Variable]:
        """All that a step changes but for the carried state; `variables` holds the seeds, too."""
        return [*self.model.variables, *self.model.optimizer.variables]

    def _save(self, checkpoints: Checkpoints, position: Position, parts: list[Any]) -> None:
        # Half precision has no place in a file of numpy's, and loses nothing by this.
        state = [tf.cast(part, tf.float32) if part.dtype.size < 4 else part for part in parts]
        arrays = [keras.ops.convert_to_numpy(variable) for variable in self._variables()]
        checkpoint = Checkpoint(position, arrays, [part.numpy() for part in state])
        checkpoints.save(checkpoint, int(self.model.optimizer.iterations))

    def _restore(self, start: Checkpoint) -> None:
        variables = self._variables()
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [array.shape for array in start.variables]:
            raise UserError("the checkpoint is of another model or optimizer: fit the model anew")
        for variable, array in zip(variables, start.variables):
            variable.assign(array)

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
            loss = self._smoothed(sums[0], window, outputs) / tf.maximum(sums[1], 1.0)
        weights = self.model.trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        self.model.optimizer.apply(gradients, weights)
        # One tensor, as each that is read out costs the loop some time.
        return state, tf.concat([sums, [tf.linalg.global_norm(gradients)]], axis=0)

    def _smoothed(self, nll: Any, window: dict[str, Any], logits: Any) -> Any:
        """The summed loss towards targets that share their probability with all classes."""
        share = self.settings.label_smoothing
        if not share:
            return nll
        logits = tf.cast(logits, tf.float32)
        even = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        return (1 - share) * nll + share * tf.reduce_sum(even * window["weights"])

    def _optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        settings = self.settings
        rate: Any = settings.learning_rate
        if settings.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(rate, settings.all_steps(steps))
        config = {"learning_rate": rate, "global_clipnorm": settings.clip_norm or None}
        optimizer = keras.optimizers.get({"class_name": settings.optimizer, "config": config})
        optimizer.build(self.model.trainable_variables)
        return optimizer


def _packed(parts: list[Any], like: Any) -> Any:
    """Saved parts as a state of the structure and types of another."""
    types = [part.dtype for part in tf.nest.flatten(like)]
    cast = [tf.cast(part, dtype) for part, dtype in zip(parts, types, strict=True)]
    return tf.nest.pack_sequence_as(like, cast)


class _Saving:
    """Saves when it is time, and ends training when a signal has come."""

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        every: int,
        steps: int,
        interrupts: Interrupts,
        save: Callable[[Checkpoints, Position, list[Any]], None],
    ) -> None:
        self.checkpoints, self.every, self.steps = checkpoints, every, steps
        self.interrupts, self.save = interrupts, save

    def __call__(self, position: Position, parts: list[Any], always: bool = False) -> None:
        due = always or (position.step % self.every == 0 and position.step < self.steps)
        if self.checkpoints and (due or self.interrupts.got):
            self.save(self.checkpoints, position, parts)
        if self.interrupts.got:
            raise Interrupted(self.interrupts.got)


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

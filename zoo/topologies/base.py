"""What every model of the zoo answers to."""

import inspect
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.typing import State, Tensor
from zoo.utils.keras_internals import set_before_init

NEAR = 0.04
"""A real number is right that misses its target by less, as in Hochreiter and Schmidhuber 1997."""


class Scores(NamedTuple):
    """What a window's answers are worth, float32, each of the shape of its targets.

    Attributes:
        loss: what training makes small.
        nll: what is told: nats of a class, or the squared error of a real number.
        right: 1 for a right answer, else 0.
    """

    loss: Tensor
    nll: Tensor
    right: Tensor


class SequenceModel(keras.Model):
    """A model whose state is always explicit: passed in, returned, never stored.

    `model(inputs, state=None, reset=None, return_state=False)` runs a window; `initial_state` and
    `step` run the same thing one time step at a time. A model without recurrence over its inputs
    has the empty state `()`. A conditional model (one-to-many, seq2seq) makes its state from what
    it is conditioned on, with `encode`, and steps through what it generates; nothing of it is
    carried from one window to the next.

    Constructor arguments are plain values, which are the configuration; all weights exist when
    the constructor returns.

    Attributes:
        recurrent: whether there is a recurrence over the inputs.
        steppable: whether steps give what the whole gives; not where the future is read, too.
        sequence: where inputs are a dict, the one of which `step` takes a time step.
        only: where inputs are one tensor, its name for those who call an export.
        condition: of a conditional model, the input that `encode` takes, such as "image".
        attends: whether each step looks at places of what was encoded, see `alignment`.
    """

    recurrent = True
    steppable = True
    sequence = ""
    only = "inputs"
    condition = ""
    attends = False

    @property
    def conditional(self) -> bool:
        """Whether what is generated depends on something that was encoded before."""
        return bool(self.condition)

    def __new__(cls, *args: Any, **kwargs: Any) -> "SequenceModel":
        """Note the arguments: `keras.Model` keeps those of a functional model only."""
        model = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(model, *args, **kwargs)
        arguments = {k: v for k, v in bound.arguments.items() if k not in ("self", "kwargs")}
        set_before_init(model, "_arguments", arguments)
        return model

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), **self._arguments}

    def initial_state(self, batch_size: int | Tensor) -> State:
        """The state before the first time step of a sequence: a tree of tensors `[B, ...]`."""
        raise NotImplementedError

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step: outputs `[B, ...]` and the new state."""
        raise NotImplementedError

    def alignment(self, state: State) -> Tensor:
        """What the last step looked at: weights `[B, S]` of the places; None without attention."""
        return None

    def score(
        self, window: dict[str, Any], state: State, training: bool = False, smoothing: float = 0.0
    ) -> tuple[Scores, State]:
        """What the answers to a window are worth, and the state after it.

        Args:
            window: `inputs`, `targets`, `reset`, see `zoo.training.windows`. Integer targets are
                classes, others real numbers, for which the model has one output.
            state: the state before the window.
            training: whether dropout acts, and the loss may differ from what is told.
            smoothing: share of a target's probability that all classes have in common.

        Returns:
            The scores; and the state to carry on, for a conditional model that which was given.
        """
        before = state
        outputs, state = self(
            window["inputs"],
            state=state,
            reset=window["reset"],
            return_state=True,
            training=training,
        )
        told = scores(outputs, window["targets"], smoothing)
        return told, before if self.conditional else state

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Inputs of the right structure, shapes and dtypes, for building and conformance tests."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Make all weights; the last line of every constructor."""
        self(self.example_inputs())


def scores(outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Scores:
    """The cross-entropy of logits `[..., classes]`, or the squared error of numbers `[..., 1]`.

    Example:
        >>> told = scores(tf.constant([[0.0, 0.0], [9.0, 0.0]]), tf.constant([1, 0]))
        >>> [round(float(n), 2) for n in told.nll], told.right.numpy().tolist()
        ([0.69, 0.0], [0.0, 1.0])
    """
    outputs = tf.cast(outputs, tf.float32)
    if targets.dtype.is_floating:
        miss = outputs[..., 0] - targets
        return Scores(miss**2, miss**2, tf.cast(tf.abs(miss) < NEAR, tf.float32))
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs)
    chosen = tf.argmax(outputs, axis=-1, output_type=targets.dtype)
    loss = nll
    if smoothing:
        # Szegedy et al. 2016, arXiv:1512.00567, section 7.
        even = tf.reduce_logsumexp(outputs, axis=-1) - tf.reduce_mean(outputs, axis=-1)
        loss = (1 - smoothing) * nll + smoothing * even
    return Scores(loss, nll, tf.cast(chosen == targets, tf.float32))

"""The base class of every model of the zoo."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.typing import State, Tensor, Window
from zoo.utils.keras_internals import set_before_init


class Scores(NamedTuple):
    """The scores of a model's outputs for a window, float32, each of the shape of its targets.

    Attributes:
        loss: what training makes small.
        nll: nats of the right class.
        right: 1 where the likeliest class is the right one, else 0.
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
        steps_on: the input that `step` takes a time step of; where inputs are one tensor and no
            dict, its name for those who call an export.
        condition: of a conditional model, the input that `encode` takes, such as "image".
        attends: whether each step looks at places of what was encoded, see `alignment`.
        compiled_steps: whether XLA can compile `step` and what `steps_from` returns, with cells
            that it can. It is said beside `step`; a subclass with a `step` of its own says it anew.
    """

    recurrent = True
    steppable = True
    steps_on = "inputs"
    condition = ""
    attends = False
    compiled_steps = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if {"step", "steps_from"} & vars(cls).keys():
            cls.compiled_steps = vars(cls).get("compiled_steps", False)

    @property
    def conditional(self) -> bool:
        """Return whether what is generated depends on something that was encoded before."""
        return bool(self.condition)

    def __new__(cls, *args: Any, **kwargs: Any) -> "SequenceModel":
        """Note the arguments: `keras.Model` keeps those of a functional model only."""
        model = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(model, *args, **kwargs)
        arguments = {k: v for k, v in bound.arguments.items() if k not in ("self", "kwargs")}
        set_before_init(model, "_arguments", arguments)
        return model

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {**super().get_config(), **self._arguments}

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state before a sequence's first time step: a tree of tensors `[B, ...]`."""
        raise NotImplementedError

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Compute one time step: outputs `[B, ...]` and the new state."""
        raise NotImplementedError

    def steps_from(
        self, state: State, width: int | Tensor = 1
    ) -> tuple[Callable[[Tensor, State], tuple[Tensor, State]], State]:
        """Return `step` for the many steps from one state, and what they change of the state.

        What no step changes may be computed once, by a model that has such, and then is no part of
        the state. Both are of use in the graph, or the eager context, where they were made.

        Args:
            state: of B rows.
            width: rows of a step for each row of the state, one after the other.
        """
        return self.step, state

    def alignment(self, state: State) -> Tensor:
        """Return the weights `[B, S]` of the places that the last step looked at.

        None of a model without attention. The places are those of the image, row by row, or the
        tokens of the source.
        """
        return state.attention["alignment"] if self.attends else None

    def run_window(self, window: Window, state: State, training: bool = False) -> tuple[Any, State]:
        """Return the outputs of a window, and the state to carry on.

        Args:
            window: its `inputs` and `reset` are read.
            state: before the window.
            training: whether dropout acts.

        Returns:
            The outputs; and the state after the window, of a conditional model the one before it.
        """
        before = state
        outputs, state = self(
            window["inputs"],
            state=state,
            reset=window["reset"],
            return_state=True,
            training=training,
        )
        return outputs, before if self.conditional else state

    def score(
        self, window: Window, state: State, training: bool = False, smoothing: float = 0.0
    ) -> tuple[Scores, State]:
        """Compute the scores of a window whose targets are classes, and the state to carry on.

        A model that computes a large softmax in another way, or the likelihood of a whole sequence,
        has a `score` of its own.

        Args:
            window: `targets` are classes, int32.
            state: before the window.
            training: whether dropout acts, and the loss may be an estimate.
            smoothing: share of a target's probability that all classes have in common, in the loss.
        """
        outputs, state = self.run_window(window, state, training)
        return scores(outputs, window["targets"], smoothing), state

    def named_inputs(self, inputs: Any) -> dict[str, Any]:
        """Return inputs by name; one that is no dict is called as `steps_on` says."""
        return dict(inputs) if isinstance(inputs, Mapping) else {self.steps_on: inputs}

    def inputs_from(self, named: Mapping[str, Any]) -> Any:
        """Return inputs as the model takes them, from those by name."""
        many = isinstance(self.example_inputs(1), Mapping)
        return dict(named) if many else named[self.steps_on]

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return inputs of the right structure, shapes and dtypes, to build and test a model."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Make all weights; the last line of every constructor."""
        # The layers within are built as they are called; Keras would first call all of them in a
        # graph that it throws away.
        self.built = True
        self(self.example_inputs())


def scores(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Scores:
    """Return the cross-entropy of logits `[..., classes]` of targets `[...]`, int32.

    Example:
        >>> one = scores(tf.constant([[0.0, 0.0], [9.0, 0.0]]), tf.constant([1, 0]))
        >>> [round(float(n), 2) for n in one.nll], one.right.numpy().tolist()
        ([0.69, 0.0], [0.0, 1.0])
    """
    logits = tf.cast(logits, tf.float32)
    nll = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    chosen = tf.argmax(logits, axis=-1, output_type=targets.dtype)
    loss = nll
    if smoothing:
        # Szegedy et al. 2016, arXiv:1512.00567, section 7.
        even = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        loss = (1 - smoothing) * nll + smoothing * even
    return Scores(loss, nll, tf.cast(chosen == targets, tf.float32))

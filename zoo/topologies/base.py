"""What every model of the zoo answers to."""

import inspect
from typing import Any

import keras


class SequenceModel(keras.Model):
    """A model whose state is always explicit: passed in, given back, never kept.

    `model(inputs, state=None, reset=None, return_state=False)` runs a window; `initial_state` and
    `step` run the same thing one time step at a time. A model without recurrence over its inputs
    has the empty state `()`. A conditional model (one-to-many, seq2seq) makes its state from what
    it is conditioned on, with `encode`, and steps through what it generates.

    Constructor arguments are plain values, which are the configuration; all weights exist when
    the constructor returns.
    """

    recurrent = True
    conditional = False

    def __new__(cls, *args: Any, **kwargs: Any) -> "SequenceModel":
        """Note the arguments: `keras.Model` keeps those of a functional model only."""
        model = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(model, *args, **kwargs)
        given = {k: v for k, v in bound.arguments.items() if k not in ("self", "kwargs")}
        object.__setattr__(model, "_given", given)
        return model

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), **self._given}

    def initial_state(self, batch_size: Any) -> Any:
        """The state before the first time step of a sequence: a tree of tensors `[B, ...]`."""
        raise NotImplementedError

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """One time step: outputs `[B, ...]` and the new state."""
        raise NotImplementedError

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Inputs of the right structure, shapes and dtypes, for building and conformance tests."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Make all weights; the last line of every constructor."""
        self(self.example_inputs())

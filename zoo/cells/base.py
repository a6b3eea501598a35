"""What a cell is."""

from typing import Any, ClassVar, NamedTuple

import keras
from keras import ops


class HiddenState(NamedTuple):
    """The state of a cell that remembers its output alone: `h`, shape `[B, H]`."""

    h: Any


class Cell(keras.layers.Layer):
    """One time step of a recurrent layer, in three pieces, so that any cell can run fast.

    `project` is all that does not depend on the state: `Recurrence` applies it to all time steps
    at once. `recur` is the matrix product with the state, the only one inside the loop. `update`
    is pointwise: gates and new state. A subclass writes these three, `build`, and the class
    attributes; `call` puts them together, so that every cell also runs in `keras.layers.RNN`.

    Attributes:
        State: the NamedTuple that holds the state, each field `[B, units]`.

    Args:
        units: H, the size of the output and of each part of the state; positive.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: units is not a positive integer.
    """

    State: ClassVar[type] = HiddenState

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let Keras find the cell by name when it reads a config or a `.keras` file."""
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(units, int) or units <= 0:
            raise ValueError(f"units is {units!r}, but a positive integer is needed")
        self.units = units

    @property
    def state_size(self) -> list[int]:
        """Size of each part of the state."""
        return [self.units] * len(self.State._fields)  # type: ignore[attr-defined]

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.units

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """Zeros: a `State` with fields of shape `[batch_size, units]`."""
        return self.State(
            *(ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in self.state_size)
        )

    def project(self, x: Any) -> Any:
        """What the input contributes: `[..., D] -> [..., G]`."""
        raise NotImplementedError

    def recurrent_weights(self) -> tuple[Any, ...]:
        """The tensors that `recur` multiplies by, read once for a whole sequence."""
        return (self.recurrent_kernel,)

    def recur(self, state: Any, *weights: Any) -> Any:
        """What the state contributes, linear in `weights`: `[B, H] -> [B, R]`.

        Here: `h @ recurrent_kernel`.
        """
        return ops.matmul(state.h, weights[0])

    def update(self, z: Any, r: Any, state: Any) -> tuple[Any, Any]:
        """The pointwise rest, without weights: output and new state from projections and state."""
        raise NotImplementedError

    def call(self, inputs: Any, states: Any) -> tuple[Any, Any]:
        """One time step: `x_t [B, D]` and a state give `y_t [B, H]` and the new state."""
        state = self.State(*states)
        return self.update(
            self.project(inputs), self.recur(state, *self.recurrent_weights()), state
        )

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "units": self.units}

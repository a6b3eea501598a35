"""Two recurrences over one sequence, one from each end."""

from typing import Any

import keras
import tensorflow as tf

from zoo.recurrence import Recurrence
from zoo.recurrence.layer import state_shapes
from zoo.typing import Shape, State, Tensor
from zoo.utils.keras_internals import mask_of


@keras.saving.register_keras_serializable("zoo")
class Bidirectional(keras.layers.Layer):
    """y_t = [y→_t, y←_t], or their sum: a cell run forwards, and one run backwards.

    Args:
        forward_cell: the cell that runs from the first time step to the last.
        backward_cell: the one that runs from the last to the first; by default another of the same
            configuration, with weights of its own.
        merge: "concat" or "sum" of the two outputs.
        **kwargs: those of `keras.layers.Layer`: name, and dtype, by default the forward cell's.

    Raises:
        ValueError: merge is neither, or the outputs to be summed differ in size.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.gru import GRUCell
        >>> y, state = Bidirectional(GRUCell(4))(ops.ones((2, 5, 3)), lengths=[5, 2])
        >>> y.shape, len(state)
        (TensorShape([2, 5, 8]), 2)

    Source: M. Schuster and K. K. Paliwal, "Bidirectional recurrent neural networks", IEEE
    Transactions on Signal Processing 45 (1997).
    """

    def __init__(
        self, forward_cell: Any, backward_cell: Any = None, merge: str = "concat", **kwargs: Any
    ) -> None:
        super().__init__(**{"dtype": forward_cell.dtype_policy, **kwargs})
        if merge not in ("concat", "sum"):
            raise ValueError(f"merge is {merge!r}, but 'concat' or 'sum' is needed")
        if backward_cell is None:
            config = {**forward_cell.get_config(), "name": None}
            backward_cell = type(forward_cell).from_config(config)
        sizes = forward_cell.output_size, backward_cell.output_size
        if merge == "sum" and sizes[0] != sizes[1]:
            raise ValueError(
                f"the outputs have sizes {sizes[0]} and {sizes[1]}, but a sum needs equal ones"
            )
        self.forwards = Recurrence(forward_cell)
        self.backwards = Recurrence(backward_cell, reverse=True)
        self.merge = merge

    def build(self, input_shape: Shape) -> None:
        """Make both cells' weights for inputs of size `input_shape[-1]`."""
        self.forwards.build(input_shape)
        self.backwards.build(input_shape)

    def initial_state(self, batch_size: int | Tensor) -> tuple[Tensor, Tensor]:
        """The two cells' initial states for that many rows."""
        return self.forwards.initial_state(batch_size), self.backwards.initial_state(batch_size)

    def call(
        self,
        inputs: Tensor,
        initial_state: State = None,
        lengths: Tensor = None,
        reset: Tensor = None,
        mask: Tensor = None,
        training: bool | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return outputs `[B, T, H]`, H both sizes under "concat", and the two final states.

        The arguments are those of `Recurrence.call`; `initial_state` is a pair. Keras hands
        `training` on to the layers inside.

        Raises:
            ValueError: `initial_state` is no pair, or `Recurrence` refuses an argument.
        """
        (y, y_back), finals = self.directions(inputs, initial_state, lengths, reset, mask)
        merged = y + y_back if self.merge == "sum" else tf.concat([y, y_back], axis=-1)
        return merged, finals

    def directions(
        self,
        inputs: Tensor,
        initial_state: State = None,
        lengths: Tensor = None,
        reset: Tensor = None,
        mask: Tensor = None,
    ) -> tuple[tuple[Tensor, Tensor], tuple[State, State]]:
        """Return both outputs `[B, T, H]`, not merged, and the two final states."""
        states = (None, None) if initial_state is None else tuple(initial_state)
        if len(states) != 2:
            raise ValueError(f"initial_state has {len(states)} parts, but a pair is needed")
        mask = mask_of(inputs) if mask is None else mask
        arguments = {"lengths": lengths, "reset": reset, "mask": mask}
        y, final = self.forwards(inputs, initial_state=states[0], **arguments)
        y_back, final_back = self.backwards(inputs, initial_state=states[1], **arguments)
        return (y, y_back), (final, final_back)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> list[Tensor]:
        """Return the mask of the outputs, which is that of the inputs; the states have none."""
        return [previous_mask]

    def compute_output_shape(self, input_shape: Shape, **_: Shape) -> tuple[Shape, State]:
        """Return the shapes of outputs and both states for inputs of shape `[B, T, D]`."""
        sizes = [way.cell.output_size for way in (self.forwards, self.backwards)]
        size = sizes[0] if self.merge == "sum" else sum(sizes)
        return (*input_shape[:2], size), state_shapes(self, input_shape[0])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Trace a call: unlike shapes, that also gives the parts of a state their types."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cells serialised."""
        return {
            **super().get_config(),
            "forward_cell": keras.saving.serialize_keras_object(self.forwards.cell),
            "backward_cell": keras.saving.serialize_keras_object(self.backwards.cell),
            "merge": self.merge,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Bidirectional":
        """Make the layer from `get_config`'s dict."""
        cells = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("forward_cell", "backward_cell")
        }
        return cls(**{**config, **cells})

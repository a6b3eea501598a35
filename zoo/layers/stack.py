"""Stacked recurrent layers: h of one feeds the next."""

from typing import Any

import keras

from zoo import registry
from zoo.cells.wrappers import RecurrentWeightDrop, VariationalDropoutCell
from zoo.layers.bidirectional import Bidirectional
from zoo.recurrence import Recurrence
from zoo.recurrence.layer import state_shapes
from zoo.typing import Shape, State, Tensor
from zoo.utils.keras_internals import mask_of
from zoo.utils.validation import check_shares


def time_dropout(rate: float, variational: bool = True, dtype: Any = None) -> keras.layers.Dropout:
    """Dropout on `[B, T, D]`, of the same entries at all time steps, or of others at each.

    Example:
        >>> from keras import ops
        >>> y = time_dropout(0.5)(ops.ones((1, 9, 1)), training=True)
        >>> len(set(y.numpy().ravel()))
        1
    """
    shape = (None, 1, None) if variational else None
    return keras.layers.Dropout(rate, noise_shape=shape, dtype=dtype)


@keras.saving.register_keras_serializable("zoo")
class RecurrentStack(keras.layers.Layer):
    """`layers` recurrences of one kind of cell, each fed the outputs of the one below.

    h^l_t = cell^l(h^(l-1)_t, state^l_(t-1)), with h^0_t = x_t.

    Args:
        cell: the registered name of the cell.
        units: size of each layer's output.
        layers: how many; at least 1.
        dropout: share of each layer's inputs that is dropped in training, in 0..1.
        reverse: run from the last time step to the first.
        variational: drop the same entries at all time steps of a window (Gal and Ghahramani 2016,
            arXiv:1512.05287), which also spares drawing `T` times as many; else others at each
            (Zaremba et al. 2014, arXiv:1409.2329).
        recurrent_dropout: share of h_(t-1) that a recurrence loses in training, in 0..1: the same
            entries at all time steps of a window.
        weight_drop: share of the recurrent weights that is dropped in training, in 0..1; see
            `RecurrentWeightDrop`.
        bidirectional: each layer runs from both ends and hands on both outputs, `2 · units`. Its
            state is a pair, and there are no steps.
        cell_options: other arguments of the cell, such as `image_shape`.
        residual: add a layer's inputs to its outputs, where they are of one size (He et al. 2016,
            arXiv:1512.03385; Wu et al. 2016, arXiv:1609.08144).

    Attributes:
        output_size: of the top layer's output.

    Raises:
        UserError: no cell has that name.
        ValueError: `layers` is less than 1, both directions are to be reversed, or the recurrent
            weights of a cell that has none are to be dropped.

    Example:
        >>> from keras import ops
        >>> stack = RecurrentStack("vanilla_rnn", units=4, layers=2)
        >>> y, state = stack(ops.ones((2, 5, 3)))
        >>> y.shape, len(state)
        (TensorShape([2, 5, 4]), 2)
    """

    def __init__(
        self,
        cell: str,
        units: int,
        layers: int = 1,
        dropout: float = 0.0,
        reverse: bool = False,
        variational: bool = True,
        recurrent_dropout: float = 0.0,
        weight_drop: float = 0.0,
        bidirectional: bool = False,
        cell_options: dict[str, Any] | None = None,
        residual: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"layers is {layers}, but at least 1 is needed")
        check_shares(dropout=dropout)
        if reverse and bidirectional:
            raise ValueError("reverse and bidirectional exclude each other: pass one of them")

        def make_cell() -> Any:
            made = registry.load("cell", cell)(
                units, dtype=self.dtype_policy, **(cell_options or {})
            )
            if weight_drop:
                made = RecurrentWeightDrop(made, weight_drop)
            if recurrent_dropout:
                made = VariationalDropoutCell(made, recurrent_dropout, inputs=False)
            return made

        def make_layer() -> Any:
            if bidirectional:
                return Bidirectional(make_cell(), make_cell(), dtype=self.dtype_policy)
            return Recurrence(make_cell(), reverse, dtype=self.dtype_policy)

        self.recurrences = [make_layer() for _ in range(layers)]
        self.bidirectional = bidirectional
        self.dropout = time_dropout(dropout, variational, self.dtype_policy)
        self.residual = residual

    @property
    def output_size(self) -> int:
        """Of the top layer."""
        return self._size(self.recurrences[-1])

    def build(self, input_shape: Shape) -> None:
        """Make all weights for inputs of size `input_shape[-1]`."""
        size = input_shape[-1]
        for recurrence in self.recurrences:
            recurrence.build((None, None, size))
            size = self._size(recurrence)

    def initial_state(self, batch_size: int | Tensor) -> tuple[Tensor, ...]:
        """One state a layer, from the bottom up."""
        return tuple(recurrence.initial_state(batch_size) for recurrence in self.recurrences)

    def call(
        self,
        inputs: Tensor,
        initial_state: State = None,
        lengths: Tensor = None,
        reset: Tensor = None,
        mask: Tensor = None,
        training: bool | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Outputs of the top layer `[B, T, units]` and one final state a layer.

        The arguments are those of `Recurrence.call`.
        """
        states = initial_state or [None] * len(self.recurrences)
        mask = mask_of(inputs) if mask is None else mask
        arguments = {"lengths": lengths, "reset": reset, "mask": mask}
        finals = []
        for recurrence, state in zip(self.recurrences, states, strict=True):
            x = self.dropout(inputs, training=training)
            y, final = recurrence(x, initial_state=state, **arguments)
            inputs = self._joined(inputs, y)
            finals.append(final)
        return inputs, tuple(finals)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> list[Tensor]:
        """Return the mask of the outputs, which is that of the inputs; the states have none."""
        return [previous_mask]

    def compute_output_shape(self, input_shape: Shape, **_: Shape) -> tuple[Shape, State]:
        """Return the shapes of outputs and states for inputs of shape `[B, T, D]`."""
        return (*input_shape[:2], self.output_size), state_shapes(self, input_shape[0])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Trace a call: unlike shapes, that also gives the parts of a state their types."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def step(self, x_t: Tensor, state: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
        """One time step: `[B, D]` and the layers' states give `[B, units]` and the new ones.

        Raises:
            ValueError: the stack is bidirectional.
        """
        if self.bidirectional:
            raise ValueError("a bidirectional stack has no steps: it reads a sequence as a whole")
        new_states = []
        for recurrence, layer_state in zip(self.recurrences, state, strict=True):
            y, new_state = recurrence.step(x_t, layer_state)
            x_t = self._joined(x_t, y)
            new_states.append(new_state)
        return x_t, tuple(new_states)

    def _size(self, layer: Recurrence | Bidirectional) -> int:
        if not self.bidirectional:
            return layer.cell.output_size
        return layer.forwards.cell.output_size + layer.backwards.cell.output_size

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y if self.residual and x.shape[-1] == y.shape[-1] else y

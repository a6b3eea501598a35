"""Keras' recurrent layers, argument for argument, run by the engine."""

from typing import Any

import keras

from zoo.layers.accelerate import take_over
from zoo.layers.keras_loop import run_inner_loop
from zoo.typing import State, Tensor

_registered = keras.saving.register_keras_serializable("zoo.layers")


class _ByEngine:
    """The part of a layer that hands its loop to the engine."""

    @property
    def supports_jit(self) -> bool:
        """False: the engine compiles its own loops, and `fit` shall not compile around them."""
        return False

    @supports_jit.setter
    def supports_jit(self, value: bool) -> None:
        """Do nothing: Keras' constructors set it."""

    def inner_loop(
        self, sequences: Tensor, initial_state: State, mask: Any, training: bool | None = False
    ) -> tuple[Tensor, Tensor, State]:
        """Return the last output, all outputs and the final state; `call` asks for them."""
        keras_own = super().inner_loop  # type: ignore[misc]
        return run_inner_loop(self, keras_own, sequences, initial_state, mask, training)


@_registered
class RNN(_ByEngine, keras.layers.RNN):
    """`keras.layers.RNN`, with any cell of the zoo or of Keras, or several that are stacked.

    Of Keras' own, all cells are run by the engine. Another cell, such as one that a user wrote, is
    run by Keras' loop. docs/from_keras.md says what is the same and what differs.

    Example:
        >>> from keras import ops
        >>> from zoo.cells import LSTMCell
        >>> RNN(LSTMCell(4), return_sequences=True)(ops.ones((2, 5, 3))).shape
        TensorShape([2, 5, 4])
    """


@_registered
class LSTM(_ByEngine, keras.layers.LSTM):
    """`keras.layers.LSTM`: the same arguments, weights and outputs.

    A file of weights, `.weights.h5` or `.keras`, is read by `load_weights` of a model with either.
    A `.keras` file with Keras' layer is read by `zoo.accelerate(keras.models.load_model(path))`, or
    rewritten with this one by `zoo import keras`; one with this layer is read where there is no zoo
    by `load_model(path, custom_objects={"zoo.layers>LSTM": keras.layers.LSTM})`. So it is with all
    layers of this module.

    Example:
        >>> from keras import ops
        >>> LSTM(4)(ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """


@_registered
class GRU(_ByEngine, keras.layers.GRU):
    """`keras.layers.GRU`: the same arguments, weights and outputs.

    Example:
        >>> from keras import ops
        >>> GRU(4, go_backwards=True)(ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """


@_registered
class SimpleRNN(_ByEngine, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN`: the same arguments, weights and outputs.

    Example:
        >>> from keras import ops
        >>> SimpleRNN(4)(ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """


@_registered
class ConvLSTM1D(_ByEngine, keras.layers.ConvLSTM1D):
    """`keras.layers.ConvLSTM1D`: the same arguments, weights and outputs.

    Example:
        >>> from keras import ops
        >>> ConvLSTM1D(4, 3)(ops.ones((2, 5, 8, 3))).shape
        TensorShape([2, 6, 4])
    """


@_registered
class ConvLSTM2D(_ByEngine, keras.layers.ConvLSTM2D):
    """`keras.layers.ConvLSTM2D`: the same arguments, weights and outputs.

    Example:
        >>> from keras import ops
        >>> ConvLSTM2D(4, 3, padding="same")(ops.ones((2, 5, 8, 6, 3))).shape
        TensorShape([2, 8, 6, 4])
    """


@_registered
class ConvLSTM3D(_ByEngine, keras.layers.ConvLSTM3D):
    """`keras.layers.ConvLSTM3D`: the same arguments, weights and outputs.

    Example:
        >>> from keras import ops
        >>> ConvLSTM3D(4, 3, padding="same")(ops.ones((2, 5, 4, 6, 4, 3))).shape
        TensorShape([2, 4, 6, 4, 4])
    """


@_registered
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional`, both of whose layers are run by the engine.

    The layer may be one of this module or Keras' own.

    Example:
        >>> from keras import ops
        >>> Bidirectional(LSTM(4), merge_mode="sum")(ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(layer, merge_mode, weights, backward_layer, **kwargs)
        take_over(self.forward_layer)
        take_over(self.backward_layer)

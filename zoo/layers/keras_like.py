"""A recurrence that is called like one of Keras' own layers, in files of earlier versions."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.bidirectional import Bidirectional
from zoo.layers.stack import time_dropout
from zoo.typing import Shape, State, Tensor
from zoo.utils.keras_internals import mask_of


@keras.saving.register_keras_serializable("zoo")
class KerasLike(keras.layers.Layer):
    """A `Recurrence` or a `Bidirectional` in the place of `keras.layers.LSTM` and the like.

    Files that earlier versions wrote hold it; `zoo.layers.LSTM` and its like have taken its place.
    Outputs are what Keras gives: the last one or all of them, those of a reversed recurrence in the
    order in which they were made, and the parts of the final state after them where asked for.

    Args:
        recurrence: the layer inside.
        return_sequences: give the outputs at all time steps, not the last alone.
        return_state: give the final state, too.
        dropout: share of the inputs that is dropped in training, the same entries at all steps.
        **kwargs: those of `keras.layers.Layer`.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.gru import GRUCell
        >>> from zoo.recurrence import Recurrence
        >>> KerasLike(Recurrence(GRUCell(4)))(ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """

    def __init__(
        self,
        recurrence: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": recurrence.dtype_policy, **kwargs})
        self.recurrence = recurrence
        self.return_sequences, self.return_state = return_sequences, return_state
        self.dropout = time_dropout(dropout, dtype=recurrence.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self.recurrence.build(input_shape)

    def call(
        self,
        sequences: Tensor,
        initial_state: State = None,
        mask: Tensor = None,
        training: bool | None = None,
    ) -> Tensor:
        """`[B, T, D]` to `[B, T, H]` or `[B, H]`, and perhaps the parts of the final state.

        Args:
            sequences: the inputs.
            initial_state: a flat list of the parts of a state, forwards first.
            mask: `[B, T]` booleans: a step where it is false is left out, and its output is zero
                (Keras repeats the one before). The default is the mask that the inputs carry.
            training: whether dropout acts.
        """
        mask = mask_of(sequences) if mask is None else mask
        start = None
        if initial_state is not None:
            structure = self.recurrence.initial_state(1)
            start = tf.nest.pack_sequence_as(structure, tf.nest.flatten(initial_state))
        x = self.dropout(sequences, training=training)
        inside = self.recurrence
        if self.return_sequences or not isinstance(inside, Bidirectional):
            y, state = inside(x, initial_state=start, mask=mask)
            reverse = getattr(inside, "reverse", False)
            if not self.return_sequences:
                y = _last(y, mask, reverse)
            elif reverse:
                y = tf.reverse(y, [1])
        else:
            (y, back), state = inside.directions(x, start, mask=mask)
            y, back = _last(y, mask), _last(back, mask, reverse=True)
            y = y + back if inside.merge == "sum" else tf.concat([y, back], axis=-1)
        return [y, *tf.nest.flatten(state)] if self.return_state else y

    def compute_mask(self, sequences: Tensor, previous_mask: Tensor) -> list[Tensor]:
        """Return the mask of all outputs, which is that of the inputs; the last one has none."""
        if self.return_sequences and getattr(self.recurrence, "reverse", False):
            return [None if previous_mask is None else tf.reverse(previous_mask, [1])]
        return [previous_mask if self.return_sequences else None]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the recurrence serialised."""
        return {
            **super().get_config(),
            "recurrence": keras.saving.serialize_keras_object(self.recurrence),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "dropout": self.dropout.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "KerasLike":
        """Make the layer from `get_config`'s dict."""
        inside = keras.saving.deserialize_keras_object(config["recurrence"])
        return cls(**{**config, "recurrence": inside})


def _last(y: Tensor, mask: Tensor | None, reverse: bool = False) -> Tensor:
    """Return the output `[B, H]` that was made last, zero of a row that is masked out whole."""
    if mask is None:
        return y[:, 0] if reverse else y[:, -1]
    counted = tf.cast(mask, tf.int32)
    if reverse:
        place = tf.argmax(counted, axis=1)
    else:
        place = tf.shape(counted)[1] - 1 - tf.argmax(counted[:, ::-1], 1, tf.int32)
    return tf.gather(y, place, axis=1, batch_dims=1)

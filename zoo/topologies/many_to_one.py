"""A sequence in, one output: the class of a video, or a number."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.images import image_encoder
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel


@register("topology", "many_to_one", inputs="video", outputs="class")
@keras.saving.register_keras_serializable("zoo")
class ManyToOne(SequenceModel):
    """y = W h_T + b, h_t = cell(encoder(x_t), state_(t-1)): frames in, the clip's logits out.

    Args:
        classes: how many; 1 for an answer that is a real number.
        frame_shape: height, width, channels; or the size of a vector, with the encoder "none".
        encoder: "linear", "mlp" or "cnn", applied to each frame, or "none", see
            `zoo.layers.images`.
        filters: channels of each block of the "cnn".
        features: size of the dense layer of "mlp" and "cnn".
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped before each recurrent layer and before the logits, in training.

    Example:
        >>> model = ManyToOne(classes=8, frame_shape=(16, 16, 1), cell="gru", units=16)
        >>> model(model.example_inputs(3)).shape
        TensorShape([3, 8])
    """

    def __init__(
        self,
        classes: int = 8,
        frame_shape: Sequence[int] = (32, 32, 1),
        encoder: str = "cnn",
        filters: Sequence[int] = (16, 32, 48),
        features: int = 64,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.frame_shape = tuple(frame_shape)
        self.frame_dtype = "float32" if encoder == "none" else "uint8"
        self.encoder = image_encoder(encoder, frame_shape, filters, features)
        self.stack = RecurrentStack(cell, units, layers, dropout)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(classes)
        self._finish()

    def initial_state(self, batch_size: Any) -> Any:
        """One state a recurrent layer."""
        return self.stack.initial_state(batch_size)

    def call(
        self,
        inputs: Any,
        state: Any = None,
        reset: Any = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Any:
        """Clips to logits `[B, classes]` after the last frame of each.

        Args:
            inputs: `frames` `[B, T, *frame_shape]`, pixels 0..255, with the encoder "none" any
                numbers; and `lengths` `[B]`, 1..T.
            state: as `initial_state` gives it; None for the start of a clip.
            reset: `[B]` or `[B, T]`, true where a row starts a new clip.
            return_state: also give the state after the last frame.
            training: whether dropout acts.
        """
        frames, lengths = inputs["frames"], ops.cast(inputs["lengths"], "int32")
        batch, time = ops.shape(frames)[0], ops.shape(frames)[1]
        # One convolution over all frames: TimeDistributed would emit one for each.
        vectors = self.encoder(ops.reshape(frames, (-1, *self.frame_shape)), training=training)
        vectors = ops.reshape(vectors, (batch, time, vectors.shape[-1]))
        y, state = self.stack(
            vectors, initial_state=state, lengths=lengths, reset=reset, training=training
        )
        last = ops.reshape(ops.maximum(lengths - 1, 0), (-1, 1, 1))
        final = ops.take_along_axis(y, last, axis=1)[:, 0]
        logits = self.head(self.dropout(final, training=training))
        return (logits, state) if return_state else logits

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """One frame `[B, *frame_shape]`: the logits so far, and the new state."""
        y, state = self.stack.step(self.encoder(x_t), state)
        return self.head(y), state

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Grey clips of full length; vectors that are as plain."""
        value = 1 if self.frame_dtype == "float32" else 128
        frames = np.full((batch_size, time, *self.frame_shape), value, self.frame_dtype)
        return {"frames": frames, "lengths": np.full(batch_size, time, "int32")}

"""A sequence in, an output at each step: language models and taggers."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel


@register("topology", "many_to_many", inputs="tokens", outputs="class at each step")
@keras.saving.register_keras_serializable("zoo")
class ManyToMany(SequenceModel):
    """y_t = W h_t + b, h_t = cell(E x_t, state_(t-1)): tokens in, logits at each step out.

    Args:
        vocab_size: how many input tokens there are; ids are 0..vocab_size - 1.
        outputs: how many classes each step tells apart; 0 for the vocabulary itself.
        embedding: size of a token's vector E x_t.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped before each recurrent layer and before the logits, in training; the
            same entries at all time steps of a window.
        tied: use the embedding as output weights too (Press and Wolf 2017, arXiv:1608.05859),
            after a projection of h to the embedding's size; the outputs are then the vocabulary.

    Example:
        >>> model = ManyToMany(vocab_size=50, cell="gru", units=16)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 50])
    """

    def __init__(
        self,
        vocab_size: int = 100,
        outputs: int = 0,
        embedding: int = 64,
        cell: str = "lstm",
        units: int = 256,
        layers: int = 1,
        dropout: float = 0.0,
        tied: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding = keras.layers.Embedding(vocab_size, embedding)
        self.stack = RecurrentStack(cell, units, layers, dropout)
        self.dropout = keras.layers.Dropout(dropout, noise_shape=(None, 1, None))
        self.tied = tied
        self.head = keras.layers.Dense(embedding if tied else outputs or vocab_size)
        if tied:
            self.bias = self.add_weight(name="bias", shape=(vocab_size,), initializer="zeros")
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
        lengths: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Token ids `[B, T]` to logits `[B, T, outputs]`.

        Args:
            inputs: integers in 0..vocab_size - 1.
            state: as `initial_state` gives it; None for the start of a sequence.
            reset: `[B]` or `[B, T]`, true where a row starts a new sequence.
            return_state: also give the state after the last step.
            lengths: `[B]`, where right-padded rows end, and with them the changes of their state.
            training: whether dropout acts.
        """
        y, state = self.stack(
            self.embedding(inputs),
            initial_state=state,
            lengths=lengths,
            reset=reset,
            training=training,
        )
        logits = self._logits(self.dropout(y, training=training))
        return (logits, state) if return_state else logits

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """One token `[B]`: logits `[B, outputs]`, and the new state."""
        y, state = self.stack.step(self.embedding(x_t), state)
        return self._logits(y), state

    def _logits(self, y: Any) -> Any:
        y = self.head(y)
        if not self.tied:
            return y
        return ops.matmul(y, ops.transpose(self.embedding.embeddings)) + self.bias

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Rows of the first token."""
        return np.zeros((batch_size, time), "int32")

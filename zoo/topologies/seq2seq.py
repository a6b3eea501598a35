"""A sequence in, another one out: translation through a context vector."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel

PADDING = 0
_REVERSE = {"forward": (False,), "backward": (True,), "both": (False, True)}


@register("topology", "seq2seq", inputs="tokens", outputs="tokens")
@keras.saving.register_keras_serializable("zoo")
class Seq2Seq(SequenceModel):
    """c = encoder(x); s_t = decoder((E y_(t-1), c), s_(t-1)); o_t = W s_t + U c + b, y_0 = <start>.

    The context vector c is the encoder's last output; it enters every step of the decoder and of
    its output, as in Cho et al. (2014), and tanh of a dense layer over it starts the decoder.
    Read from its end, a source's first tokens are the freshest in c, just when the target's first
    ones are to be said, which makes training easier (Sutskever et al. 2014).

    Args:
        source_vocab_size: how many source tokens there are; id 0 is padding.
        target_vocab_size: how many target tokens there are, `<start>` and `<end>` among them.
        embedding: size of a token's vector, on either side.
        cell: name of the recurrent cell, on either side.
        units: size of each recurrent layer.
        layers: how many recurrent layers on either side.
        reading: "forward", "backward" (from the source's end), or "both"; c then joins the two
            last outputs.
        dropout: share dropped before each recurrent layer and before the logits, in training.

    Raises:
        ValueError: `reading` is none of the three.

    Example:
        >>> model = Seq2Seq(source_vocab_size=30, target_vocab_size=40, units=16)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 40])

    Source: I. Sutskever, O. Vinyals, Q. V. Le, arXiv:1409.3215; K. Cho et al., arXiv:1406.1078.
    """

    condition = "source"

    def __init__(
        self,
        source_vocab_size: int = 100,
        target_vocab_size: int = 100,
        embedding: int = 64,
        cell: str = "gru",
        units: int = 256,
        layers: int = 1,
        reading: str = "backward",
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if reading not in _REVERSE:
            raise ValueError(f"reading is {reading!r}, but {' or '.join(_REVERSE)} is needed")
        self.source_embedding = keras.layers.Embedding(source_vocab_size, embedding)
        self.target_embedding = keras.layers.Embedding(target_vocab_size, embedding)
        self.encoders = [
            RecurrentStack(cell, units, layers, dropout, reverse=reverse)
            for reverse in _REVERSE[reading]
        ]
        self.decoder = RecurrentStack(cell, units, layers, dropout)
        self.context_size = units * len(self.encoders)
        parts = sum(self.decoder_part_sizes())
        self.bridge = keras.layers.Dense(parts, activation="tanh")
        self.dropout = keras.layers.Dropout(dropout, noise_shape=(None, 1, None))
        self.head = keras.layers.Dense(target_vocab_size)
        self.context_head = keras.layers.Dense(target_vocab_size, use_bias=False)
        self._finish()

    def decoder_part_sizes(self) -> list[int]:
        """Size of each part of the decoder's state, from the bottom layer up."""
        return [
            size for layer in self.decoder.recurrences for size in _sizes(layer.cell.state_size)
        ]

    def initial_state(self, batch_size: Any) -> Any:
        """The state for a context of zero; `encode` gives that of a real source."""
        context = ops.zeros((batch_size, self.context_size), self.compute_dtype)
        return {"context": context, "decoder": self.decoder.initial_state(batch_size)}

    def encode(self, inputs: Any, training: bool | None = None) -> Any:
        """The state before `<start>` for source ids `[B, S]`, right-padded with 0."""
        source = ops.convert_to_tensor(inputs)
        lengths = ops.sum(ops.cast(ops.not_equal(source, PADDING), "int32"), axis=1)
        vectors = self.source_embedding(source)
        last = ops.reshape(ops.maximum(lengths - 1, 0), (-1, 1, 1))
        ends = []
        for encoder in self.encoders:
            y, _ = encoder(vectors, lengths=lengths, training=training)
            reverse = encoder.recurrences[0].reverse
            ends.append(y[:, 0] if reverse else ops.take_along_axis(y, last, axis=1)[:, 0])
        context = ops.concatenate(ends, axis=-1)
        return {"context": context, "decoder": self._decoder_state(context)}

    def _decoder_state(self, context: Any) -> Any:
        parts = tf.split(self.bridge(context), self.decoder_part_sizes(), axis=-1)
        shape = self.decoder.initial_state(ops.shape(context)[0])
        return keras.tree.pack_sequence_as(shape, parts)

    def call(
        self,
        inputs: Any,
        state: Any = None,
        reset: Any = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Any:
        """Teacher forcing: logits `[B, T, target_vocab_size]` of each next target token.

        Args:
            inputs: `source` `[B, S]`, right-padded with 0, and `tokens` `[B, T]`, the target from
                `<start>` on.
            state: not used: a target starts from its source.
            reset: not used, likewise.
            return_state: also give the state after the last token.
            training: whether dropout acts.
        """
        state = self.encode(inputs["source"], training=training)
        vectors = self.target_embedding(inputs["tokens"])
        context = ops.repeat(state["context"][:, None], ops.shape(vectors)[1], axis=1)
        y, decoder = self.decoder(
            ops.concatenate([vectors, context], axis=-1),
            initial_state=state["decoder"],
            training=training,
        )
        # One product with the context for all steps.
        shared = self.context_head(self.dropout(state["context"][:, None], training=training))
        logits = self.head(self.dropout(y, training=training)) + shared
        return (logits, {**state, "decoder": decoder}) if return_state else logits

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """One target token `[B]`: logits of the next one, and the new state."""
        x_t = ops.concatenate([self.target_embedding(x_t), state["context"]], axis=-1)
        y, decoder = self.decoder.step(x_t, state["decoder"])
        logits = self.head(y) + self.context_head(state["context"])
        return logits, {**state, "decoder": decoder}

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Rows of the second source token and the first target token."""
        source = np.ones((batch_size, time), "int32")
        return {"source": source, "tokens": np.zeros((batch_size, time), "int32")}


def _sizes(state_size: Any) -> list[int]:
    return [state_size] if isinstance(state_size, int) else list(state_size)

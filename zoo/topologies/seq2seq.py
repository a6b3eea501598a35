"""A sequence in, another one out: translation through a context vector, or through attention."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.layers.attending import AttendingStack, wide_start
from zoo.layers.attending_steps import FoldedSteps, can_fold
from zoo.layers.attention import coverage_loss
from zoo.layers.embedding import Embedding
from zoo.layers.softmax import cross_entropy
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import Scores, SequenceModel
from zoo.typing import State, Tensor, Window

PADDING = 0
_REVERSE = {"forward": (False,), "backward": (True,), "both": (False, True)}


@register(
    "architecture",
    "seq2seq",
    topology="seq2seq",
    inputs="tokens",
    outputs="tokens",
    example={"units": 12, "embedding": 9, "source_vocab_size": 14, "target_vocab_size": 15},
)
@keras.saving.register_keras_serializable("zoo")
class Seq2Seq(SequenceModel):
    """c = encoder(x); s_t = decoder((E y_(t-1), c), s_(t-1)); o_t = W s_t + U c + b, y_0 = <start>.

    The context vector c is the encoder's last output; it enters every step of the decoder and of
    its output, as in Cho et al. (2014), and tanh of a dense layer over it starts the decoder.
    Read from its end, a source's first tokens are the freshest in c, just when the target's first
    ones are to be said, which makes training easier (Sutskever et al. 2014).

    With `attention`, c only starts the decoder, and each step looks at all outputs of the encoder,
    see `AttendingStack`. The output layer then sees r_t = V (s_t, c_t, E y_(t-1)), what Bahdanau et
    al. (2014) show it, or, of a product, the attentional vector of Luong et al. (2015).

    Args:
        source_vocab_size: how many source tokens there are; id 0 is padding.
        target_vocab_size: how many target tokens there are, `<start>` and `<end>` among them; id 0
            is padding.
        embedding: size of a token's vector, on either side.
        cell: name of the recurrent cell, on either side.
        units: size of each recurrent layer.
        layers: how many recurrent layers on either side.
        reading: "forward", "backward" (from the source's end), or "both"; c then joins the two
            last outputs.
        dropout: share dropped before each recurrent layer and before the logits, in training.
        attention: "none", or a kind of `zoo.layers.attention.Attention`.
        attention_units: what queries and keys are projected to; 0 for `units`.
        feeding: whether what a product looked at enters the next step.
        coverage: weight of the loss of looking at a place again, for which past alignments enter
            the attention, too; 0 for neither.
        residual: add the inputs of layers to their outputs. Of "both" readings, only the first
            layer then reads backward, too (Wu et al. 2016).
        tied: use the target embedding as output weights too; needs attention.

    Raises:
        ValueError: `reading` is none of the three; the attention is unknown or does not go with
            the rest; or weights are tied without attention.

    Example:
        >>> model = Seq2Seq(source_vocab_size=30, target_vocab_size=40, units=16)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 40])

    Source: I. Sutskever, O. Vinyals, Q. V. Le, arXiv:1409.3215; K. Cho et al., arXiv:1406.1078;
    D. Bahdanau, K. Cho, Y. Bengio, arXiv:1409.0473; M.-T. Luong, H. Pham, C. Manning,
    arXiv:1508.04025; Y. Wu et al., arXiv:1609.08144.
    """

    condition = "source"
    steps_on = "tokens"
    compiled_steps = True

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
        attention: str = "none",
        attention_units: int = 0,
        feeding: bool = True,
        coverage: float = 0.0,
        residual: bool = False,
        tied: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if reading not in _REVERSE:
            raise ValueError(f"reading is {reading!r}, but {' or '.join(_REVERSE)} is needed")
        self.attends = attention != "none"
        if tied and not self.attends:
            raise ValueError("tied output weights need attention: choose a kind, or leave tied out")
        self.source_embedding, self.target_embedding = (
            Embedding(size, embedding, wide_start() if self.attends else "uniform")
            for size in (source_vocab_size, target_vocab_size)
        )
        self._make_encoders(cell, units, layers, reading, dropout, residual)
        self.dropout = keras.layers.Dropout(dropout, noise_shape=(None, 1, None))
        self.coverage, self.tied = coverage, tied
        if self.attends:
            self.decoder: Any = AttendingStack(
                cell,
                units,
                self.context_size,
                layers,
                kind=attention,
                attention_units=attention_units,
                coverage=bool(coverage),
                feeding=feeding,
                residual=residual,
                dropout=dropout,
            )
            self._make_readout(target_vocab_size, embedding, units)
        else:
            self.decoder = RecurrentStack(cell, units, layers, dropout, residual=residual)
            self.head = keras.layers.Dense(target_vocab_size)
            self.context_head = keras.layers.Dense(target_vocab_size, use_bias=False)
        self.bridge = keras.layers.Dense(sum(self._part_sizes()), activation="tanh")
        self._finish()

    def _make_encoders(
        self, cell: str, units: int, layers: int, reading: str, dropout: float, residual: bool
    ) -> None:
        bottom = 1 if residual else layers
        self.encoders = [
            RecurrentStack(cell, units, bottom, dropout, reverse=reverse)
            for reverse in _REVERSE[reading]
        ]
        self.upper_encoder: Any = None
        if residual and layers > 1:
            self.upper_encoder = RecurrentStack(
                cell, units, layers - 1, dropout, reverse=reading == "backward", residual=True
            )
        tops = [self.upper_encoder] if self.upper_encoder else self.encoders
        self.context_size = sum(top.recurrences[-1].cell.output_size for top in tops)

    def _make_readout(self, vocab_size: int, embedding: int, units: int) -> None:
        """Make the layers between the decoder and the logits, and the weights of these."""
        size = units
        self.readout: Any = None
        if self.tied or not self.decoder.asks_after:
            size = embedding
            self.readout = keras.layers.Dense(size)
        if not self.tied:
            self.kernel = self.add_weight(
                name="kernel", shape=(vocab_size, size), initializer=wide_start()
            )
        self.bias = self.add_weight(name="bias", shape=(vocab_size,), initializer="zeros")

    def _part_sizes(self) -> list[int]:
        """Return the size of each part of the decoder's state that the context starts."""
        if self.attends:
            return self.decoder.part_sizes
        return keras.tree.flatten([layer.cell.state_size for layer in self.decoder.recurrences])

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state for a context of zero; `encode` gives that of a real source."""
        if self.attends:
            return self.decoder.initial_state(batch_size)
        context = ops.zeros((batch_size, self.context_size), self.compute_dtype)
        return {"context": context, "decoder": self.decoder.initial_state(batch_size)}

    def encode(self, inputs: Tensor, training: bool | None = None) -> State:
        """Return the state before `<start>` for source ids `[B, S]`, right-padded with 0."""
        source = ops.convert_to_tensor(inputs)
        lengths = ops.sum(ops.cast(ops.not_equal(source, PADDING), "int32"), axis=1)
        vectors = self.source_embedding(source)
        read = [
            encoder(vectors, lengths=lengths, training=training)[0] for encoder in self.encoders
        ]
        tops = self.encoders
        if self.upper_encoder:
            tops, joined = [self.upper_encoder], ops.concatenate(read, axis=-1)
            read = [self.upper_encoder(joined, lengths=lengths, training=training)[0]]
        last = ops.reshape(ops.maximum(lengths - 1, 0), (-1, 1, 1))
        ends = [
            y[:, 0] if top.recurrences[0].reverse else ops.take_along_axis(y, last, axis=1)[:, 0]
            for top, y in zip(tops, read, strict=True)
        ]
        context = ops.concatenate(ends, axis=-1)
        if not self.attends:
            parts = tf.split(self.bridge(context), self._part_sizes(), axis=-1)
            fresh = self.decoder.initial_state(ops.shape(context)[0])
            return {"context": context, "decoder": keras.tree.pack_sequence_as(fresh, parts)}
        values = self.dropout(ops.concatenate(read, axis=-1), training=training)
        memory = self.decoder.attention.remember(values, lengths)
        return self.decoder.start_from(memory, self.bridge(context))

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        return_alignments: bool = False,
        training: bool | None = None,
        targets: Tensor = None,
    ) -> Tensor:
        """Compute logits `[B, T, target_vocab_size]` of each next target token, teacher-forced.

        Args:
            inputs: `source` `[B, S]`, right-padded with 0, and `tokens` `[B, T]`, the target from
                `<start>` on.
            state: not used: a target starts from its source.
            reset: not used, likewise.
            return_state: also give the state after the last token.
            return_alignments: also give the alignments `[B, T, S]`, of a model that attends.
            training: whether dropout acts.
            targets: `[B, T]`, of a model that attends: give the `Scores` of these in place of
                logits.
        """
        state = self.encode(inputs["source"], training=training)
        vectors = self.target_embedding(inputs["tokens"])
        if self.attends:
            y, alignments, state = self.decoder(vectors, state, training=training)
            h = self.dropout(self._read(y, vectors), training=training)
            outputs = self._logits(h) if targets is None else self._scored(h, targets)
            if training and self.coverage:
                real = ops.not_equal(inputs["tokens"], PADDING)
                self.add_loss(self.coverage * coverage_loss(alignments, real))
        else:
            alignments = None
            outputs, state = self._through_context(vectors, state, training)
        results: tuple[Tensor, ...] = (outputs,)
        results += (alignments,) if return_alignments else ()
        results += (state,) if return_state else ()
        return results if len(results) > 1 else outputs

    def _through_context(
        self, vectors: Tensor, state: State, training: bool | None
    ) -> tuple[Tensor, Tensor]:
        """Compute the logits and the last state of target vectors `[B, T, embedding]`."""
        context = ops.repeat(state["context"][:, None], ops.shape(vectors)[1], axis=1)
        y, decoder = self.decoder(
            ops.concatenate([vectors, context], axis=-1),
            initial_state=state["decoder"],
            training=training,
        )
        # One product with the context for all steps.
        shared = self.context_head(self.dropout(state["context"][:, None], training=training))
        logits = self.head(self.dropout(y, training=training)) + shared
        return logits, {**state, "decoder": decoder}

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one target token `[B]`, and return logits of the next one, and the new state."""
        vector = self.target_embedding(x_t)
        if self.attends:
            y, state = self.decoder.step(vector, state)
            return self._logits(self._read(y, vector)), state
        x_t = ops.concatenate([vector, state["context"]], axis=-1)
        y, decoder = self.decoder.step(x_t, state["decoder"])
        logits = self.head(y) + self.context_head(state["context"])
        return logits, {**state, "decoder": decoder}

    def steps_from(
        self, state: State, width: int | Tensor = 1
    ) -> tuple[Callable[[Tensor, State], tuple[Tensor, State]], State]:
        """Return `step`, with the products of the context or the memory computed once."""
        if not self.attends:
            return self._steps_from_context(state, width)
        if not can_fold(self.decoder):
            return self.step, state
        kernel, bias = tf.transpose(self._cast(self._kernel())), self._cast(self.bias)
        own = reader = None
        if self.readout is not None:
            own, own_bias = self._cast(self.readout.kernel), self._cast(self.readout.bias)
            if not self.decoder.asks_after:
                below, size = self.decoder.query_size, self.decoder.memory_size
                own, reader, shown = tf.split(own, [below, size, own.shape[0] - below - size])
                own = tf.concat([own, shown], axis=0)
        folded = FoldedSteps(self.decoder, state.memory, width, reader)

        def step(x_t: Tensor, state: State) -> tuple[Tensor, State]:
            vector = self.target_embedding(x_t)
            h, seen, state = folded.step(vector, state)
            if own is not None:
                h = h if reader is None else tf.concat([h, vector], axis=-1)
                h = tf.matmul(h, own) + own_bias
                h = h if reader is None else h + seen
            return tf.matmul(h, kernel) + bias, state

        return step, state._replace(memory=())

    def _steps_from_context(self, state: State, width: int | Tensor) -> tuple[Callable, State]:
        context = tf.repeat(state["context"], width, axis=0)
        shared = tf.repeat(self.context_head(state["context"]), width, axis=0)

        def step(x_t: Tensor, state: State) -> tuple[Tensor, State]:
            vector = self.target_embedding(x_t)
            y, state = self.decoder.step(tf.concat([vector, context], axis=-1), state)
            return self.head(y) + shared, state

        return step, state["decoder"]

    def score(
        self, window: Window, state: State, training: bool = False, smoothing: float = 0.0
    ) -> tuple[Scores, State]:
        """Return what the answers are worth, of a model that attends without a large softmax."""
        if smoothing or not self.attends:
            return super().score(window, state, training, smoothing)
        return self(window["inputs"], training=training, targets=window["targets"]), state

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return rows of the second source token and the first target token."""
        source = np.ones((batch_size, time), "int32")
        return {"source": source, "tokens": np.zeros((batch_size, time), "int32")}

    def _read(self, y: Tensor, vectors: Tensor) -> Tensor:
        """Compute the inputs of the logits, from the decoder's outputs and the tokens before."""
        if self.readout is None:
            return y
        if not self.decoder.asks_after:
            y = ops.concatenate([y, vectors], axis=-1)
        return self.readout(y)

    def _kernel(self) -> Tensor:
        """Return the output weights, `[V, size]`."""
        return self.target_embedding.embeddings if self.tied else self.kernel

    def _cast(self, weight: Tensor) -> Tensor:
        return ops.cast(weight, self.compute_dtype)

    def _logits(self, h: Tensor) -> Tensor:
        return ops.matmul(h, ops.transpose(self._cast(self._kernel()))) + self._cast(self.bias)

    def _scored(self, h: Tensor, targets: Tensor) -> Scores:
        nll, right = cross_entropy(h, self._kernel().value, self.bias, targets)
        return Scores(nll, nll, right)

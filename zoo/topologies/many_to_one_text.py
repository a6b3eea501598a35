"""A text in, one output: its class."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo.layers.embedding import Embedding
from zoo.layers.ngrams import NgramSum
from zoo.layers.reading import PooledStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor
from zoo.utils.validation import check_shares


class TextState(NamedTuple):
    """The state of the recurrent layers, and of the n-grams beside them."""

    read: State
    ngrams: State


@register(
    "architecture",
    "many_to_one_text",
    topology="many_to_one",
    inputs="tokens",
    outputs="class",
    example={"units": 12, "embedding": 9, "vocab_size": 17, "ngrams": 3},
)
@keras.saving.register_keras_serializable("zoo")
class TextToOne(SequenceModel):
    """y = W pool(h_1, ..., h_T) + b, h_t = cell(E x_t, state_(t-1)): a text's tokens to its logits.

    Args:
        vocab_size: how many tokens there are; ids are 0..vocab_size - 1.
        classes: how many.
        embedding: size of a token's vector E x_t.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped before each recurrent layer and before the logits, in training; the
            same entries at all tokens of a text.
        word_dropout: share of the tokens that are `unknown` in training, so that it is learned what
            to make of a new one.
        bidirectional: read the text from both ends; it then has no steps, and no state is carried.
        pooling: "last" for the last output h_T; "mean", "max" or "attention" over all of them, see
            `zoo.layers.pooling`.
        ngrams: tokens of the longest n-gram that adds to the logits by itself, whatever the
            recurrent layers make of the text, see `zoo.layers.ngrams`; 0 for none. Few texts are
            told best by these.
        unknown: the id of all tokens that are not known.

    Attributes:
        weighs: whether `token_weights` has something to say.

    Raises:
        ValueError: `pooling` is none of these, or a number is out of its range.

    Example:
        >>> model = TextToOne(vocab_size=50, classes=3, cell="gru", units=16)
        >>> model(model.example_inputs(2)).shape
        TensorShape([2, 3])
    """

    steps_on = "tokens"

    def __init__(
        self,
        vocab_size: int = 100,
        classes: int = 2,
        embedding: int = 100,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.3,
        word_dropout: float = 0.0,
        bidirectional: bool = False,
        pooling: str = "last",
        ngrams: int = 0,
        unknown: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_shares(word_dropout=word_dropout)
        if ngrams < 0:
            raise ValueError(f"ngrams is {ngrams}, but 0 or more is needed")
        self.steppable = not bidirectional
        self.weighs = pooling == "attention"
        self.embedding = Embedding(vocab_size, embedding)
        self.word_dropout = keras.layers.Dropout(word_dropout)
        self.unknown = unknown
        self.reader = PooledStack(cell, units, layers, dropout, bidirectional, pooling)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(classes)
        self.ngrams = NgramSum(classes, ngrams) if ngrams else None
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state before anything is read; `()` of a bidirectional model."""
        read = self.reader.initial_state(batch_size)
        if not (self.ngrams and self.steppable):
            return read
        return TextState(read, self.ngrams.initial_state(batch_size))

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits `[B, classes]` of texts.

        Args:
            inputs: `tokens` `[B, T]`, int32, in 0..vocab_size - 1; and `lengths` `[B]`, 0..T: a
                row of 0 is answered from its state.
            state: as `initial_state` gives it; None for the start of a text.
            reset: `[B]` or `[B, T]`, true where a row starts a new text.
            return_state: also give the state after the last token.
            training: whether dropout acts.
        """
        tokens = inputs["tokens"]
        if training and self.word_dropout.rate:
            keep = self.word_dropout(ops.ones(ops.shape(tokens)), training=True) > 0
            tokens = ops.where(keep, tokens, self.unknown)
        before = self._parts(state)
        lengths = inputs["lengths"]
        vector, read = self.reader(
            self.embedding(tokens), before.read, lengths=lengths, reset=reset, training=training
        )
        logits = self.head(self.dropout(vector, training=training))
        counted: State = ()
        if self.ngrams:
            linear, counted = self.ngrams(tokens, before.ngrams, lengths=lengths, reset=reset)
            logits += linear
        return (logits, self._state(read, counted)) if return_state else logits

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one token `[B]`, and return the logits so far, and the new state."""
        before = self._parts(state)
        vector, read = self.reader.step(self.embedding(x_t), before.read)
        logits = self.head(vector)
        counted: State = ()
        if self.ngrams:
            linear, counted = self.ngrams.step(x_t, before.ngrams)
            logits += linear
        return logits, self._state(read, counted)

    def _parts(self, state: State) -> TextState:
        """Return the states of both parts; None where there is none."""
        return state if isinstance(state, TextState) else TextState(state, None)

    def _state(self, read: State, ngrams: State) -> State:
        """Return what both parts have to carry on."""
        return TextState(read, ngrams) if self.ngrams and self.steppable else read

    def token_weights(self, inputs: Tensor) -> Tensor:
        """Return how much each token counts `[B, T]`, with the pooling "attention"; rows sum to 1.

        Raises:
            ValueError: the pooling is another one.
        """
        lengths = ops.cast(inputs["lengths"], "int32")
        return self.reader.time_weights(self.embedding(inputs["tokens"]), lengths)

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return rows of the first token, of full length."""
        return {
            "tokens": np.zeros((batch_size, time), "int32"),
            "lengths": np.full(batch_size, time, "int32"),
        }

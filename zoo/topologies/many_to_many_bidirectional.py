"""A whole sentence in, a tag of each word out: taggers that read from both ends."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.layers.characters import CharacterEncoder
from zoo.layers.crf import Chain, LinearChain, viterbi
from zoo.layers.embedding import Embedding
from zoo.layers.stack import RecurrentStack, time_dropout
from zoo.registry import register
from zoo.topologies.base import Scores, SequenceModel, scores
from zoo.typing import State, Tensor, Window
from zoo.utils.validation import check_shares


@register(
    "architecture",
    "many_to_many_bidirectional",
    topology="many_to_many",
    inputs="words",
    outputs="tag of each word",
    example={"units": 12, "embedding": 9, "vocab_size": 17, "outputs": 5},
)
@keras.saving.register_keras_serializable("zoo")
class BidirectionalTagger(SequenceModel):
    """x_t = W [h→_t, h←_t] + b, h over [E w_t, characters(w_t)]: words in, logits of tags out.

    With `crf` a linear-chain conditional random field stands on these logits. It reads the whole
    sentence before its first answer, so that there are no steps.

    Args:
        vocab_size: how many words there are; ids are 0..vocab_size - 1, and 0 is padding.
        characters: how many characters there are, likewise.
        outputs: how many tags.
        embedding: size of a word's vector E w.
        character_embedding: size of a character's vector.
        character_filters: runs of characters of each width that are looked for, see
            `CharacterEncoder`; 0 for words alone.
        widths: of these runs.
        cell: name of the recurrent cell.
        units: size of each recurrent layer in each direction.
        layers: how many recurrent layers.
        dropout: share dropped before each recurrent layer and before the logits, in training.
        recurrent_dropout: share of h_(t-1) that a recurrence does not see, in training.
        word_dropout: share of the words that are `unknown` in training, so that it is learned what
            a new word may be from its characters and its neighbours.
        character_dropout: share of the characters of words that are `unknown` in training, so that
            a word is known by more than one run of them, also where one is written wrongly.
        variational: drop the same entries at all words of a sentence, else others at each.
        crf: whether tags are looked at as a whole.
        unknown: the id of all words, and of all characters, that are not known.

    Raises:
        ValueError: `layers` is less than 1.

    Example:
        >>> model = BidirectionalTagger(vocab_size=50, outputs=5, units=16, crf=True)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 5])

    Source: X. Ma and E. Hovy, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF",
    2016, arXiv:1603.01354; G. Lample et al., 2016, arXiv:1603.01360.
    """

    steppable = False
    steps_on = "words"

    def __init__(
        self,
        vocab_size: int = 100,
        characters: int = 50,
        outputs: int = 5,
        embedding: int = 100,
        character_embedding: int = 32,
        character_filters: int = 64,
        widths: Sequence[int] = (3,),
        cell: str = "lstm",
        units: int = 200,
        layers: int = 1,
        dropout: float = 0.5,
        recurrent_dropout: float = 0.0,
        word_dropout: float = 0.1,
        character_dropout: float = 0.0,
        variational: bool = True,
        crf: bool = False,
        unknown: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding = Embedding(vocab_size, embedding)
        self.encoder: Any = None
        if character_filters:
            self.encoder = CharacterEncoder(
                characters,
                character_embedding,
                character_filters,
                widths,
                character_dropout=character_dropout,
                unknown=unknown,
            )
        self.stack = RecurrentStack(
            cell, units, layers, dropout, False, variational, recurrent_dropout, bidirectional=True
        )
        self.dropout = time_dropout(dropout, variational)
        check_shares(word_dropout=word_dropout)
        self.word_dropout = keras.layers.Dropout(word_dropout)
        self.head = keras.layers.Dense(outputs, dtype="float32")
        self.crf: Any = LinearChain(outputs) if crf else None
        self.unknown = unknown
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return no state: a sentence is read whole."""
        return ()

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits `[B, T, outputs]`, whose softmax is each word's chance of each tag.

        With `crf` these are the logarithms of the marginals; past the end of a row they are 0.

        Args:
            inputs: `words` `[B, T]`, `characters` `[B, T, C]`, both right-padded with 0, and
                `lengths` `[B]`, 1..T.
            state: `()`.
            reset: not read: each row is a sentence.
            return_state: also give `()`.
            training: whether dropout acts.
        """
        logits = self.emissions(inputs, training)
        if self.crf:
            logits = self.crf(logits, lengths=inputs["lengths"])
        return (logits, ()) if return_state else logits

    def emissions(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Compute the logits of each word, `[B, T, outputs]`, without the `crf`."""
        words = tf.convert_to_tensor(inputs["words"])
        if training and self.word_dropout.rate:
            keep = self.word_dropout(tf.ones_like(words, self.compute_dtype), training=True)
            words = tf.where(keep > 0, words, self.unknown)
        x = self.embedding(words)
        if self.encoder is not None:
            x = tf.concat([x, self._spelt(inputs["characters"], training)], axis=-1)
        x, _ = self.stack(x, lengths=inputs["lengths"], training=training)
        return self.head(self.dropout(x, training=training))

    def tags(self, inputs: Tensor, chain: Chain | None = None) -> Tensor:
        """Return the best tags as a whole, int32 `[B, T]`, by Viterbi's algorithm.

        Args:
            inputs: as `call` takes them.
            chain: what is added to the worth of neighbours, such as `zoo.layers.crf.FORBIDDEN`.
        """
        logits = self.emissions(inputs)
        nothing = Chain(*[tf.zeros([]) for _ in Chain._fields])
        own = self.crf.chain if self.crf else nothing
        if not self.crf and chain is None:
            return tf.argmax(logits, axis=-1, output_type=tf.int32)
        added = chain or nothing
        return viterbi(logits, inputs["lengths"], Chain(*[a + b for a, b in zip(own, added)]))

    def score(
        self, window: Window, state: State, training: bool = False, smoothing: float = 0.0
    ) -> tuple[Scores, State]:
        """Return what the answers are worth; with `crf` a sentence's loss is shared by its words.

        Raises:
            UserError: a model with `crf` is trained with label smoothing.
        """
        inputs, targets = window["inputs"], window["targets"]
        logits = self.emissions(inputs, training)
        if not self.crf:
            return scores(logits, targets, smoothing), state
        if smoothing:
            raise UserError(f"label_smoothing is {smoothing}, but a model with crf needs 0")
        lengths = inputs["lengths"]
        whole = self.crf.negative_log_likelihood(logits, targets, lengths)
        each = (whole / tf.cast(lengths, tf.float32))[:, None] * tf.ones_like(window["weights"])
        right = viterbi(logits, lengths, self.crf.chain) == targets
        return Scores(each, each, tf.cast(right, tf.float32)), state

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return rows of the first word, each of as many characters as there are words."""
        return {
            "words": np.ones((batch_size, time), "int32"),
            "characters": np.ones((batch_size, time, time), "int32"),
            "lengths": np.full(batch_size, time, "int32"),
        }

    def _spelt(self, characters: Tensor, training: bool | None) -> Tensor:
        """Compute vectors `[B, T, F]` of spelt words `[B, T, C]`."""
        shape = tf.shape(characters)
        rows = tf.reshape(characters, (-1, characters.shape[-1] or shape[2]))
        vectors = self.encoder(rows, training=training)
        spelt = tf.reshape(vectors, (shape[0], shape[1], vectors.shape[-1]))
        spelt.set_shape([*characters.shape[:2], vectors.shape[-1]])
        return spelt

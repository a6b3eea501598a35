"""A word's vector from its characters."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.layers.embedding import Embedding
from zoo.typing import Shape, Tensor
from zoo.utils.validation import check_shares


@keras.saving.register_keras_serializable("zoo")
class CharacterEncoder(keras.layers.Layer):
    """max_t ReLU(W_w [E c_t, ..., E c_(t+w-1)] + b_w) for each width w, joined: what runs of
    characters a word has, wherever.

    Args:
        characters: how many there are; 0 is padding.
        embedding: size of a character's vector E c.
        filters: how many runs of each width are looked for.
        widths: how many characters a run has.
        dropout: share of the vectors' entries that is dropped in training.
        character_dropout: share of the characters that are `unknown` in training.
        unknown: the id of all characters that are not known.

    Example:
        >>> encoder = CharacterEncoder(30, filters=8, widths=(2, 3))
        >>> encoder(tf.constant([[5, 6, 7, 0], [8, 0, 0, 0]])).shape
        TensorShape([2, 16])

    Source: X. Ma and E. Hovy, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF",
    2016, arXiv:1603.01354, section 2.1, with one width there.
    """

    def __init__(
        self,
        characters: int,
        embedding: int = 32,
        filters: int = 64,
        widths: Sequence[int] = (3,),
        dropout: float = 0.0,
        character_dropout: float = 0.0,
        unknown: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.arguments = {
            "characters": characters,
            "embedding": embedding,
            "filters": filters,
            "widths": tuple(widths),
            "dropout": dropout,
            "character_dropout": character_dropout,
            "unknown": unknown,
        }
        check_shares(dropout=dropout, character_dropout=character_dropout)
        self.embedding = Embedding(characters, embedding)
        self.dropout = keras.layers.Dropout(dropout)
        self.character_dropout = keras.layers.Dropout(character_dropout)
        self.unknown = unknown
        self.convolutions = [
            keras.layers.Conv1D(filters, width, padding="same", activation="relu")
            for width in widths
        ]

    def build(self, input_shape: Shape) -> None:
        """Make the weights."""
        self.embedding.build(input_shape)
        for convolution in self.convolutions:
            convolution.build((*input_shape, self.embedding.output_dim))

    def call(self, ids: Tensor, training: bool | None = None) -> Tensor:
        """Characters `[N, C]`, right-padded with 0, to vectors `[N, filters * len(widths)]`."""
        if training and self.character_dropout.rate:
            keep = self.character_dropout(tf.ones_like(ids, self.compute_dtype), training=True)
            ids = tf.where((keep > 0) | (ids == 0), ids, self.unknown)
        inside = tf.cast(ids > 0, self.compute_dtype)[..., None]
        x = self.dropout(self.embedding(ids) * inside, training=training)
        # Features are not negative, so that padding at 0 is never the most.
        features = [tf.reduce_max(each(x) * inside, axis=1) for each in self.convolutions]
        return tf.concat(features, axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the vectors for characters of shape `[N, C]`."""
        return (input_shape[0], sum(each.filters for each in self.convolutions))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), **self.arguments}

"""One input, a sequence out: captions of an image."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.attending import AttendingStack, wide_start
from zoo.layers.attention import doubly_stochastic_loss
from zoo.layers.augmentation import RandomView
from zoo.layers.embedding import Embedding
from zoo.layers.images import image_encoder
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor

PADDING = 0
_MARKS = 4
"""Tokens that are no words: padding, an unknown one, start and end."""
_RARE = -4.0
"""The logit of a word, before anything is learned."""


@register(
    "architecture",
    "one_to_many",
    topology="one_to_many",
    inputs="image",
    outputs="tokens",
    example={
        "units": 12,
        "features": 10,
        "embedding": 9,
        "filters": (4, 6),
        "vocab_size": 17,
        "image_shape": (12, 12, 3),
    },
)
@keras.saving.register_keras_serializable("zoo")
class OneToMany(SequenceModel):
    """v = encoder(image); h_t = cell((E w_(t-1), v), state_(t-1)); y_t = W h_t + b, w_0 = <start>.

    Convolutions, a flattening and a dense layer make the vector v, which enters the recurrent
    layer together with `<start>` and, unless `image_input` is "first", with every later word.
    With "gated", the output layer also looks at v itself, through a gate that h_t opens (as Xu et
    al. 2015, arXiv:1502.03044, gate what they show): y_t = W (h_t, g_t * v) + b with
    g_t = sigmoid(U h_t + a).

    With `attention`, nothing is flattened: each step looks at the places of a grid, a_i = V m_i +
    p_i, m_i being the convolutions' maps at place i and p_i a vector of the place, which tells
    where it is; see `AttendingStack` and Xu et al. (2015). Their mean starts the recurrent layer,
    and y_t = W r_t + b with r_t = U (h_t, c_t, E w_(t-1)).

    Args:
        vocab_size: how many words there are, `<start>` and `<end>` among them; id 0 is padding.
        image_shape: height, width, channels; with "none" also the size of a vector, alone.
        encoder: "linear", "mlp" or "cnn", see `zoo.layers.images`; "none" for images that another
            network has seen, whose means over all places are taken. Attention needs "cnn" or
            "none".
        filters: channels of each block of the "cnn".
        features: size of the dense layer of "mlp" and "cnn", and of a_i.
        embedding: size of a word's vector.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped around v, before each recurrent layer and before the logits.
        image_input: "first" shows v with `<start>` only; "every" at every step; "gated" at every
            step and to the output layer. Of no meaning with attention.
        attention: "none", or a kind of `zoo.layers.attention.Attention`.
        attention_units: what queries and keys are projected to; 0 for `units`.
        doubly_stochastic: weight of the loss, in training, of a caption that does not look at each
            place once, see `doubly_stochastic_loss`.
        augment: how differently images are seen each time in training, see `RandomView`; 0..1, 0
            for always the same.
        flip: whether half of the images are mirrored in training.
        naming: weight of the loss, in training, of a layer that names each word of an image's
            captions from the encoder alone, which then learns what to look for sooner (Fang et al.
            2015, arXiv:1411.4952); 0 for no such layer.

    Raises:
        ValueError: `image_input` is none of these, the attention is unknown, or the encoder does
            not go with the rest.

    Example:
        >>> model = OneToMany(vocab_size=30, image_shape=(16, 16, 3), units=16)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 30])
    """

    condition = "image"
    steps_on = "tokens"
    compiled_steps = True

    def __init__(
        self,
        vocab_size: int = 100,
        image_shape: Sequence[int] = (64, 64, 3),
        encoder: str = "cnn",
        filters: Sequence[int] = (16, 48, 96),
        features: int = 256,
        embedding: int = 64,
        cell: str = "lstm",
        units: int = 256,
        layers: int = 1,
        dropout: float = 0.0,
        image_input: str = "gated",
        attention: str = "none",
        attention_units: int = 0,
        doubly_stochastic: float = 1.0,
        augment: float = 0.0,
        flip: bool = False,
        naming: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if image_input not in ("first", "every", "gated"):
            raise ValueError(f"image_input is {image_input!r}, but first, every or gated is needed")
        if encoder == "none" and (augment or flip):
            raise ValueError("what another network has seen cannot be seen differently: no augment")
        self.image_shape = tuple(image_shape)
        self.image_input = image_input
        self.attends, self.doubly_stochastic = attention != "none", doubly_stochastic
        self.view = RandomView(augment, flip) if augment or flip else None
        start = wide_start() if self.attends else "uniform"
        self.embedding = Embedding(vocab_size, embedding, start)
        self.dropout = keras.layers.Dropout(dropout, noise_shape=(None, 1, None))
        if self.attends:
            self._make_grid(encoder, filters, features)
            self.stack: Any = AttendingStack(
                cell,
                units,
                features,
                layers,
                kind=attention,
                attention_units=attention_units,
                dropout=dropout,
                gated=True,
            )
            self.readout = keras.layers.Dense(embedding)
            self.bridge = keras.layers.Dense(sum(self.stack.part_sizes), activation="tanh")
        else:
            encoder = "pooled" if encoder == "none" else encoder
            self.encoder = image_encoder(encoder, image_shape, filters, features, dropout)
            self.v_size = self.encoder.output_shape[-1]
            self.stack = RecurrentStack(cell, units, layers, dropout)
            if image_input == "gated":
                self.gate = keras.layers.Dense(self.v_size, activation="sigmoid")
        self.head = keras.layers.Dense(vocab_size)
        self.naming = naming
        self.namer: Any = self._make_namer(vocab_size) if naming else None
        self._finish()

    def _make_grid(self, encoder: str, filters: Sequence[int], features: int) -> None:
        """Make the layers that compute the values a_i of the places of an image."""
        if encoder not in ("cnn", "none"):
            raise ValueError(f"encoder is {encoder!r}, but attention needs cnn or none")
        self.encoder, shape = None, self.image_shape
        if encoder == "cnn":
            self.encoder = image_encoder("maps", shape, filters, features)
            shape = self.encoder.output_shape[1:]
        self.places = math.prod(shape[:-1])
        self.place_vectors = self.add_weight(
            name="place_vectors",
            shape=(self.places, features),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
        )
        self.values = keras.layers.Dense(features)

    def _make_namer(self, vocab_size: int) -> keras.layers.Layer:
        """Return the layer that names words, which is called in training only."""
        # Most words are not of an image.
        rare = keras.initializers.Constant(_RARE)
        namer = keras.layers.Dense(vocab_size, bias_initializer=rare, name="namer")
        shape = self.encoder.output_shape if self.encoder else self.image_shape
        namer.build((None, shape[-1]))
        return namer

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state for an image whose v is zero; `encode` gives that of a real one."""
        if self.attends:
            return self.stack.initial_state(batch_size)
        v = ops.zeros((batch_size, self.v_size), self.compute_dtype)
        return {"v": v, "stack": self.stack.initial_state(batch_size)}

    def encode(self, inputs: Tensor, training: bool | None = None) -> State:
        """Return the state before `<start>` for images `[B, h, w, c]`, values 0..255."""
        return self._start(self._seen(inputs, training))

    def _seen(self, images: Tensor, training: bool | None) -> Tensor:
        """Return vectors `[B, size]` of images, or with attention places `[B, S, features]`."""
        return self._placed(self._encoded(images, training), training)

    def _encoded(self, images: Tensor, training: bool | None) -> Tensor:
        """Return what the encoder makes of images: vectors, or maps `[B, S, channels]`."""
        if self.view:
            images = self.view(images, training=training)
        if not self.attends:
            return self.encoder(images, training=training)
        maps = self.encoder(images, training=training) if self.encoder else images
        return ops.reshape(ops.cast(maps, self.compute_dtype), (-1, self.places, maps.shape[-1]))

    def _placed(self, encoded: Tensor, training: bool | None) -> Tensor:
        """Return vectors as they are, or the places of maps."""
        if not self.attends:
            return encoded
        places = self.values(encoded) + ops.cast(self.place_vectors, self.compute_dtype)
        return self.dropout(places, training=training)

    def _name(self, encoded: Tensor, tokens: Tensor) -> None:
        """Add the loss of naming the words of captions from the means of maps, or from vectors."""
        means = ops.mean(encoded, axis=1, keepdims=True) if self.attends else encoded[:, None]
        logits = ops.cast(self.namer(self.dropout(means, training=True)[:, 0]), "float32")
        there = ops.max(ops.one_hot(tokens, self.namer.units), axis=1)
        # -log sigmoid(x) of a word that is there, -log sigmoid(-x) of any other.
        loss = ops.softplus(logits) - there * logits
        self.add_loss(self.naming * ops.mean(ops.sum(loss[:, _MARKS:], axis=1)))

    def _start(self, seen: Tensor) -> State:
        """Return the state before `<start>`."""
        if not self.attends:
            return {"v": seen, "stack": self.stack.initial_state(ops.shape(seen)[0])}
        memory = self.stack.attention.remember(seen)
        return self.stack.start_from(memory, self.bridge(ops.mean(seen, axis=1)))

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        return_alignments: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits `[B, T, vocab_size]` of each next word, with teacher forcing.

        Args:
            inputs: `image` `[B, h, w, c]`, values 0..255, and `tokens` `[B, T]`, the caption from
                `<start>` on; or `[B, k, T]`, k captions of each image, which then is encoded
                once. The logits are `[B, k, T, vocab_size]`, and the state has B k rows.
            state: not used: a caption starts from its image.
            reset: not used, likewise.
            return_state: also give the state after the last word.
            return_alignments: also give how much each word looked at each place, `[B, T, S]`, or
                `[B, k, T, S]`, places row by row; of a model that attends.
            training: whether dropout acts, and images are seen differently.
        """
        tokens = inputs["tokens"]
        shape = ops.shape(tokens)
        encoded = self._encoded(inputs["image"], training)
        if training and self.namer is not None:
            self._name(encoded, ops.reshape(tokens, (ops.shape(encoded)[0], -1)))
        seen = self._placed(encoded, training)
        if len(shape) == 3:
            seen = ops.repeat(seen, shape[1], axis=0)
        state = self._start(seen)
        tokens = ops.reshape(tokens, (-1, shape[-1]))
        words = self.embedding(tokens)
        alignments: Tensor = None
        if self.attends:
            y, alignments, state = self.stack(words, state, training=training)
            logits = self.head(self.dropout(self._read(y, words), training=training))
            if training and self.doubly_stochastic:
                lost = doubly_stochastic_loss(alignments, ops.not_equal(tokens, PADDING))
                self.add_loss(self.doubly_stochastic * lost)
            alignments = ops.reshape(alignments, (*shape, self.places))
        else:
            logits, state = self._through_vector(words, state, training)
        results: tuple[Tensor, ...] = (ops.reshape(logits, (*shape, logits.shape[-1])),)
        results += (alignments,) if return_alignments else ()
        results += (state,) if return_state else ()
        return results if len(results) > 1 else results[0]

    def _through_vector(
        self, words: Tensor, state: State, training: bool | None
    ) -> tuple[Tensor, Tensor]:
        """Compute the logits and the last state of word vectors `[B, T, embedding]`."""
        shown = ops.repeat(state["v"][:, None], ops.shape(words)[1], axis=1)
        if self.image_input == "first":
            first = ops.arange(ops.shape(words)[1])[None, :, None] == 0
            shown = ops.where(first, shown, ops.zeros_like(shown))
            state = {**state, "v": ops.zeros_like(state["v"])}
        y, final = self.stack(
            ops.concatenate([words, shown], axis=-1),
            initial_state=state["stack"],
            training=training,
        )
        logits = self._logits(self.dropout(y, training=training), shown)
        return logits, {**state, "stack": final}

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one word `[B]`; return logits `[B, vocab_size]` of the next, and the new state."""
        word = self.embedding(x_t)
        if self.attends:
            y, state = self.stack.step(word, state)
            return self.head(self._read(y, word)), state
        y, stack = self.stack.step(ops.concatenate([word, state["v"]], axis=-1), state["stack"])
        v = ops.zeros_like(state["v"]) if self.image_input == "first" else state["v"]
        return self._logits(y, state["v"]), {"v": v, "stack": stack}

    def _read(self, y: Tensor, words: Tensor) -> Tensor:
        """Compute the inputs of the logits, from the layer's outputs and the words before."""
        return self.readout(ops.concatenate([y, words], axis=-1))

    def _logits(self, h: Tensor, v: Tensor) -> Tensor:
        if self.image_input == "gated":
            h = ops.concatenate([h, self.gate(h) * v], axis=-1)
        return self.head(h)

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey images with rows of the first word."""
        dtype = "uint8" if len(self.image_shape) == 3 else "float32"
        image = np.full((batch_size, *self.image_shape), 128, dtype)
        return {"image": image, "tokens": np.zeros((batch_size, time), "int32")}

"""One input, a sequence out: captions of an image."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.layers.images import image_encoder
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel


@register("topology", "one_to_many", inputs="image", outputs="tokens")
@keras.saving.register_keras_serializable("zoo")
class OneToMany(SequenceModel):
    """v = encoder(image); h_t = cell((E w_(t-1), v), state_(t-1)); y_t = W h_t + b, w_0 = <start>.

    Convolutions, a flattening and a dense layer make the vector v, which enters the recurrent
    layer together with `<start>` and, unless `image_input` is "first", with every later word.
    With "gated", the output layer also looks at v itself, through a gate that h_t opens (as Xu et
    al. 2015, arXiv:1502.03044, gate what they show): y_t = W (h_t, g_t * v) + b with
    g_t = sigmoid(U h_t + a).

    Args:
        vocab_size: how many words there are, `<start>` and `<end>` among them.
        image_shape: height, width, channels.
        encoder: "linear", "mlp" or "cnn", see `zoo.layers.images`; "none" for images that another
            network has seen, whose means over all places are taken.
        filters: channels of each block of the "cnn".
        features: size of the dense layer of "mlp" and "cnn".
        embedding: size of a word's vector.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped around v, before each recurrent layer and before the logits.
        image_input: "first" shows v with `<start>` only; "every" at every step; "gated" at every
            step and to the output layer.

    Raises:
        ValueError: `image_input` is none of these.

    Example:
        >>> model = OneToMany(vocab_size=30, image_shape=(16, 16, 3), units=16)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 30])
    """

    condition = "image"

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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if image_input not in ("first", "every", "gated"):
            raise ValueError(f"image_input is {image_input!r}, but first, every or gated is needed")
        self.image_shape = tuple(image_shape)
        self.image_input = image_input
        encoder = "pooled" if encoder == "none" else encoder
        self.encoder = image_encoder(encoder, image_shape, filters, features, dropout)
        self.v_size = self.encoder.output_shape[-1]
        self.embedding = keras.layers.Embedding(vocab_size, embedding)
        self.stack = RecurrentStack(cell, units, layers, dropout)
        self.dropout = keras.layers.Dropout(dropout, noise_shape=(None, 1, None))
        if image_input == "gated":
            self.gate = keras.layers.Dense(self.v_size, activation="sigmoid")
        self.head = keras.layers.Dense(vocab_size)
        self._finish()

    def initial_state(self, batch_size: Any) -> Any:
        """The state for an image whose v is zero; `encode` gives that of a real one."""
        v = ops.zeros((batch_size, self.v_size), self.compute_dtype)
        return {"v": v, "stack": self.stack.initial_state(batch_size)}

    def encode(self, inputs: Any, training: bool | None = None) -> Any:
        """The state before `<start>` for images `[B, h, w, c]`, values 0..255."""
        return self._start(self.encoder(inputs, training=training))

    def _start(self, v: Any) -> Any:
        return {"v": v, "stack": self.stack.initial_state(ops.shape(v)[0])}

    def call(
        self,
        inputs: Any,
        state: Any = None,
        reset: Any = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Any:
        """Teacher forcing: logits `[B, T, vocab_size]` of each next word.

        Args:
            inputs: `image` `[B, h, w, c]`, values 0..255, and `tokens` `[B, T]`, the caption from
                `<start>` on; or `[B, k, T]`, k captions of each image, which then is encoded
                once. The logits are `[B, k, T, vocab_size]`, and the state has B k rows.
            state: not used: a caption starts from its image.
            reset: not used, likewise.
            return_state: also give the state after the last word.
            training: whether dropout acts.
        """
        v = self.encoder(inputs["image"], training=training)
        tokens = inputs["tokens"]
        shape = ops.shape(tokens)
        if len(shape) == 3:
            v = ops.repeat(v, shape[1], axis=0)
        state = self._start(v)
        words = self.embedding(ops.reshape(tokens, (-1, shape[-1])))
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
        logits = ops.reshape(logits, (*shape, logits.shape[-1]))
        return (logits, {**state, "stack": final}) if return_state else logits

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """One word `[B]`: logits `[B, vocab_size]` of the next one, and the new state."""
        y, stack = self.stack.step(
            ops.concatenate([self.embedding(x_t), state["v"]], axis=-1), state["stack"]
        )
        v = ops.zeros_like(state["v"]) if self.image_input == "first" else state["v"]
        return self._logits(y, state["v"]), {"v": v, "stack": stack}

    def _logits(self, h: Any, v: Any) -> Any:
        if self.image_input == "gated":
            h = ops.concatenate([h, self.gate(h) * v], axis=-1)
        return self.head(h)

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Grey images with rows of the first word."""
        image = np.full((batch_size, *self.image_shape), 128, "uint8")
        return {"image": image, "tokens": np.zeros((batch_size, time), "int32")}

"""One input, one output: classification of an image."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.layers.images import image_encoder
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor


@register(
    "architecture",
    "one_to_one",
    topology="one_to_one",
    inputs="image",
    outputs="class",
    example={"units": 12, "filters": (4, 6), "image_shape": (12, 12, 3)},
)
@keras.saving.register_keras_serializable("zoo")
class OneToOne(SequenceModel):
    """y = W encoder(x) + b: one image in, the logits of its classes out.

    Args:
        classes: how many.
        image_shape: height, width, channels.
        encoder: "linear", "mlp" or "cnn", see `zoo.layers.images`.
        filters: channels of each block of the "cnn".
        units: size of the dense layer of "mlp" and "cnn".
        dropout: share dropped around that layer in training.

    Example:
        >>> model = OneToOne(classes=10, image_shape=(8, 8, 1))
        >>> model(model.example_inputs(3)).shape
        TensorShape([3, 10])
    """

    recurrent = False
    steps_on = "image"

    def __init__(
        self,
        classes: int = 10,
        image_shape: Sequence[int] = (8, 8, 1),
        encoder: str = "cnn",
        filters: Sequence[int] = (32, 64),
        units: int = 128,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.encoder = image_encoder(encoder, image_shape, filters, units, dropout)
        self.head = keras.layers.Dense(classes)
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> tuple[()]:
        """Return no state: there is no time."""
        return ()

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits `[B, classes]` of images `[B, h, w, c]`, values 0..255."""
        logits = self.head(self.encoder(inputs, training=training))
        return (logits, ()) if return_state else logits

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey images."""
        return np.full((batch_size, *self.image_shape), 128, "uint8")

"""What models of glimpses have in common: a retina, and a path over a picture."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.glimpses import box_filters, gaussian_filters, read_window
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor


class Looking(NamedTuple):
    """What stands between two glimpses.

    Attributes:
        image: what is looked at, `[B, h, w, C]`, 0..1.
        core: the state of the recurrent layers.
        place: where the model looks next, `[B, 2]`: row and column, each from -1 to 1.
    """

    image: Tensor
    core: State
    place: Tensor


class Path(NamedTuple):
    """How a model looked at pictures, T glimpses of each.

    Attributes:
        logits: after each glimpse, `[B, T, classes]`.
        places: of the glimpses, `[B, T, 2]`.
        means: where the model meant to look in the last M of the glimpses, `[B, M, 2]`; with noise,
            the places lie around these. The places before them are fixed.
        baselines: what it expected its reward to be before each of the M, `[B, M]`.
    """

    logits: Tensor
    places: Tensor
    means: Tensor
    baselines: Tensor


class Seen(NamedTuple):
    """What recurrent layers make of glimpses: of one `[B, ...]`, of all of them `[B, T, ...]`.

    Attributes:
        named: what the logits are of.
        guides: what the next place, and the reward that is expected of it, are of.
        core: the state afterwards.
    """

    named: Tensor
    guides: Tensor
    core: State


class LookingModel(SequenceModel):
    """A model that looks at a picture where it wants to, and names what it saw.

    A glimpse is a retina: squares of pixels around a place, each twice as wide as the one before
    and of as few pixels, so that it is sharp in the middle only. Called with pictures alone, the
    model looks where it means to, without chance.

    With `attention` "hard" the retina averages over boxes, and no gradient goes through a place:
    where to look is learned from reward alone, see `zoo.training.objectives.reinforce`. With
    "gaussian" the retina weighs with Gaussians, through which the gradient goes.

    A subclass makes its layers between `_set_retina` and `_finish`, and says by `_begin`,
    `_glimpse`, `_advance` and `_run` what they do.

    Attributes:
        labels: S, how many labels of a picture are named.
        glimpses: N, looks before each of them.
        hard: whether attention is.
        sizes: pixels that each square of the retina is wide.
        fixed: glimpses at the beginning whose place the model does not choose: 0 or 1.
        dropout, head, locator, baseline: layers; the last is None where attention is not hard.
    """

    condition = "image"
    steps_on = "places"
    labels = 1
    fixed = 1
    dropout: Any
    head: Any
    locator: Any
    baseline: Any

    def _set_retina(
        self,
        image_shape: Sequence[int],
        glimpses: int,
        glimpse_size: int,
        scales: int,
        attention: str,
    ) -> None:
        """Check and note what the retina is like.

        Raises:
            ValueError: there is no such attention, or nothing to look at or with.
        """
        if attention not in ("hard", "gaussian"):
            raise ValueError(f"attention is {attention!r}, but hard or gaussian is needed")
        for name, value in [("glimpses", glimpses), ("scales", scales)]:
            if value < 1:
                raise ValueError(f"{name} is {value}, but at least 1 is needed")
        if glimpse_size < 1:
            raise ValueError(f"glimpse_size is {glimpse_size}, but at least 1 is needed")
        self.image_shape, self.glimpses = tuple(image_shape), glimpses
        self.glimpse_size, self.hard = glimpse_size, attention == "hard"
        self.sizes = [float(glimpse_size * 2**scale) for scale in range(scales)]

    def _make_locator(self, units: int, size: int) -> None:
        """Make the layers that say where to look next, and what to expect of it.

        Args:
            units: of the locator's hidden layer.
            size: of what `Seen.guides` is.
        """
        # The first glimpses are near the middle, from where each way is as far.
        near = keras.initializers.RandomNormal(stddev=0.01)
        self.locator = keras.Sequential(
            [
                keras.layers.Dense(units, activation="relu", dtype="float32"),
                keras.layers.Dense(2, activation="tanh", kernel_initializer=near, dtype="float32"),
            ]
        )
        self.baseline = keras.layers.Dense(1, dtype="float32") if self.hard else None
        # Where places are given, nobody asks for the next one.
        for layer in filter(None, (self.locator, self.baseline)):
            layer.build((None, size))

    @property
    def looks(self) -> int:
        """Return T, how often a picture is looked at."""
        return self.labels * self.glimpses

    @property
    def chosen(self) -> int:
        """Return M, how many of the places the model chooses."""
        return self.looks - self.fixed

    def readers(self) -> "list[LookingModel]":
        """Return the networks that look at a picture, each along a path of its own; here, one.

        It is no property: Keras would follow it from a model to itself without an end.
        """
        return [self]

    def in_order_of(self, reader: int, labels: Tensor) -> Tensor:
        """Return the labels of pictures in the order in which a reader names them."""
        return labels

    @property
    def locating(self) -> list[keras.Variable]:
        """Return the weights that only say where to look, which reward alone moves."""
        return self.locator.trainable_variables

    @abc.abstractmethod
    def _begin(self, images: Tensor, training: bool | None) -> tuple[Looking, Tensor]:
        """Return the state before the first glimpse, and what guides it, `[B, H]`; see `encode`."""

    @abc.abstractmethod
    def _glimpse(self, image: Tensor, place: Tensor, training: bool | None) -> Tensor:
        """Return g `[B, G]` of images 0..1 at places `[B, 2]`."""

    @abc.abstractmethod
    def _advance(self, g: Tensor, core: State) -> Seen:
        """Run the recurrent layers over one glimpse `[B, G]`."""

    @abc.abstractmethod
    def _run(self, g: Tensor, core: State) -> Seen:
        """Run the recurrent layers over glimpses `[B, T, G]`."""

    def _logits(self, named: Tensor) -> Tensor:
        """Return the logits `[..., classes]` of what the recurrent layers named, `[..., H]`."""
        return self.head(named)

    def encode(self, inputs: Tensor, training: bool | None = None) -> Looking:
        """Return the state before the first glimpse of images `[B, h, w, C]`, values 0..255."""
        return self._begin(inputs, training)[0]

    def step(self, x_t: Tensor, state: Looking) -> tuple[Tensor, Looking]:
        """Look once: at places `[B, 2]`; return logits `[B, classes]`, and the new state.

        The new state's `place` is where the model would look next.
        """
        seen, state = self._look(x_t, state)
        return self._logits(seen.named), state

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits: of images those of `answers`; with places each, `[B, T, classes]`.

        Args:
            inputs: images `[B, h, w, C]`, values 0..255; or a dict of these, `image`, and of
                `places` `[B, T, 2]` to look at.
            state: not used: looking starts from the image.
            reset: not used, likewise.
            return_state: also give the state after the last glimpse.
            training: whether dropout acts.
        """
        if not isinstance(inputs, Mapping):
            path, state = self._follow(inputs, None, training)
            logits = self.answers(path.logits)
            return (logits, state) if return_state else logits
        places = inputs["places"]
        state, _ = self._begin(inputs["image"], training)
        time = tf.shape(places)[1]
        images = tf.repeat(state.image, time, axis=0)
        g = self._glimpse(images, tf.reshape(places, [-1, 2]), training)
        seen = self._run(tf.reshape(g, [-1, time, g.shape[-1]]), state.core)
        logits = self._logits(self.dropout(seen.named, training=training))
        if not return_state:
            return logits
        return logits, Looking(state.image, seen.core, self.locator(seen.guides[:, -1]))

    def follow(self, images: Tensor, noise: Tensor = None, training: bool | None = None) -> Path:
        """Look at images `[B, h, w, C]`, values 0..255, where the model itself wants to.

        Args:
            images: what to look at.
            noise: `[B, M, 2]`, added to the places that are chosen; None for none.
            training: whether dropout acts.
        """
        return self._follow(images, noise, training)[0]

    def _follow(self, images: Tensor, noise: Tensor, training: bool | None) -> tuple[Path, Looking]:
        state, guides = self._begin(images, training)
        outputs, places, means, baselines = [], [], [], []
        for t in range(self.looks):
            if t >= self.fixed:
                means.append(state.place)
                if self.baseline:
                    baselines.append(self.baseline(tf.stop_gradient(guides))[:, 0])
                place = state.place if noise is None else state.place + noise[:, t - self.fixed]
                # What is drawn is a constant of the density that it was drawn from.
                state = state._replace(place=tf.stop_gradient(place) if self.hard else place)
            places.append(state.place)
            seen, state = self._look(state.place, state, training)
            outputs.append(seen.named)
            guides = seen.guides
        y = self.dropout(tf.stack(outputs, axis=1), training=training)
        none = tf.zeros([tf.shape(images)[0], 0])
        return (
            Path(
                self._logits(y),
                tf.stack(places, axis=1),
                tf.stack(means, axis=1) if means else none[..., None] + tf.zeros([2]),
                tf.stack(baselines, axis=1) if baselines else none,
            ),
            state,
        )

    def _look(
        self, place: Tensor, state: Looking, training: bool | None = None
    ) -> tuple[Seen, Looking]:
        """Return what is made of a glimpse, and the state with the place of the next."""
        seen = self._advance(self._glimpse(state.image, place, training), state.core)
        return seen, Looking(state.image, seen.core, self.locator(seen.guides))

    def labelled(self, logits: Tensor) -> Tensor:
        """Return of logits after each glimpse `[B, T, classes]` those of labels, `[B, S, classes]`.

        They are those after each N glimpses.
        """
        return logits[:, self.glimpses - 1 :: self.glimpses]

    def answers(self, logits: Tensor) -> Tensor:
        """Return of logits after each glimpse what the model answers; here, `labelled`."""
        return self.labelled(logits)

    def flat_windows(self, image: Tensor, place: Tensor) -> Tensor:
        """Return all that a retina sees of images 0..1 at places `[B, 2]`, as `[B, numbers]`."""
        windows = self.retina(image, place)
        count = self.glimpse_size**2 * self.image_shape[2] * len(self.sizes)
        return tf.reshape(tf.stack(windows, axis=1), [-1, count])

    def retina(self, image: Tensor, place: Tensor) -> list[Tensor]:
        """Return what is seen of images `[B, h, w, C]` at places `[B, 2]`, the sharpest first.

        Each is `[B, glimpse_size, glimpse_size, C]`, of as many pixels as `sizes` says.
        """
        height, width, _ = self.image_shape
        y, x = (place[:, 0] + 1) / 2 * height, (place[:, 1] + 1) / 2 * width
        return [
            read_window(image, self._filters(y, size, height), self._filters(x, size, width))
            for size in self.sizes
        ]

    def _filters(self, centre: Tensor, size: float, length: int) -> Tensor:
        count = self.glimpse_size
        if self.hard:
            return box_filters(centre, size, count, length)
        stride = size / count
        return gaussian_filters(centre, stride, stride / 2, count, length)

    def named_inputs(self, inputs: Any) -> dict[str, Any]:
        """Return inputs by name; with images alone, the places that the model looks at."""
        if isinstance(inputs, Mapping):
            return dict(inputs)
        return {"image": inputs, "places": self.follow(inputs).places}

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey images, looked at in their middle."""
        image = np.full((batch_size, *self.image_shape), 128, "uint8")
        return {"image": image, "places": np.zeros((batch_size, time, 2), "float32")}

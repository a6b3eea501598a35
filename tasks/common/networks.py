"""Networks of `keras.applications` that look at the images, with weights that the user has."""

import inspect
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tasks.common.cache import cached_rows, file_key
from tasks.common.sources import whole_path
from zoo.errors import UserError
from zoo.registry import unknown

SIDE = 224
"""Height and width of images for a network, if nothing else is said."""
_SEEN = 32


class Clock:
    """Tells in how many minutes something was done, if it was."""

    def __init__(self) -> None:
        self._began: float | None = None

    def start(self) -> None:
        """Count from the first call on."""
        self._began = self._began or time.monotonic()

    def tell(self, done: str) -> None:
        """Print what was done, and in which time."""
        if self._began is not None:
            minutes = (time.monotonic() - self._began) / 60
            print(f"{done}, in {minutes:.1f} minutes: what it saw is kept", file=sys.stderr)


class Network:
    """The last convolution of a network that was trained elsewhere; it is not trained further.

    Args:
        name: of a function in `keras.applications`, such as "MobileNetV2".
        weights: a file of its weights (`.h5`, `.weights.h5`), with or without the layers on top,
            or of the whole model (`.keras`). Nothing is downloaded.
        image_shape: height, width, 3.

    Attributes:
        name: its name.
        weights: the whole path of their file.
        shape: rows, columns and channels of the features.

    Raises:
        UserError: there is no such network or file, or the weights are of another network.
    """

    def __init__(self, name: str, weights: str, image_shape: Sequence[int]) -> None:
        builder = _builder(name)
        if not weights:
            raise UserError(
                f"{name} needs its weights: download them where there is a network, and give "
                "their file with --set weights=FILE"
            )
        path = Path(whole_path(weights) or "")
        if not path.is_file():
            raise UserError(f"there is no file {weights} with the weights of {name}")
        if tuple(image_shape[2:]) != (3,):
            raise UserError(f"{name} takes images of 3 channels, but these have {image_shape[2]}")
        self.name, self.weights = name, str(path)
        self._preprocess = sys.modules[builder.__module__].preprocess_input
        self._model = _load(builder, name, path, tuple(image_shape))
        self.shape = list(self._model.output_shape[1:])
        images = tf.TensorSpec([None, *image_shape], tf.uint8)
        self._see = tf.function(self.features, input_signature=[images], autograph=False)
        self._look_over = tf.function(self.vectors, input_signature=[images], autograph=False)

    def features(self, images: Any) -> Any:
        """Compute features `[N, *shape]`, float32, of images `[N, h, w, 3]`, values 0..255."""
        return self._model(self._preprocess(tf.cast(images, tf.float32)), training=False)

    def cached(
        self,
        images: np.ndarray,
        key: Sequence[Any],
        title: str,
        data_dir: str | None = None,
    ) -> np.ndarray:
        """Return the features of images, float16, computed once and kept on disk.

        Args:
            images: `[N, h, w, 3]`, values 0..255.
            key: what decides which images these are, see `tasks.common.cache.cached_array`.
            title: what they are, for the message that says how long it took.
            data_dir: folder of prepared data sets.

        Raises:
            UserError: the folder cannot be written, or the disk is full.
        """
        clock = Clock()

        def rows() -> Iterator[np.ndarray]:
            clock.start()
            for start in range(0, len(images), _SEEN):
                yield from self._see(images[start : start + _SEEN]).numpy()

        features = cached_rows(
            ["features", *self.key, *key],
            (len(images), *self.shape),
            "float16",
            rows,
            f"{self.name} looks at {title}",
            data_dir,
        ).array
        clock.tell(f"{self.name} has looked at {title}, {len(images)} images")
        return features

    @property
    def key(self) -> list[Any]:
        """Return what decides what it sees in an image, for the key of a cache."""
        return [self.name, file_key([Path(self.weights)])]

    def vectors(self, images: Any) -> Any:
        """Compute the means of the features over all places, `[N, channels]`, float32."""
        return tf.reduce_mean(self.features(images), axis=list(range(1, len(self.shape))))

    def vectors_of(self, images: np.ndarray) -> np.ndarray:
        """Return `vectors` of images `[N, h, w, 3]`, uint8, a few at a time, as float16."""
        parts = range(0, len(images), _SEEN)
        seen = [self._look_over(images[start : start + _SEEN]).numpy() for start in parts]
        return np.concatenate(seen).astype("float16")

    def variables(self) -> list[Any]:
        """Return plain variables of TensorFlow's, for an export to keep alive."""
        return [variable.value for variable in self._model.variables]


def open_network(name: str, weights: str, image_shape: Sequence[int]) -> Network | None:
    """Return the network that two options of a task name; None where neither is set.

    Raises:
        UserError: there is a file of weights without a network, or as `Network`.
    """
    if weights and not name:
        raise UserError("weights are given, but no network: set both, or neither")
    return Network(name, weights, image_shape) if name else None


def _builder(name: str) -> Any:
    known = [key for key, value in vars(keras.applications).items() if inspect.isfunction(value)]
    if name not in known:
        raise UserError(unknown("network of keras.applications", name, known))
    return getattr(keras.applications, name)


def _load(builder: Any, name: str, path: Path, shape: tuple[int, ...]) -> keras.Model:
    """Return the network up to its last convolution, with the weights of the file."""
    try:
        bare = builder(include_top=False, weights=None, input_shape=shape)
    except ValueError as error:
        raise UserError(f"{name} takes no images {list(shape)}: {_line(error)}") from error
    try:
        if path.suffix == ".keras":
            return _copied(keras.saving.load_model(path, compile=False), bare)
        try:
            return _filled(bare, path)
        except ValueError:
            # As they are published, most files have the layers on top as well.
            return _copied(_filled(builder(weights=None), path), bare)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise UserError(f"{path} has no weights of {name}: {_line(error)}") from error


def _filled(model: keras.Model, path: Path) -> keras.Model:
    """Return a model with the weights of a file, which must have all."""
    before = model.get_weights()
    with warnings.catch_warnings():
        # Keras only warns of what is not there.
        warnings.simplefilter("ignore", UserWarning)
        model.load_weights(path)
    for variable, old in zip(model.weights, before):
        # Drawn at random, it stays as it was only if it was not in the file.
        if old.std() > 0 and np.array_equal(old, variable):
            raise ValueError(f"it lacks {variable.path}")
    return model


def _copied(whole: keras.Model, bare: keras.Model) -> keras.Model:
    """Return the bare model with the weights of another, which has more layers on top."""
    if len(whole.layers) < len(bare.layers):
        raise ValueError(f"it has {len(whole.layers)} layers, {len(bare.layers)} are needed")
    for mine, other in zip(bare.layers, whole.layers):
        mine.set_weights(other.get_weights())
    return bare


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)

"""`model.fit` of a Keras model with Keras' recurrent layer, the zoo's, and Keras' accelerated.

    python -m benchmarks.keras_fit

Texts of up to 200 words, 64 a batch, the last batch smaller: Embedding, one recurrent layer, Dense,
trained by Keras' own `fit`. "zoo" is the same program with `from zoo.layers import LSTM`,
"accelerated" the one with Keras' layer after `zoo.accelerate(model)`. The time is that of an epoch
after the first, in which all of them compile. Those of one row take turns.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from rich.progress import track

import zoo
import zoo.layers
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table

BATCH, TIME, WORDS, SIZE, UNITS = 64, 200, 20_000, 128, 128
# Five whole batches and a smaller one.
TEXTS = 5 * BATCH + 24
REPEATS = 5
CASES = [("LSTM", False), ("GRU", False), ("LSTM", True)]


def main() -> None:
    rows = [row(*case) for case in track(CASES, "keras fit", console=STDERR)]
    head = [
        "layer",
        "keras, ms",
        "zoo, ms",
        "accelerated, ms",
        "keras / zoo",
        "keras / accelerated",
    ]
    notes = (
        f"Milliseconds an epoch of {TEXTS} texts of {TIME} words in batches of {BATCH}: Embedding "
        f"of {SIZE}, a layer of {UNITS} units, Dense. Where the layer is bidirectional, texts are "
        "padded and the Embedding has mask_zero."
    )
    write_table("keras_fit", "python -m benchmarks.keras_fit", head, rows, notes)


def row(kind: str, two_ways: bool) -> list[Any]:
    contenders = {
        "keras": epoch(model_of(keras.layers, kind, two_ways), two_ways),
        "zoo": epoch(model_of(zoo.layers, kind, two_ways), two_ways),
        "accelerated": epoch(zoo.accelerate(model_of(keras.layers, kind, two_ways)), two_ways),
    }
    times = medians(contenders, REPEATS)
    ratios = [f"{times['keras'] / times[name]:.2f}" for name in ("zoo", "accelerated")]
    label = f"Bidirectional({kind}), mask_zero" if two_ways else kind
    return [label, *[milliseconds(seconds) for seconds in times.values()], *ratios]


def model_of(layers: Any, kind: str, two_ways: bool) -> keras.Model:
    """A functional model whose recurrent layer is one of `layers`."""
    keras.utils.set_random_seed(1)
    layer = getattr(layers, kind)(UNITS)
    words = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(WORDS, SIZE, mask_zero=two_ways)(words)
    read = layers.Bidirectional(layer)(vectors) if two_ways else layer(vectors)
    model = keras.Model(words, keras.layers.Dense(1, activation="sigmoid")(read))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def epoch(model: keras.Model, padded: bool) -> Callable[[], Any]:
    texts, classes = data(padded)
    return lambda: model.fit(texts, classes, batch_size=BATCH, verbose=0)


def data(padded: bool) -> tuple[np.ndarray, np.ndarray]:
    """Random words, and classes 0 and 1; padded ones begin with zeros, as Keras pads them."""
    rng = np.random.default_rng(1)
    texts = rng.integers(1, WORDS, (TEXTS, TIME)).astype("int32")
    if padded:
        lengths = rng.integers(TIME // 4, TIME + 1, TEXTS)
        texts[np.arange(TIME) < TIME - lengths[:, None]] = 0
    return texts, rng.integers(0, 2, TEXTS)


if __name__ == "__main__":
    main()

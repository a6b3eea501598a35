"""`model.fit` of a Keras model with Keras' recurrent layer, the zoo's, and Keras' accelerated.

    python -m benchmarks.keras_fit

Texts of up to 200 words, 64 a batch, the last batch smaller: Embedding, one recurrent layer, Dense,
trained by Keras' own `fit`. "zoo" is the same program with `from zoo.layers import LSTM`,
"accelerated" the one with Keras' layer after `zoo.accelerate(model)`. The time is that of the
batches of an epoch after those in which all of them compile; between the last batch and the next
epoch Keras may wait for half a second, whatever the layer. Those of one row take turns.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from rich.progress import track

import zoo
import zoo.layers
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table

WORDS, SIZE = 20_000, 128
REPEATS = 5
# The last batch is compiled when it was met five times.
WARM_EPOCHS = 5


class Case(NamedTuple):
    """A model: its layers of one kind, from the bottom up, and the texts that it reads.

    Attributes:
        kind: of the layers.
        units: of each layer.
        layers: how many there are; all but the top one return sequences.
        shape: words a text, texts a batch.
        two_ways: whether layers are bidirectional, and texts padded on the left.
    """

    kind: str
    units: int = 128
    layers: int = 1
    shape: tuple[int, int] = (200, 64)
    two_ways: bool = False

    @property
    def label(self) -> str:
        layer = f"{self.kind}({self.units})"
        if self.two_ways:
            return f"Bidirectional({layer}), mask_zero"
        return layer if self.layers == 1 else f"{self.layers} x {layer}"


CASES = [
    Case("LSTM", 256, 2, (64, 32)),
    Case("LSTM"),
    Case("GRU"),
    Case("LSTM", two_ways=True),
]


def main() -> None:
    rows = [row(case) for case in track(CASES, "keras fit", console=STDERR)]
    head = [
        "layers",
        "(batch, words)",
        "keras, ms",
        "zoo, ms",
        "accelerated, ms",
        "keras / zoo",
        "keras / accelerated",
    ]
    notes = (
        "Milliseconds of the batches of an epoch, five whole ones and one of 24 texts: Embedding "
        f"of {SIZE}, the layers, Dense. With mask_zero texts are padded on the left."
    )
    write_table("keras_fit", "python -m benchmarks.keras_fit", head, rows, notes)


def row(case: Case) -> list[Any]:
    contenders = {
        "keras": epoch(model_of(keras.layers, case), case),
        "zoo": epoch(model_of(zoo.layers, case), case),
        "accelerated": epoch(zoo.accelerate(model_of(keras.layers, case)), case),
    }
    times = medians(contenders, REPEATS)
    ratios = [f"{times['keras'] / times[name]:.2f}" for name in ("zoo", "accelerated")]
    spent = [milliseconds(seconds) for seconds in times.values()]
    return [case.label, case.shape[::-1], *spent, *ratios]


def model_of(layers: Any, case: Case) -> keras.Model:
    """A functional model whose recurrent layers are those of `layers`."""
    keras.utils.set_random_seed(1)
    words = keras.Input((None,), dtype="int32")
    read = keras.layers.Embedding(WORDS, SIZE, mask_zero=case.two_ways)(words)
    for number in range(case.layers):
        layer = getattr(layers, case.kind)(case.units, return_sequences=number < case.layers - 1)
        read = layers.Bidirectional(layer)(read) if case.two_ways else layer(read)
    model = keras.Model(words, keras.layers.Dense(1, activation="sigmoid")(read))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


class Batches(keras.callbacks.Callback):
    """Sums the seconds of batches."""

    seconds = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begun = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seconds += time.perf_counter() - self.begun


def epoch(model: keras.Model, case: Case) -> Callable[[], float]:
    texts, classes = data(case)

    def run() -> float:
        batches = Batches()
        model.fit(texts, classes, batch_size=case.shape[1], verbose=0, callbacks=[batches])
        return batches.seconds

    for _ in range(WARM_EPOCHS):
        run()
    return run


def data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Random words, and classes 0 and 1; padded ones begin with zeros, as Keras pads them."""
    rng = np.random.default_rng(1)
    steps, batch = case.shape
    count = 5 * batch + 24
    texts = rng.integers(1, WORDS, (count, steps)).astype("int32")
    if case.two_ways:
        lengths = rng.integers(steps // 4, steps + 1, count)
        texts[np.arange(steps) < steps - lengths[:, None]] = 0
    return texts, rng.integers(0, 2, count)


if __name__ == "__main__":
    main()

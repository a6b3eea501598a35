"""Decoding a translation model: in the graph, against a Python loop in Keras and in PyTorch.

    python -m benchmarks.decoding

The loops are the usual ones: `model.predict` for each token in Keras, with the beam in numpy; a
step at a time under `torch.inference_mode` in PyTorch, with the beam in tensors. All have random
weights of the same sizes and make as many tokens, so that the work is the same. PyTorch runs where
it is installed, in a process of its own.
"""

import contextlib
from collections.abc import Callable
from itertools import product
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from rich.progress import track

from benchmarks.side_by_side import STDERR, medians, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo import create
from zoo.decoding import generate
from zoo.recurrence.compiling import CALLS_BEFORE, DECODED_BEFORE, FEW_ROWS, Compile, compiled

VOCABULARY, READ, SAID = 8000, 20, 20
START, END = 2, 3
# The catalog's sizes.
EMBEDDING = {"translate-gru": 128, "translate-gru-attention": 256}
UNITS, KEYS = 384, 256
REPEATS = 3


def main() -> None:
    cases = list(product(EMBEDDING, (1, 5), (1, 64)))
    with Torch() if INSTALLED else contextlib.nullcontext() as torch:
        rows = [row(*case, torch) for case in track(cases, "decoding", console=STDERR)]
    head = ["model", "decoding", "batch", "zoo", "keras", "torch", "zoo / keras", "zoo / torch"]
    notes = (
        f"Sentences a second; each has {READ} tokens and becomes {SAID}, of {VOCABULARY}. A ratio "
        "above 1 is how many times as fast the zoo is."
    )
    write_table("decoding", "python -m benchmarks.decoding", head, rows, notes)


def row(name: str, width: int, batch: int, torch: Torch | None) -> list[Any]:
    source = np.random.default_rng(1).integers(4, VOCABULARY, (batch, READ)).astype("int32")
    contenders: dict[str, Callable[[], Any]] = {
        "zoo": in_the_graph(name, width, source),
        "keras": in_a_loop(name, width, source),
    }
    if torch:
        sizes = (VOCABULARY, EMBEDDING[name], UNITS, KEYS if "attention" in name else 0)
        contenders["torch"] = torch.contender("decoding", sizes, width, batch, READ, SAID)
    speeds = {who: batch / seconds for who, seconds in medians(contenders, REPEATS).items()}
    ratios = [f"{speeds['zoo'] / speeds[who]:.2f}" for who in speeds if who != "zoo"]
    blank = [] if torch else [""]
    shown = [f"{speed:.1f}" for speed in speeds.values()]
    return [
        name,
        f"beam {width}" if width > 1 else "greedy",
        batch,
        *shown,
        *blank,
        *ratios,
        *blank,
    ]


def in_the_graph(name: str, width: int, source: np.ndarray) -> Callable[[], Any]:
    """As in `zoo.predict`: sizes are not known beforehand, what runs often on few rows is compiled.

    What is exported holds no compiled loop.
    """
    model = create(name, source_vocab_size=VOCABULARY, target_vocab_size=VOCABULARY)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def run(source: Any) -> Any:
        decoded = generate(
            model, source, START, SAID, END, width, min_length=SAID, banned=(0,), watched=False
        )
        return decoded.tokens

    source = tf.constant(source)
    with compiled(Compile.FREQUENT):
        run.get_concrete_function()
    for _ in range(1 + (DECODED_BEFORE if len(source) <= FEW_ROWS else CALLS_BEFORE)):
        run(source)
    return lambda: run(source).numpy()


def in_a_loop(name: str, width: int, source: np.ndarray) -> Callable[[], Any]:
    encoder, decoder = keras_models(EMBEDDING[name], "attention" in name)

    def run() -> Any:
        batch = len(source)
        rows = batch * width
        *memory, h = encoder.predict(source, verbose=0, batch_size=batch)
        memory = [np.repeat(part, width, axis=0) for part in memory]
        h = np.repeat(h, width, axis=0)
        tokens, written = np.full((rows, 1), START, "int32"), np.zeros((rows, 0), "int32")
        sums = np.where(np.arange(width) == 0, 0.0, -np.inf) + np.zeros((batch, 1))
        for _ in range(SAID):
            logits, h = decoder.predict([tokens, h, *memory], verbose=0, batch_size=rows)
            logits[:, [0, END]] = -np.inf
            if width == 1:
                tokens = logits.argmax(axis=-1).astype("int32")[:, None]
            else:
                logits -= logits.max(axis=-1, keepdims=True)
                logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
                each = (sums[:, :, None] + logits.reshape(batch, width, -1)).reshape(batch, -1)
                best_places = np.argpartition(each, -width, axis=1)[:, -width:]
                sums = np.take_along_axis(each, best_places, axis=1)
                parents = (np.arange(batch)[:, None] * width + best_places // VOCABULARY).ravel()
                tokens = (best_places % VOCABULARY).astype("int32").reshape(-1, 1)
                h, written = h[parents], written[parents]
            written = np.concatenate([written, tokens], axis=1)
        best = np.arange(batch) * width + sums.argmax(axis=1)
        return written[best]

    return run


def keras_models(embedding: int, attends: bool) -> tuple[keras.Model, keras.Model]:
    """Encoder and one step of the decoder, of Keras' layers only, with the zoo's equations."""
    source = keras.Input([None], dtype="int32")
    vectors = layers.Embedding(VOCABULARY, embedding)(source)
    if attends:
        values = layers.Bidirectional(layers.GRU(UNITS, return_sequences=True))(vectors)
        context = layers.Concatenate()([values[:, -1, :UNITS], values[:, 0, UNITS:]])
        memory = [values, layers.Dense(KEYS, use_bias=False)(values)]
    else:
        context = layers.GRU(UNITS, go_backwards=True)(vectors)
        memory = [context]
    start = layers.Dense(UNITS, activation="tanh")(context)
    token, h = keras.Input([1], dtype="int32"), keras.Input([UNITS])
    parts = [keras.Input(part.shape[1:]) for part in memory]
    vector = layers.Embedding(VOCABULARY, embedding)(token)[:, 0]
    if attends:
        values, keys = parts
        query = layers.Dense(KEYS, use_bias=False)(h)[:, None]
        energy = layers.Dense(1, use_bias=False)(keras.ops.tanh(keys + query))
        context = keras.ops.sum(keras.ops.softmax(energy, axis=1) * values, axis=1)
    else:
        (context,) = parts
    y, after = layers.GRU(UNITS, return_state=True)(
        layers.Concatenate()([vector, context])[:, None], initial_state=h
    )
    if attends:
        y = layers.Dense(embedding, "tanh")(layers.Concatenate()([y, context, vector]))
        logits = layers.Dense(VOCABULARY)(y)
    else:
        logits = layers.Dense(VOCABULARY)(y) + layers.Dense(VOCABULARY, use_bias=False)(context)
    return keras.Model(source, [*memory, start]), keras.Model([token, h, *parts], [logits, after])


if __name__ == "__main__":
    main()

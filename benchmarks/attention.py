"""A training step of a translation model with additive attention, against PyTorch.

    python -m benchmarks.attention

The sizes are those of `translate-gru-attention` and of about 29,000 sentence pairs; the time is
that of the loss and of all gradients, without dropout and without an optimizer. PyTorch runs the
same equations, a step of the decoder at a time, in a process of its own.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.side_by_side import medians, milliseconds, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo import create, describe

BATCH, STEPS, SOURCES, TARGETS = 64, 16, 8000, 6000
NAME = "translate-gru-attention"
REPEATS = 9


def main() -> None:
    contenders: dict[str, Callable[[], Any]] = {
        "zoo": training_step(jit_compile=False),
        "zoo, jit_compile": training_step(jit_compile=True),
    }
    options = describe(NAME)["options"]
    sizes = [SOURCES, options["embedding"], options["units"], options["attention_units"], TARGETS]
    with Torch() if INSTALLED else contextlib.nullcontext() as torch:
        if torch:
            contenders["torch"] = torch.contender("translation_training", sizes, BATCH, STEPS)
        times = medians(contenders, REPEATS)
    notes = (
        f"{BATCH} pairs of {STEPS} tokens on either side, of {SOURCES} and {TARGETS}; milliseconds "
        "an update."
    )
    row = [NAME, *[milliseconds(seconds) for seconds in times.values()]]
    write_table("attention", "python -m benchmarks.attention", ["model", *times], [row], notes)


def training_step(jit_compile: bool) -> Callable[[], Any]:
    model = create(NAME, source_vocab_size=SOURCES, target_vocab_size=TARGETS, dropout=0.0)
    rng = np.random.default_rng(1)
    source, tokens, targets = (
        tf.constant(rng.integers(4, size, (BATCH, STEPS)), tf.int32)
        for size in (SOURCES, TARGETS, TARGETS)
    )
    weights = [weight.value for weight in model.trainable_variables]

    @tf.function(jit_compile=jit_compile, autograph=False)
    def step() -> Any:
        window = {"inputs": {"source": source, "tokens": tokens}, "targets": targets}
        with tf.GradientTape() as tape:
            scores, _ = model.score(window, (), training=True)
            loss = tf.reduce_mean(scores.loss)
        return loss, tape.gradient(loss, weights)

    return lambda: step()[0].numpy()


if __name__ == "__main__":
    main()

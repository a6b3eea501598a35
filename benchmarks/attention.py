"""A training step of a translation model with additive attention, against PyTorch.

    python -m benchmarks.attention

The sizes are those of `translate-gru-attention` and of about 29,000 sentence pairs, of several
lengths, as batches of a bucketed data set have them; the zoo's graph knows none beforehand. The
time is that of the loss and of all gradients, without dropout and without an optimizer. PyTorch
runs the same equations, a step of the decoder at a time, in a process of its own.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from rich.progress import track

from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo import create, describe

BATCH, SOURCES, TARGETS = 64, 8000, 6000
LENGTHS = (8, 12, 16, 24)
NAME = "translate-gru-attention"
REPEATS = 7


def main() -> None:
    options = describe(NAME)["options"]
    sizes = [SOURCES, options["embedding"], options["units"], options["attention_units"], TARGETS]
    update = training_step()
    rows = []
    with Torch() if INSTALLED else contextlib.nullcontext() as torch:
        for length in track(LENGTHS, "attention", console=STDERR):
            contenders: dict[str, Callable[[], Any]] = {"zoo": partial(update, *pairs(length))}
            if torch:
                contenders["torch"] = torch.contender("translation_training", sizes, BATCH, length)
            rows.append(medians(contenders, REPEATS))
    rows.append({name: sum(times[name] for times in rows) for name in rows[0]})
    table = []
    for length, times in zip([*LENGTHS, "all"], rows, strict=True):
        ratio = f"{times['torch'] / times['zoo']:.2f}" if "torch" in times else ""
        table.append([length, *[milliseconds(seconds) for seconds in times.values()], ratio])
    head = ["tokens", *[f"{name}, ms" for name in rows[0]], "torch / zoo"]
    notes = (
        f"{NAME}: {BATCH} pairs of so many tokens on either side, of {SOURCES} and {TARGETS}; "
        "milliseconds an update."
    )
    write_table("attention", "python -m benchmarks.attention", head, table, notes)


def pairs(length: int) -> list[Any]:
    """Random sources, tokens and targets, `[BATCH, length]` each."""
    rng = np.random.default_rng(1)
    return [
        tf.constant(rng.integers(4, size, (BATCH, length)), tf.int32)
        for size in (SOURCES, TARGETS, TARGETS)
    ]


def training_step() -> Callable[..., Any]:
    """Return the loss of pairs of any length, with all gradients computed."""
    model = create(NAME, source_vocab_size=SOURCES, target_vocab_size=TARGETS, dropout=0.0)
    weights = [weight.value for weight in model.trainable_variables]

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)] * 3, autograph=False)
    def step(source: Any, tokens: Any, targets: Any) -> Any:
        window = {"inputs": {"source": source, "tokens": tokens}, "targets": targets}
        with tf.GradientTape() as tape:
            scores, _ = model.score(window, (), training=True)
            loss = tf.reduce_mean(scores.loss)
        return loss, tape.gradient(loss, weights)

    return lambda *pairs: step(*pairs)[0].numpy()


if __name__ == "__main__":
    main()

"""What makes the engine fast: its training step with one mechanism after the other.

    python -m benchmarks.mechanisms

The first table has the LSTM's training step as a TensorFlow graph, compiled by XLA as one loop,
and compiled as two loops, one for each half of the batch. The second has the product of a backward
step, dz Uᵀ: by a view of U that the product itself transposes, and by U transposed once before the
loop.
"""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import tensorflow as tf
from rich.progress import track

from benchmarks.contenders import Size, training_step, zoo_layer
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table
from benchmarks.training import SIZES
from zoo.recurrence.compiling import Compile, compiled

REPEATS = 7
PRODUCTS = 64


def main() -> None:
    steps = [_ratios(size, training_steps(size)) for size in track(SIZES, "steps", console=STDERR)]
    head = ["(B, T, D, H)", "graph, ms", "one loop, ms", "halves, ms"]
    head += ["graph / halves", "one loop / halves"]
    write_table("mechanisms", "python -m benchmarks.mechanisms", head, steps)
    table = [
        _ratios(f"{rows} x {wide} by {wide} x {wide // 4}, {where}", products(rows, wide, jit))
        for rows, wide in ((16, 1024), (32, 2048))
        for where, jit in track([("graph", False), ("XLA", True)], "products", console=STDERR)
    ]
    head = [f"{PRODUCTS} products", "view, ms", "transposed once, ms", "view / once"]
    write_table("transposed", "python -m benchmarks.mechanisms", head, table)


def training_steps(size: Size) -> dict[str, Callable[[], Any]]:
    contenders = {
        "graph": training_step(zoo_layer("lstm", size[-1]), size),
        "one loop": training_step(zoo_layer("lstm", size[-1]), size),
        "halves": training_step(zoo_layer("lstm", size[-1]), size),
    }
    # The first call traces: one as a graph, one with the batch whole.
    with compiled(Compile.NEVER):
        contenders["graph"]()
    with patch("zoo.recurrence.xla._halves", lambda x: [x.shape[0]]):
        contenders["one loop"]()
    return contenders


def products(rows: int, wide: int, jit: bool) -> dict[str, Callable[[], Any]]:
    dz, kernel = tf.random.normal((rows, wide)), tf.random.normal((wide // 4, wide)) * 0.01

    def repeated(product: Callable[[Any, Any], Any], prepare: Callable[[Any], Any]) -> Callable:
        @tf.function(jit_compile=jit)
        def run(dz: Any, kernel: Any) -> Any:
            kernel = prepare(kernel)
            for _ in tf.range(PRODUCTS):
                dz = tf.tile(product(dz, kernel), (1, 4))
            return dz

        return lambda: run(dz, kernel).numpy()

    return {
        "view": repeated(lambda a, b: tf.matmul(a, b, transpose_b=True), tf.identity),
        "once": repeated(tf.matmul, tf.transpose),
    }


def _ratios(label: Any, contenders: dict[str, Callable[[], Any]]) -> list[Any]:
    """A row: the medians, and the ratios of all to the last."""
    *others, best = medians(contenders, REPEATS).values()
    ratios = [f"{seconds / best:.2f}" for seconds in others]
    return [label, *[milliseconds(seconds) for seconds in (*others, best)], *ratios]


if __name__ == "__main__":
    main()

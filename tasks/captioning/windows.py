"""Windows of images and captions, as a captioner is shown them."""

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.text import END, PADDING, START
from zoo.training.windows import example_windows
from zoo.typing import Window

_STEP = 8
"""Lengths of training windows are multiples of it."""


def caption_windows(
    images: Any,
    captions: Sequence[Sequence[str]],
    encode: Callable[[list[str]], tf.RaggedTensor],
    batch_size: int,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Return windows with as many captions of each image as any of them has, k.

    Args:
        images: an array `[N, ...]`.
        captions: at least one of each image; where one has fewer than k, its own come again, with
            weight 0.
        encode: gives the tokens of texts `[M]`, ragged `[M, (T)]`.
        batch_size: images of a window.
        seed: shuffles them; None leaves them in their order.

    Returns:
        Windows of `image`, and of `tokens` and targets `[B, k, T]`: the caption after `<start>`,
        and the caption before `<end>`.
    """
    counts = np.array([*map(len, captions)])
    most = counts.max()
    rows = [row for some in captions for row in islice(cycle(some), most)]
    ids = encode(rows)
    border = tf.ones([len(rows), 1], tf.int32)
    starts, ends = (
        tf.concat(parts, axis=1).to_tensor(PADDING).numpy().reshape(len(images), most, -1)
        for parts in ([border * START, ids], [ids, border * END])
    )
    inputs = {"image": images, "tokens": starts}
    once = (np.arange(most) < counts[:, None])[..., None]
    return example_windows(inputs, ends, once & (ends != PADDING), batch_size, seed)


def draw_captions(windows: tf.data.Dataset, count: int, seed: int) -> tf.data.Dataset:
    """Return windows with up to `count` captions of each image, drawn anew each time.

    Those of weight 0 come after all others. What no caption of a window reaches is cut off, but
    for a few places: of few lengths, few graphs are compiled.
    """

    def draw(window: Window, seed: Any) -> dict[str, Any]:
        inputs: Any = window["inputs"]
        tokens = inputs["tokens"]
        chance = tf.random.stateless_uniform(tf.shape(tokens)[:2], seed)
        order = tf.argsort(chance - window["weights"][..., 0], axis=1)
        tokens, targets, weights = (
            tf.gather(part, order[:, :count], axis=1, batch_dims=1)
            for part in (tokens, window["targets"], window["weights"])
        )
        longest = tf.reduce_max(tf.reduce_sum(tf.cast(weights > 0, tf.int32), axis=-1))
        whole = _STEP * -(-longest // _STEP)
        tokens, targets, weights = (part[..., :whole] for part in (tokens, targets, weights))
        shown = {**inputs, "tokens": tokens}
        return {**window, "inputs": shown, "targets": targets, "weights": weights}

    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
    return tf.data.Dataset.zip(windows, seeds).map(draw)

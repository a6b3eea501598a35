"""The endpoints that `zoo stream` calls, in the graph, so that they travel with an export.

Three endpoints beside `initial_state` and `step`:

- `read` takes a piece of raw input and gives `x` `[T, ...]`, what `step` takes one after the other.
  That of a text, `read(texts, last)`, also gives `parts` `[T]`, the part of the text that each `x`
  stands for, and `rest` `[1]`: the end of the piece, which may be half a token and belongs before
  the next piece, unless this is the last.
- `tell(outputs)` takes what `step` gave, `[N, ...]`, as float32, and gives readable things, one row
  an output: `text`, and what else there is.
- Of a series, `read(steps, origin)` also gives `origin` `[2]`: what is taken off all values for
  float32 to hold what is left, and how many steps were read. It is given that of the piece before,
  NaN at first. And `tell(outputs, x, origin)` takes `[N + 1, ...]`, first the row that came before
  the N rows, NaN at the very first: what came is held against the forecast of it.
- `margins()`, where there are any, gives `before` and `after`: what is stepped through before the
  first piece and after the last. The first outputs, as many as `after` has, say nothing: what is
  told of a step comes so much later.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.tokenizers import Tokenizer
from zoo.topologies.base import SequenceModel

HALF_WORD = r"\S+$"
"""What may go on in the next piece, of a text whose tokens hold no white space."""


def read_tokens(vocabulary: Tokenizer, half: str = "") -> Any:
    """Return the endpoint `read` of a model of texts.

    Args:
        vocabulary: of the model.
        half: an RE2 expression for the end of a piece that may be half a token; "" where a token
            is a character.

    Example:
        >>> from tasks.common.tokenizers import Words
        >>> words = Words(["red"])
        >>> piece = read_tokens(words, HALF_WORD)(tf.constant(["a red squ"]), False)
        >>> piece["x"].numpy().tolist(), piece["rest"].numpy().tolist()
        ([1, 4], [b'squ'])
    """

    @tf.function(
        input_signature=[
            tf.TensorSpec([1], tf.string, name="texts"),
            tf.TensorSpec([], tf.bool, name="last"),
        ],
        autograph=False,
    )
    def read(texts: Any, last: Any) -> dict[str, Any]:
        whole = texts
        if half:
            without = tf.strings.regex_replace(texts, half, "")
            whole = tf.where(last, texts, without)
        rest = tf.strings.substr(texts, tf.strings.length(whole), tf.fill([1], -1))
        return {
            "x": vocabulary.encode(whole).values,
            "parts": vocabulary.split(whole).values,
            "rest": rest,
        }

    return read


def tell(size: int, answers: Callable[[Any], dict[str, Any]]) -> Any:
    """Return the endpoint `tell`: outputs `[N, size]`, float32, to what `answers` makes of them."""

    @tf.function(
        input_signature=[tf.TensorSpec([None, size], tf.float32, name="outputs")], autograph=False
    )
    def tell(outputs: Any) -> dict[str, Any]:
        return answers(outputs)

    return tell


def as_step(model: SequenceModel, frames: Any) -> Any:
    """Return frames `[T, ...]`, float32, as `step` takes them: shades are whole, as in training."""
    example = model.example_inputs(1, 1)[model.steps_on]
    return frames if example.dtype == np.float32 else tf.cast(tf.round(frames), example.dtype)


def margins(before: Sequence[int] = (), after: Sequence[int] = ()) -> Any:
    """Return the endpoint `margins` of a model of tokens, by their ids."""

    @tf.function(input_signature=[], autograph=False)
    def margins() -> dict[str, Any]:
        return {
            "before": tf.constant(list(before), tf.int32),
            "after": tf.constant(list(after), tf.int32),
        }

    return margins

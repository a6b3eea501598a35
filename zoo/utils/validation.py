"""Arguments of layers and of endpoints: by name, within bounds."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

LONGEST_TEXT = 20_000
"""Characters of a prompt, a source or any other text that an endpoint takes."""

MOST_PICTURES = 1024
"""Pictures that an endpoint paints at once."""


def check_shares(**shares: float) -> None:
    """Raise ValueError if one of some shares, by name, is not 0 to below 1.

    Example:
        >>> check_shares(dropout=0.5, word_dropout=1)
        Traceback (most recent call last):
        ValueError: word_dropout is 1, but 0 to below 1 is needed
    """
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise ValueError(f"{name} is {share}, but 0 to below 1 is needed")


def named_function(
    function: Callable[..., Any],
    specs: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> Any:
    """Return a `tf.function` whose parameters have the names, shapes and dtypes of `specs`.

    Args:
        function: called with the arguments in the order of `specs`.
        specs: of each parameter a `tf.TensorSpec`, or a list of them.
        defaults: of the last parameters, for calls without them.

    Example:
        >>> double = named_function(lambda x: x * 2, {"number": tf.TensorSpec([], tf.int32)})
        >>> int(double(number=3))
        6
    """

    def named(*arguments: Any) -> Any:
        return function(*arguments)

    named.__name__ = function.__name__
    kind, nothing = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    named.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, kind, default=(defaults or {}).get(name, nothing))
            for name in specs
        ]
    )
    return tf.function(named, input_signature=[*specs.values()], autograph=False)


def checked(value: Any, holds: Any, message: str, shown: Any = None) -> Any:
    """Return a tensor once all of `holds` is true; else raise an error that shows the value.

    Args:
        value: of any shape.
        holds: bool, of any shape.
        message: what is needed, to be followed by what is there.
        shown: that, if it is not the value itself.

    Raises:
        tf.errors.InvalidArgumentError: something of `holds` is false.
    """
    data = [message, value if shown is None else shown]
    # Not tf.debugging.Assert, which makes two functions of each.
    asserted = tf.raw_ops.Assert(condition=tf.reduce_all(holds), data=data, summarize=8)
    with tf.control_dependencies([asserted] if asserted is not None else []):
        return tf.identity(value)


def checked_texts(texts: Any, empty: bool = True) -> Any:
    """Return strings `[N]`: at least one, all UTF-8, none longer than `LONGEST_TEXT`.

    Args:
        texts: such strings.
        empty: whether one may be empty, or have nothing but white space.

    Raises:
        tf.errors.InvalidArgumentError: they are not.

    Example:
        >>> checked_texts(tf.constant(["any"])).numpy()
        array([b'any'], dtype=object)
    """
    texts = not_empty(texts)
    right = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace") == texts
    row = tf.argmin(tf.cast(right, tf.int32))
    texts = checked(texts, right, "a text is not UTF-8: convert it first; it is number", row)
    if not empty:
        something = tf.strings.length(tf.strings.strip(texts)) > 0
        row = tf.argmin(tf.cast(something, tf.int32))
        message = "a text is empty: give at least one word; it is number"
        texts = checked(texts, something, message, row)
    longest = tf.reduce_max(tf.strings.length(texts, "UTF8_CHAR"))
    message = f"a text may have {LONGEST_TEXT:,} characters: give a shorter one; it has"
    return checked(texts, longest <= LONGEST_TEXT, message, longest)


def not_empty(batch: Any) -> Any:
    """Return a batch `[N, ...]` with at least one row.

    Raises:
        tf.errors.InvalidArgumentError: it has none.
    """
    batch = tf.ensure_shape(batch, batch.shape)
    rows = tf.shape(batch)[0]
    return checked(batch, rows > 0, "the batch is empty: give at least one input; there are", rows)


def checked_steps(batch: Any) -> Any:
    """Return a batch `[N, T, ...]` with at least one row and one time step, and numbers only.

    Raises:
        tf.errors.InvalidArgumentError: it has none, or holds NaN or infinity.
    """
    batch = not_empty(batch)
    time = tf.shape(batch)[1]
    message = "the input has no time steps: give at least one; there are"
    batch = checked(batch, time > 0, message, time)
    if not batch.dtype.is_floating:
        return batch
    right = tf.math.is_finite(batch)
    wrong = tf.size(batch) - tf.math.count_nonzero(right, dtype=tf.int32)
    message = "the input holds NaN or infinity: give numbers only; so many are none:"
    return checked(batch, right, message, wrong)


def of_one_batch(parts: list[Any]) -> list[Any]:
    """Return tensors `[B, ...]`, all with the B of the first, which is at least 1.

    Raises:
        tf.errors.InvalidArgumentError: they differ, or are empty.
    """
    # What calls a signature checks no shapes.
    parts = [tf.ensure_shape(part, part.shape) for part in parts]
    rows = tf.stack([tf.shape(part)[0] for part in parts])
    message = "inputs and state must have the same number of rows, 1 or more, but have"
    first = checked(parts[0], rows == tf.maximum(rows[0], 1), message, rows)
    with tf.control_dependencies([first]):
        return [first, *map(tf.identity, parts[1:])]


def reason(error: Exception) -> str:
    """Return the message of an error in one line, without TensorFlow's account of its graph.

    Example:
        >>> try:
        ...     _ = not_empty(tf.zeros([0]))
        ... except tf.errors.InvalidArgumentError as error:
        ...     print(reason(error))
        the batch is empty: give at least one input; there are 0
    """
    message = str(error).partition(" [Op:")[0]
    assertion = re.search(r"assertion failed: \[(.*)\]", message)
    if assertion:
        return " ".join(assertion[1].replace("] [", " ").split())
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Graph execution")), "") or message

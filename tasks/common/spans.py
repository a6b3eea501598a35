"""Parts of a text that have a name, in the graph."""

from typing import Any

import tensorflow as tf


def spans(labels: Any, goes_on: Any, begins: Any, ends: Any) -> dict[str, Any]:
    """Return an endpoint's outputs for the runs of tokens that have a label.

    Args:
        labels: strings `[N, T]`; "" for a token that is in no span.
        goes_on: bool `[N, T]`, whether a token belongs to the span of the token before it.
        begins: int `[N, T]`, where in its text, in characters, a token begins.
        ends: int `[N, T]`, where it ends: the place of the character after it.

    Returns:
        `span_begins` and `span_ends` `[N, M]`, int32, -1 where a text has fewer spans, and
        `span_labels` `[N, M]`, likewise "".

    Example:
        >>> place = tf.constant([[0, 3, 7]])
        >>> told = spans(tf.constant([["", "A", "A"]]), place == 7, place, place + 2)
        >>> [told[key].numpy().tolist() for key in ("span_begins", "span_ends", "span_labels")]
        [[[3]], [[9]], [[b'A']]]
    """
    inside = labels != ""
    goes_on &= inside
    first = inside & ~goes_on
    last = inside & ~tf.pad(goes_on[:, 1:], [[0, 0], [0, 1]])[:, : tf.shape(labels)[1]]

    def chosen(part: Any, which: Any, empty: Any) -> Any:
        return tf.ragged.boolean_mask(part, which).to_tensor(empty)

    return {
        "span_begins": chosen(tf.cast(begins, tf.int32), first, -1),
        "span_ends": chosen(tf.cast(ends, tf.int32), last, -1),
        "span_labels": chosen(labels, first, ""),
    }

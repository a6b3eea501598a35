"""Texts as a report shows them: the parts that a model named, each in the colour of its name."""

from typing import Any

import tensorflow as tf

from zoo.utils.html import coloured


def show_spans(serve: Any, text: str) -> str:
    """Return a text as safe HTML, coloured by the spans that an endpoint names in it.

    Args:
        serve: gives `span_begins`, `span_ends` and `span_labels`, see `tasks.common.spans`.
        text: what it is given.
    """
    answer = serve(tf.constant([text]))
    begins, ends, labels = (
        answer[f"span_{key}"][0].numpy().tolist() for key in ("begins", "ends", "labels")
    )
    parts, place = [], 0
    for begin, end, label in zip(begins, ends, labels):
        if begin < 0:
            break
        parts += [(text[place:begin], ""), (text[begin:end], label.decode())]
        place = end
    return coloured([*parts, (text[place:], "")])

import tensorflow as tf

from tasks.common.showing import show_spans


def test_spans_are_coloured_by_place_in_characters_and_the_rest_stays():
    def serve(texts):
        assert texts.numpy().tolist() == ["é <Rom> und Köln".encode()]
        return {
            "span_begins": tf.constant([[2, 12, -1]]),
            "span_ends": tf.constant([[7, 16, -1]]),
            "span_labels": tf.constant([["<place>", "city", ""]]),
        }

    assert show_spans(serve, "é <Rom> und Köln") == (
        '<p class="text">é '
        '<mark class="label0" title="&lt;place&gt;">&lt;Rom&gt;<sub>&lt;place&gt;</sub></mark>'
        ' und <mark class="label1" title="city">Köln<sub>city</sub></mark></p>'
    )

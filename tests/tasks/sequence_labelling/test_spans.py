"""Entities, each case worked out by hand from the rules of conlleval."""

import pytest

from tasks.sequence_labelling.spans import entity_metrics, spans, to_bio


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-A I-A O B-A", [("A", 0, 2), ("A", 3, 4)]),
        ("B-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("B-A I-B", [("A", 0, 1), ("B", 1, 2)]),
        ("I-A I-A O I-B", [("A", 0, 2), ("B", 3, 4)]),
        ("I-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("S-A S-A B-A I-A E-A E-A", [("A", 0, 1), ("A", 1, 2), ("A", 2, 5), ("A", 5, 6)]),
        ("U-A B-B L-B I-B", [("A", 0, 1), ("B", 1, 3), ("B", 3, 4)]),
        ("O E-A I-A", [("A", 1, 2), ("A", 2, 3)]),
        ("B-A-1 I-A-1", [("A-1", 0, 2)]),
    ],
)
def test_spans_of_a_sentence(tags, expected):
    assert spans(tags.split()) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("I-A I-A B-A O I-B", "B-A I-A B-A O B-B"),
        ("B-A I-A B-A O B-B", "B-A I-A B-A O B-B"),
        ("B-A E-A S-A O S-B", "B-A I-A B-A O B-B"),
        ("B-A L-A U-A O U-B", "B-A I-A B-A O B-B"),
        ("NOUN I VERB", "NOUN I VERB"),
    ],
)
def test_every_scheme_becomes_bio(given, expected):
    assert to_bio(given.split()) == expected.split()


def test_metrics_count_entities_with_all_their_words_and_their_kind():
    true = [["B-A", "I-A", "O", "B-B"], ["B-B", "O"], ["O", "O"]]
    predicted = [["B-A", "I-A", "O", "B-A"], ["B-B", "I-B"], ["O", "B-C"]]
    # Of 4 that are predicted 1 is right, of 3 that are there 1 is predicted.
    metrics = entity_metrics(true, predicted)
    assert metrics["precision"] == 1 / 4 and metrics["recall"] == 1 / 3
    assert metrics["f1"] == pytest.approx(2 / 7)
    assert metrics["f1/A"] == pytest.approx(2 / 3) and metrics["f1/B"] == 0
    assert "f1/C" not in metrics


def test_of_no_entities_the_metrics_are_zero():
    assert entity_metrics([["O"]], [["O"]]) == {"f1": 0, "precision": 0, "recall": 0}

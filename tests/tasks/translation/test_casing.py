import pytest
import tensorflow as tf

from tasks.common.words import word_pattern
from tasks.translation.casing import Casing, learn_casing

TEXTS = [
    "Zwei Hunde laufen in Ulm.",
    "Die Hunde sehen IBM.",
    "In Ulm bellen sie! Ein Hund läuft.",
    "Über Ulm? Ja.",
]


def restored(texts, *casing):
    texts = Casing(*casing, word_pattern("exact")).restore(tf.constant(texts, tf.string)).numpy()
    return [text.decode() for text in texts]


def test_words_get_their_usual_form_and_sentences_a_capital_letter():
    forms, capital = learn_casing(TEXTS, word_pattern("exact"))
    assert (forms, capital) == (["Hund", "Hunde", "IBM", "Ulm"], True)
    assert restored([text.lower() for text in TEXTS], forms, capital) == TEXTS


def test_the_commonest_form_counts_and_of_equals_that_in_lower_case():
    texts = ["x Ab ab", "x Ab", "x Cd cd", "x ef"]
    assert learn_casing(texts, word_pattern("exact")) == (["Ab"], False)


def test_what_has_capitals_already_stays_and_odd_texts_too():
    odd = ["", " ", "MacOS in ulm", "ß", "123 a", "...a", " ulm  ulm"]
    expected = ["", " ", "MacOS in Ulm", "ß", "123 a", "...A", " Ulm  Ulm"]
    assert restored(odd, ["Ulm", "Macos"], True) == expected


@pytest.mark.parametrize("texts", [["alle klein", "noch einer"], ["1 Ei", "2 Eier"]])
def test_without_capitals_at_the_start_none_are_set(texts):
    forms, capital = learn_casing(texts, word_pattern("exact"))
    assert not capital
    assert restored([text.lower() for text in texts], forms, capital) == texts

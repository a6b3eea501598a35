import tensorflow as tf

from tasks.common.text import UNKNOWN, split_tokens
from tasks.common.words import word_pattern
from tasks.sequence_labelling.words import WordEncoder


def cut(text):
    return [
        word.decode() for word in split_tokens(tf.constant([text]), word_pattern()).to_list()[0]
    ]


def test_a_text_is_cut_at_white_space_and_around_signs():
    assert cut("In Bern, it's 10:30 (a.m.)!") == [
        "In", "Bern", ",", "it's", "10", ":", "30", "(", "a", ".", "m", ".", ")", "!"
    ]  # fmt: skip
    assert cut("Zoë’s naïve café_2 हिन्दी") == ["Zoë’s", "naïve", "café_2", "हिन्दी"]
    assert cut("") == cut(" \n") == []


def test_words_set_apart_by_spaces_stay_as_they_are():
    assert cut("the dog 's tail .") == ["the", "dog", "'", "s", "tail", "."]


def test_of_a_long_word_the_first_and_last_characters_are_read():
    encoder = WordEncoder(["a"], list("abcdefgh"), longest=5)
    words = tf.ragged.constant([["abcde", "abcdefgh"], ["é"]])
    found = encoder.encode(words)
    ids = {letter: number for number, letter in enumerate("abcdefgh", start=4)}
    assert found["characters"].shape == (2, 2, 7)
    assert found["characters"][0, 0].numpy().tolist() == [2, *[ids[c] for c in "abcde"], 3]
    assert found["characters"][0, 1].numpy().tolist() == [2, *[ids[c] for c in "abcgh"], 3]
    assert found["characters"][1, 0].numpy().tolist() == [2, UNKNOWN, 3, 0, 0, 0, 0]
    assert not found["characters"][1, 1].numpy().any()
    assert found["lengths"].numpy().tolist() == [2, 1]


def test_letters_of_either_case_and_all_digits_are_one_word():
    encoder = WordEncoder(["ä", "00th"], ["a"], longest=4)
    found = encoder.encode(tf.ragged.constant([["Ä", "19TH", "20th", "x"]]))
    assert found["words"].numpy().tolist() == [[4, 5, 5, UNKNOWN]]

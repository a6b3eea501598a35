import tensorflow as tf

from tasks.language_modelling.text import WORD, build_vocabulary, split_words

TEXT = 'The "del" statement\n\n   >>> del x[0], _y2 # don\'t\n   4.5e-3'


def test_words_are_word_runs_single_signs_and_line_breaks():
    assert split_words("a_1 != 'b'.\n") == ["a_1", "!", "=", "'", "b", "'", ".", "\n"]


def test_re2_in_the_graph_finds_the_same_words():
    marked = tf.strings.regex_replace(TEXT, f"({WORD})", "\\1\x01")
    words = tf.strings.split(tf.strings.regex_replace(marked, " +", ""), "\x01")[:-1]
    assert [word.decode() for word in words.numpy()] == split_words(TEXT)


def test_vocabulary_keeps_frequent_tokens_most_frequent_first():
    assert build_vocabulary(["b", "a", "c", "a", "c", "d"], minimum_count=2) == ["a", "c"]
    assert build_vocabulary("cba", minimum_count=1) == ["a", "b", "c"]

import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.common.subwords import Subwords
from tasks.common.tokenizers import Characters, Spaced, Tokenizer, Words
from tasks.common.units import tokenizer_of
from tasks.common.words import UNKNOWN, cut, normal
from zoo.errors import UserError

TEXT = "Die schöne лодка fährt über den See. 我们喜欢学习。 สวัสดีครับ हिन्दी 👩‍👩‍👧 don't 3.5\n"
ANY = st.characters(exclude_categories=["Cs"]) | st.sampled_from([*TEXT, "\u0301", "\u0308", "İ"])
TEXTS = st.lists(st.text(ANY, max_size=12), min_size=1, max_size=20)
MANY = settings(max_examples=20, deadline=None)


def decoded(tokenizer, texts):
    ids = tokenizer.encode(tf.constant(texts))
    return [text.decode() for text in tokenizer.decode(ids.to_tensor(), ids.row_lengths()).numpy()]


def pieces_of(ragged):
    return [[piece.decode() for piece in row] for row in ragged.to_list()]


@pytest.fixture(scope="module")
def subwords():
    return Subwords(Subwords(lowercase=True).learn([TEXT] * 20, 300), lowercase=True)


def test_words_are_joined_as_their_scripts_are_written():
    words = Words(Words(kind="signs").learn([TEXT]), kind="signs")
    for text in ("über den See", "我们喜欢学习。", "สวัสดีครับ", "हिन्दी don't", "лодка 👩‍👩‍👧"):
        assert decoded(words, [text]) == [text]


def test_a_word_is_the_same_however_its_accents_are_written():
    apart = unicodedata.normalize("NFD", "schön fährt")
    words = Words().learn([apart])
    assert words == ["fährt", "schön"]
    assert Words(words).encode(tf.constant([apart, "schön fährt"])).to_list() == [[5, 4], [5, 4]]
    tokens = Subwords().learn([apart] * 9, 40)
    one, other = Subwords(tokens).encode(tf.constant([apart, "schön fährt"])).to_list()
    assert one == other and UNKNOWN not in one


def test_letters_of_either_case_are_one_word_if_asked():
    assert Words(lowercase=True).learn(["Ödön ödön ÖDÖN"]) == ["ödön"]
    assert len(Words().learn(["Ödön ödön ÖDÖN"])) == 3


def test_the_commonest_are_learnt_and_unk_is_only_text():
    assert Words().learn(["<unk> <unk> b a b"], size=3) == ["<", ">", "b"]
    assert Words(kind="markup").learn(["<unk> b"]) == ["b"]
    assert Spaced().learn(["<unk> b a b \n"]) == ["b", "\n", "a"]
    assert Characters().learn(["aab"], minimum=2) == ["a"]


@MANY
@given(texts=TEXTS)
def test_words_that_are_joined_are_cut_into_the_same_words(texts):
    for kind in ("signs", "words"):
        words = Words(kind=kind)
        tokens = words.split(tf.constant(texts))
        # A sign of which only marks are left, or half a flag, may go with what is set before it.
        joined = [text.decode() for text in words.join(tokens).numpy()]
        assert pieces_of(words.split(tf.constant(joined))) == pieces_of(tokens)


@MANY
@given(texts=TEXTS)
def test_known_words_and_characters_are_written_as_they_were_read(texts):
    for tokenizer in (Words(kind="exact"), Characters()):
        known = type(tokenizer)(tokenizer.learn(texts), **_options(tokenizer))
        plain = isinstance(tokenizer, Characters)
        expected = [t if plain else "".join(map(normal, cut(t, known.pattern))) for t in texts]
        assert decoded(known, texts) == expected


def _options(tokenizer):
    return {"kind": "exact"} if isinstance(tokenizer, Words) else {}


@pytest.mark.slow
@MANY
@given(texts=TEXTS)
def test_pieces_of_words_stand_where_they_say(subwords, texts):
    tensor = tf.constant(texts)
    begins, ends = (part.to_list() for part in subwords.places(tensor))
    pieces = pieces_of(subwords.split(tensor))
    assert [*map(len, pieces)] == [*map(len, subwords.encode(tensor).to_list())]
    for text, row, begin, end in zip(texts, pieces, begins, ends):
        for number, (piece, b, e) in enumerate(zip(row, begin, end)):
            assert 0 <= b <= e <= len(text)
            if "İ" not in text and normal(text) == text:
                assert text[b:e] == (piece if number else piece.removeprefix(" "))


def test_a_unit_that_a_task_does_not_know_is_refused():
    with pytest.raises(UserError, match="unit is 'token', but word or character is needed"):
        tokenizer_of("token", ("word", "character"), "signs")


def test_tokens_that_are_there_twice_are_refused():
    for tokens in (["a", "a"], ["<unk>"], [1]):
        with pytest.raises(UserError, match="tokens must be strings that differ"):
            Tokenizer(tokens)


@pytest.mark.slow
def test_an_export_cuts_words_of_any_script_with_plain_tensorflow(encode_elsewhere):
    words = Words(["schön", "лодка", "学"])
    assert encode_elsewhere(words, "scho\u0308n лодка学.") == [[4, 5, 6, 1]]

import re
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.common.normal import compose
from tasks.common.text import split_tokens, token_places
from tasks.common.words import (
    NEWEST,
    SPACED,
    commonest,
    cut,
    cut_rule,
    half_word,
    normal,
    word_pattern,
)
from zoo.errors import UserError

ANY = st.characters(exclude_categories=["Cs"])
SCRIPTS = "лодкаἀηहिन्दीภาษาខ្មែរမြန်မာລາວ日本語々ー한국어\u1112\u1161\u11ab٣٫٬שׁ"
SIGNS = "aZ_1üß'’-.,<>/ \n\t\0\x1f\x7f\x85\xa0\u2028\ufeff\u200c\u200d\u0301\u0308👩🏽🇩🇪\ufe0f"
ODD = st.sampled_from(SCRIPTS + SIGNS)
KINDS = ["words", "signs", "lines", "markup", "exact"]
TEXTS = st.lists(st.text(ODD, max_size=12) | st.text(ANY, max_size=12), min_size=1, max_size=30)
PATTERNS = [word_pattern(kind) for kind in KINDS] + [SPACED, ""]
MANY = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Маленькая лодка плыла.", ["Маленькая", "лодка", "плыла", "."]),
        ("Scho\u0308n fährt's", ["Scho\u0308n", "fährt's"]),
        ("well-known aujourd’hui l·l", ["well-known", "aujourd’hui", "l·l"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("قَرَأَ الكِتَابَ", ["قَرَأَ", "الكِتَابَ"]),
        ("שָׁלוֹם צה״ל", ["שָׁלוֹם", "צה״ל"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("தமிழ் ქართული Հայերեն አማርኛ", ["தமிழ்", "ქართული", "Հայերեն", "አማርኛ"]),
        ("한국어 Tiếng Việt", ["한국어", "Tiếng", "Việt"]),
        ("日本語、々ー", ["日", "本", "語", "、", "々", "ー"]),
        ("น้ำดี", ["น้ำ", "ดี"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("2024年1月", ["2024", "年", "1", "月"]),
        ("3.14 1,234.5 10:30 ١٫٥ a1", ["3.14", "1,234.5", "10", ":", "30", "١٫٥", "a1"]),
        ("👩‍👩‍👧👍🏽🇩🇪🇫🇷❤️1️⃣", ["👩‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷", "❤️", "1️⃣"]),
        ("a\0b\x07 \ufeffc <unk>", ["a", "b", "c", "<", "unk", ">"]),
        ("'tis dogs' -x", ["'", "tis", "dogs", "'", "-", "x"]),
    ],
)
def test_words_of_many_scripts(text, words):
    assert cut(text, word_pattern()) == words


def test_the_kinds_differ_in_what_there_is_beside_words():
    text = "Don't, 10<br />\n"
    assert cut(text, word_pattern("words")) == ["Don't", "10", "br"]
    assert cut(text, word_pattern("signs")) == ["Don't", ",", "10", "<", "br", "/", ">"]
    assert cut(text, word_pattern("lines"))[-1] == "\n"
    assert cut(text, word_pattern("markup")) == ["Don't", ",", "1", "0", "<br />"]
    assert cut(text, word_pattern("markup", 2)) == ["Don't", ",", "10", "<br />"]
    assert cut(text, word_pattern("exact")) == [
        "Don", "'", "t", ",", " 1", "0", "<", "br", " /", ">", "\n"
    ]  # fmt: skip
    assert cut(text, SPACED) == ["Don't,", "10<br", "/>", "\n"]


@MANY
@given(texts=TEXTS)
def test_the_graph_cuts_as_python_does(texts):
    for pattern in PATTERNS:
        tokens = split_tokens(tf.constant(texts), pattern).to_list()
        assert [[t.decode() for t in row] for row in tokens] == [cut(t, pattern) for t in texts]


@MANY
@given(texts=TEXTS)
def test_places_say_where_each_token_stands(texts):
    for pattern in PATTERNS:
        begins, ends = (part.to_list() for part in token_places(tf.constant(texts), pattern))
        for text, begin, end in zip(texts, begins, ends):
            assert [text[b:e] for b, e in zip(begin, end)] == cut(text, pattern)


@MANY
@given(texts=TEXTS)
def test_exact_tokens_joined_are_the_text(texts):
    for text in texts:
        assert "".join(cut(text, word_pattern("exact"))) == text


@MANY
@given(texts=TEXTS)
def test_what_is_in_no_token_is_white_space_or_is_not_seen(texts):
    for text in texts:
        left = text
        for token in cut(text, word_pattern()):
            left = left.replace(token, "", 1)
        assert {unicodedata.category(character)[0] for character in left} <= {"Z", "C"}


def as_python(pattern):
    """With the end of the text as `re` writes it: its `$` also stands before a line break."""
    return re.compile(pattern.removesuffix("$") + r"\Z")


@pytest.mark.parametrize("kind", ["signs", "lines", "markup"])
@MANY
@given(texts=TEXTS)
def test_a_text_that_comes_in_pieces_is_cut_as_the_whole(kind, texts):
    half, pattern = as_python(half_word(kind)), word_pattern(kind)
    for text in ["the<br />cat\n<b", "学校ខ្មែរ น้ำ<br x>", *texts]:
        for place in range(len(text)):
            settled = re.sub(half, "", text[:place])
            assert cut(settled, pattern) + cut(text[len(settled) :], pattern) == cut(text, pattern)


@MANY
@given(texts=TEXTS)
def test_the_graph_holds_back_what_python_does(texts):
    for kind in ("signs", "markup"):
        half = half_word(kind)
        settled = tf.strings.regex_replace(tf.constant(texts), half, "").numpy()
        expected = [re.sub(as_python(half), "", text) for text in texts]
        assert [text.decode() for text in settled] == expected


@MANY
@given(texts=TEXTS)
def test_accents_of_their_own_make_no_difference_to_where_a_word_ends(texts):
    for text in texts:
        apart, together = (unicodedata.normalize(form, text) for form in ("NFD", "NFC"))
        tokens = [cut(each, word_pattern()) for each in (apart, together)]
        assert [*map(normal, tokens[0])] == [*map(normal, tokens[1])]


@MANY
@given(texts=TEXTS)
def test_the_graph_composes_as_python_does(texts):
    composed = [text.decode() for text in compose(tf.constant(texts)).numpy()]
    assert composed == [normal(text) for text in texts]


def test_every_character_is_composed_as_python_composes_it():
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    changing = [c for c in characters if unicodedata.normalize("NFD", c) != c]
    marks = [c for c in characters if unicodedata.combining(c)]
    texts = [*changing, *(unicodedata.normalize("NFD", c) for c in changing)]
    texts += [first + "a" + last for first, last in zip(marks, reversed(marks))]
    composed = [text.decode() for text in compose(tf.constant(texts)).numpy()]
    assert len(texts) > 26_000 and composed == [normal(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    ["a\u0328\u0301", "a\u0301\u0328", "o\u0302\u0323", "e\u0304\u0304", "s\u0307\u0323", "\u0301a",
     "\u1100\u1161\u11a8\u11a8", "\u0915\u093c", "\u212b\u0301", "\u09c7\u09be\u09d7"],
)  # fmt: skip
def test_marks_that_follow_each_other_are_composed_in_the_order_of_unicode(text):
    assert compose(tf.constant([text])).numpy()[0].decode() == normal(text)


@pytest.mark.parametrize("kind", KINDS)
def test_no_character_that_decomposes_ends_a_word_elsewhere(kind):
    characters = (chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000)
    changing = [f"a{c}b" for c in characters if unicodedata.decomposition(c)[:1] not in ("", "<")]
    for text in changing:
        tokens = cut(unicodedata.normalize("NFD", text), word_pattern(kind))
        assert [*map(normal, tokens)] == [*map(normal, cut(text, word_pattern(kind)))], ascii(text)


def test_the_commonest_tokens_come_first_and_unk_is_none_of_them():
    assert commonest(["b", "a", "c", "a", "c", "d"], minimum=2) == ["a", "c"]
    assert commonest({"<unk>": 9, "b": 1, "a": 1}) == ["a", "b"]


def test_of_markup_few_tokens_of_a_new_text_are_new():
    text = "well-made b2b_x 21.2.1903 1\ufe0f\u20e3 १२ gal·lès вʼєт 学校"
    assert cut(text, word_pattern("markup")) == [
        "well", "-", "made", "b", "2", "b", "_", "x", *"21.2.1903", "1\ufe0f\u20e3", "१", "२",
        "gal·lès", "вʼєт", "学", "校",
    ]  # fmt: skip


def test_tokens_that_are_given_without_a_rule_are_of_the_first():
    assert (cut_rule(0, known=True), cut_rule(0, known=False), cut_rule(1, known=False)) == (
        1,
        NEWEST,
        1,
    )
    with pytest.raises(UserError, match="tokenizer is 4, but this version of the zoo knows 1 to 3"):
        word_pattern("signs", NEWEST + 1)

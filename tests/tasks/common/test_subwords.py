import pytest
import sentencepiece
import tensorflow as tf

from tasks.common.subwords import LONGEST, Subwords
from tasks.common.text import SPECIAL, UNKNOWN
from tasks.common.words import normal, word_pattern
from tasks.translation.phrases import phrases
from zoo.errors import UserError

PATTERN = word_pattern("exact")
ODD = [
    "Die Feuerwehrmänner löschten das Haus — schön, oder?",
    "日本語とEnglish mixed 中文",
    "😀😀 a😀b 👩‍👩‍👧 ❤️",
    "e\u0301a\u0308o\u0302 Zu\u0308rich",
    "Ελληνικά, добрый день, עברית, नमस्ते दुनिया, 한국어",
    "αβγ-unknown ẞß ŒUVRE İstanbul",
    "  a  b ",
    "",
    " ",
    "1.234,5 m²",
]


@pytest.fixture(scope="module")
def texts():
    """Thousands of short texts in five languages."""
    found = []
    for language in ("de", "zh", "fr"):
        for phrase in phrases(language, {"train": 800})["train"]:
            found += [phrase.source, phrase.target]
    return [*found, *ODD[:5]]


@pytest.fixture(scope="module", params=[False, True], ids=["cased", "lowercase"])
def learnt(request, texts):
    """Subwords, and the library's model with the same pieces."""
    lowercase = request.param
    models = []

    class Watched(sentencepiece.SentencePieceProcessor):
        def __init__(self, model_proto):
            models.append(model_proto)
            super().__init__(model_proto=model_proto)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentencepiece, "SentencePieceProcessor", Watched)
        tokens = Subwords(lowercase=lowercase).learn(texts, 1_500)
    library = sentencepiece.SentencePieceProcessor(model_proto=models[0])
    return Subwords(tokens, lowercase), library


def expected(library, subwords, text):
    """The ids of a text as the library tells them, word by word."""
    if not text:
        return []
    text = normal(" " + text)
    lowered = tf.strings.lower(text, "utf-8") if subwords.lowercase else text
    marked = tf.strings.regex_replace(lowered, f"({PATTERN})", r"\1" + "\x1f").numpy().decode()
    ids = [index for word in marked.split("\x1f")[:-1] for index in library.encode(word)]
    return [index + len(SPECIAL) - 1 if index else UNKNOWN for index in ids]


@pytest.mark.slow
def test_pieces_are_those_of_the_library_for_thousands_of_texts(learnt, texts):
    subwords, library = learnt
    texts = texts + ODD
    assert len(texts) > 4_000
    found = subwords.encode(tf.constant(texts)).to_list()
    assert found == [expected(library, subwords, text) for text in texts]
    assert any(UNKNOWN in row for row in found)


def test_pieces_joined_are_the_text(learnt):
    subwords, _ = learnt
    # In lower case, İ is two characters.
    texts = [text for text in ODD if "İ" not in text]
    pieces = subwords.split(tf.constant(texts))
    assert [text.decode() for text in subwords.join(pieces).numpy()] == [*map(normal, texts)]
    ids = subwords.encode(tf.constant(texts))
    assert pieces.row_splits.numpy().tolist() == ids.row_splits.numpy().tolist()


def test_texts_are_decoded_as_they_were(learnt, texts):
    subwords, _ = learnt
    ids = subwords.encode(texts[:500])
    decoded = subwords.decode(ids.to_tensor(), ids.row_lengths()).numpy()
    lowered = tf.strings.lower(texts[:500], "utf-8") if subwords.lowercase else texts[:500]
    assert decoded.tolist() == tf.convert_to_tensor(lowered).numpy().tolist()


def test_a_long_word_and_new_letters_side_by_side_are_unknown_once(learnt):
    subwords, _ = learnt
    for word, count in (("x" * (LONGEST + 1), 1), ("ꙮꙮꙮ", 2), ("ꙮ1ꙮ", 4)):
        ids = subwords.encode([word]).to_list()[0]
        assert len(ids) == count and UNKNOWN in ids
        assert b"".join(subwords.split([word]).numpy()[0]).decode() == " " + word


def test_learning_twice_gives_the_same_pieces(texts):
    assert Subwords().learn(texts[:800], 300) == Subwords().learn(texts[:800], 300)


def test_too_few_pieces_for_all_characters_are_refused(texts):
    with pytest.raises(UserError, match="vocabulary_size is 40, but the texts have"):
        Subwords().learn(texts, 40)


@pytest.mark.slow
def test_an_export_cuts_words_with_plain_tensorflow(encode_elsewhere):
    subwords = Subwords([" Ta", "ge", "Ta", " ", "T", "a", "g", "e"])
    expected = subwords.encode(["5 Tage"]).to_tensor().numpy().tolist()
    assert encode_elsewhere(subwords, "5 Tage") == expected

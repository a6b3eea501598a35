import pytest

from tasks.sequence_labelling.columns import read_columns
from zoo.errors import UserError


def written(tmp_path, text, name="words.conll"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_treebank_is_read_without_ranges_empty_nodes_and_comments(treebank):
    first, *others = read_columns(treebank / "en_toy-ud-train.conllu.gz")
    assert first.words == ["the", "cat", "likes", "the", "walker", "."]
    assert first.tags == ["DET", "NOUN", "VERB", "DET", "NOUN", "PUNCT"]
    assert first.place == f"line 3 of {treebank}/en_toy-ud-train.conllu.gz"
    assert len(others) == 29


@pytest.mark.parametrize(
    ("column", "first"), [("upos", "DET"), ("xpos", "XD"), ("deprel", "root"), ("form", "the")]
)
def test_any_column_of_a_treebank_may_be_the_tag(treebank, column, first):
    assert read_columns(treebank / "en_toy-ud-dev.conllu.gz", column)[0].tags[0] == first


@pytest.mark.parametrize(
    ("column", "tags"),
    [("", ["I-ORG", "O"]), ("2", ["NNP", "VBZ"]), ("4", ["I-ORG", "O"])],
)
def test_columns_of_conll_2003_are_numbered_and_documents_left_out(conll, column, tags):
    sentences = read_columns(conll / "eng.train", column)
    assert [each.words for each in sentences] == [
        ["EU", "rejects", "German", "call", "."],
        ["Peter", "Blackburn", "Anna"],
    ]
    assert sentences[0].tags[:2] == tags


def test_what_ends_without_a_blank_line_is_a_sentence_too(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbfNew\tB-LOC\r\nYork\tI-LOC\r\n\r\n\r\nyes\tO")
    assert [(each.words, each.tags) for each in read_columns(path)] == [
        (["New", "York"], ["B-LOC", "I-LOC"]),
        (["yes"], ["O"]),
    ]


def test_a_tab_at_the_end_of_a_line_sets_nothing_apart(tmp_path):
    (sentence,) = read_columns(written(tmp_path, "New\tNNP\tB-LOC\t\nYork\tNNP\tI-LOC\n"))
    assert sentence.tags == ["B-LOC", "I-LOC"]


def test_columns_of_conllu_are_known_by_a_name_in_capitals_too(tmp_path):
    line = "1\tRome\tRome\tPROPN" + "\t_" * 6
    assert read_columns(written(tmp_path, line, "A.CONLLU"))[0].words == ["Rome"]


def test_a_word_between_tabs_may_hold_a_space(tmp_path):
    (sentence,) = read_columns(written(tmp_path, "1 000\tNUM\n"))
    assert sentence.words == ["1 000"]


@pytest.mark.parametrize(
    ("text", "name", "column", "said"),
    [
        ("a DT O\nb NN O\n\nc NN\n", "w.conll", "", "line 4 of {} has 2 columns, but 3 are needed"),
        ("alone\n", "w.conll", "", "line 1 of {} has 1 columns, but 2 are needed: 'alone'"),
        ("a\tO\nb\t\n", "w.tsv", "", "line 2 of {} has 1 columns, but 2 are needed"),
        ("a O\n", "w.conll", "3", "line 1 of {} has 2 columns, but 3 are needed"),
        ("1\ta\ta\tDET\n", "w.conllu", "", "line 1 of {} has 4 columns, but 10 are needed"),
        ("# text = a\n1 a a DET\n", "w.conllu", "", "line 2 of {} has 1 columns, but 10"),
        (
            "a O\n",
            "w.conll",
            "ner",
            "tag_column is 'ner', but the columns of w.conll have no names",
        ),
        ("a O\n", "w.conll", "1", "tag_column is 1, but column 1 of {} holds the words"),
        ("", "w.conllu", "upso", "did you mean upos"),
        ("x O\n" * 10_000, "w.conll", "", "that ends after line 1001 of {} has more than 1000"),
        ("", "w.conll", "", "{} is empty"),
        ("\n\n", "w.conll", "", "{} is empty"),
        ("# nothing\n", "w.conllu", "", "{} has no sentences: expected a word on each line"),
        (b"caf\xe9 O\n", "w.conll", "", "{} is not UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_line(tmp_path, text, name, column, said):
    path = written(tmp_path, text, name)
    with pytest.raises(UserError) as error:
        read_columns(path, column)
    assert said.format(path) in str(error.value)
    assert "\n" not in str(error.value)


ROWS = [
    [(f"Anna{n}", "NNP", "B-PER"), ("likes", "VBZ", "O"), *[(f"x{n}", "NN", "O")] * (n % 3),
     ("#", "SYM", "O"), (".", ".", "O")]
    for n in range(12)
]  # fmt: skip
UNDER = "\t_" * 2


def lines(form, comment="", rows=ROWS):
    """Sentences, each word written by a form: its number, the word, and its two tags."""
    made = []
    for number, sentence in enumerate(rows):
        made += [comment.format(number)] if comment else []
        made += [form.format(n, *word, n=n - 1, s=number) for n, word in enumerate(sentence, 1)]
        made += [""]
    return "\n".join(made)


def inline(form, rows=ROWS):
    return "\n".join(" ".join(form.format(*word) for word in sentence) for sentence in rows)


POS, NER = (tuple(word[n] for word in ROWS[1]) for n in (1, 2))
FILES = {
    "two columns": ("a.conll", lines("{1} {3}"), NER, ""),
    "a word, pos, chunk and entity": ("eng.train", lines("{1} {2} I-NP {3}"), NER, ""),
    "Windows line breaks": ("a.conll", lines("{1}\t{3}").replace("\n", "\r\n"), NER, ""),
    "an index first": ("a.conll", lines("{0} {1} {2} I-NP {3}"), NER, "words are column 2"),
    "an index from zero": ("a.tsv", lines("{n}\t{1}\t{3}"), NER, "words are column 2"),
    "CoNLL-X": ("a.conll", lines("{0}\t{1}\t_\t{2}\t{2}\t_\t0\troot" + UNDER), POS, ""),
    "CoNLL-U by another name": (
        "a.txt", lines("{0}\t{1}\t_\t{2}\t_\t_\t0\troot" + UNDER, "# text = {}"), POS, "",
    ),
    "CoNLL-U without upos": (
        "a.conllu", lines("{0}\t{1}\t_\t_\t{2}\t_\t0\troot" + UNDER), POS, "tags are xpos",
    ),
    "CoNLL-2012": (
        "a.conll",
        "#begin document (bc/x); part 000\n"
        + lines("bc/x 0 {n} {1} {2} (TOP* - - - spk (X) -").replace("(X)", "(PER)", 1)
        + "\n#end document\n",
        ["B-X"] * len(NER), "",
    ),
    "GermEval": (
        "a.tsv", lines("{0}\t{1}\t{3}\tO", "#\tn-tv.de vom {}.02.2005 [2005]"), NER, "column 3",
    ),
    "MultiCoNER": (
        "a.conll", lines("{1} _ _ {3}", "# id {:04x}\tdomain=en"), NER, "left out 12 lines as",
    ),
    "comments of as many columns": ("a.conll", lines("{1} {2} I-NP {3}", "# id {0} x"), NER, ""),
    "comments of text": ("a.conll", lines("{1}\t{3}", "# text = a {} b"), NER, "left out 12"),
    "a part that is the same in all lines": ("a.conll", lines("doc {s} {1} {3}"), NER, "column 3"),
    "word|tag": ("a.txt", inline("{0}|{2}"), NER, ""),
    "word|pos|ner": ("a.txt", inline("{0}|{1}|{2}"), NER, ""),
    "word/tag": ("a.txt", inline("{0}/{1}"), POS, ""),
    "word_tag": ("a.txt", inline("{0}_{1}"), POS, ""),
    "word|tag on each line": ("a.txt", lines("{1}|{3}"), NER, ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_words_and_tags_of_the_whole_family_are_found(tmp_path, kind, capsys):
    name, text, tags, message = FILES[kind]
    sentences = read_columns(written(tmp_path, text, name))
    assert [each.words for each in sentences] == [[word[0] for word in row] for row in ROWS]
    assert sentences[1].tags == list(tags)
    assert message in capsys.readouterr().err


def test_columns_can_be_said(tmp_path):
    path = written(tmp_path, lines("{1} {2} {0} {3}"))
    assert read_columns(path, "2")[1].tags == list(POS)
    path = written(tmp_path, lines("{2} {1} {3}"))
    assert read_columns(path, "1", "2")[1] == (
        [word[0] for word in ROWS[1]], list(POS), f"line 6 of {path}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "separator"),
    [("10\xa0000", " "), ("\u3000", " "), ("\u3000", "\t"), ("\xa0", "\t"), ("a b", "\t")],
)
def test_only_tabs_and_spaces_set_columns_apart(tmp_path, word, separator):
    (sentence,) = read_columns(
        written(tmp_path, f"x{separator}O\n{word}{separator}O\ny{separator}O")
    )
    assert sentence.words == ["x", word, "y"]


def test_a_hashtag_with_a_tag_of_its_own_is_a_word(tmp_path):
    (sentence,) = read_columns(written(tmp_path, "#happy\tHT\nso\tADV\n#\tSYM\nyes\tINTJ"))
    assert sentence.words == ["#happy", "so", "#", "yes"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lines("{n} O"), "column 1 of {} holds numbers, not words: say with word_column"),
        (lines("0 0 {3}"), "column 1 of {} holds numbers, not words: say with word_column"),
        (lines("x {3}"), "column 1 of {} holds the same again and again, not words"),
        (lines("{1} {0}"), "column 2 of {} holds numbers, not tags: if they are, say tag_column=2"),
        (lines("{1} l{1}"), "column 2 of {} has 22 different values, nearly as many as there"),
        (lines("{1} l{1} _"), "no column of {} holds tags, column 3 has 1 different values"),
        (lines("{1} {3}") + "\nmore O O\n", "line 73 of {} has 3 columns, but 2 are needed"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_columns(path)
    assert message.format(path) in str(error.value) and "\n" not in str(error.value)


def test_numbers_are_tags_if_that_is_said(tmp_path, capsys):
    path = written(tmp_path, lines("{1} {0}"))
    assert read_columns(path, "2")[0].tags[:2] == ["1", "2"]
    assert "the tags, holds numbers only" in capsys.readouterr().err


@pytest.mark.parametrize("header", ["Token\tPOS\tNER", "id\tToken\tTag", "Nummer\tWort\tEigenname"])
def test_a_line_that_names_the_columns_is_no_word(tmp_path, header, capsys):
    index = not header.startswith("Token")
    rows = [("Ann", "B-PER"), ("ran", "O"), ("", ""), ("Bo", "B-PER"), ("sat", "O"), ("up", "O")]
    lines = [
        (f"{n}\t{word}\t{tag}" if index else f"{word}\tX{n}\t{tag}") if word else ""
        for n, (word, tag) in enumerate(rows)
    ]
    path = written(tmp_path, "\n".join([header, *lines]))
    assert [each.words for each in read_columns(path)] == [["Ann", "ran"], ["Bo", "sat", "up"]]
    assert f"left out line 1 as the names of the columns: {header!r}" in capsys.readouterr().err


def test_places_of_words_are_no_words(tmp_path):
    lines = ["#Text=Ann ran", "1-1\t0-3\tAnn\tB-PER", "1-2\t4-7\tran\tO"]
    path = written(tmp_path, "\n".join(lines))
    assert read_columns(path)[0].words == ["Ann", "ran"]


def test_the_line_that_lacks_columns_is_named(tmp_path):
    path = written(tmp_path, "Sentence #,Word,Tag\n1,Ann,B-PER\n1,ran,O\n")
    with pytest.raises(UserError, match=r"line 2 .* has 1 columns, but 2 are needed"):
        read_columns(path)

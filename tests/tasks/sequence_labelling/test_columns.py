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
        ("a O\n", "w.conll", "ner", "column is 'ner', but w.conll needs a number from 2 on"),
        ("a O\n", "w.conll", "1", "column is '1', but w.conll needs a number from 2 on"),
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

import gzip

import pytest

from tasks.common.tables import check_not_swallowed, hub_folder, read_table
from zoo.errors import UserError
from zoo.readers.tables import number, read_rows


def written(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


TABLES = {
    "tabs": ("a.tsv", "text\tlabel\nx, y; z\tpos\n", [["x, y; z", "pos"]]),
    "marks in a tsv are text": (
        "a.tsv",
        'text\tlabel\n"She said.\tpos\nAnd left."\tneg\n',
        [['"She said.', "pos"], ['And left."', "neg"]],
    ),
    "marks in a tsv, the label first": (
        "a.tsv",
        'label\ttext\npos\t"She said.\nneg\tAnd left."\n',
        [["pos", '"She said.'], ["neg", 'And left."']],
    ),
    "marks in a txt set apart by tabs": (
        "a.txt",
        'text\tlabel\n"x\ta\ny"\tb\n',
        [['"x', "a"], ['y"', "b"]],
    ),
    "a tsv in marks throughout, as R writes it": (
        "a.tsv",
        '"text"\t"label"\n"he said ""so"""\t1\n"x"\t2\n',
        [['he said "so"', "1"], ["x", "2"]],
    ),
    "a tsv in marks where a cell has any, as pandas writes it": (
        "a.tsv",
        'text\tlabel\n"he said ""so"""\ta\n"x\ty"\tb\nz\tb\n',
        [['he said "so"', "a"], ["x\ty", "b"], ["z", "b"]],
    ),
    "a tsv of texts in marks": ("a.tsv", 'text\tlabel\n"x"\ta\n', [['"x"', "a"]]),
    "quoted tabs in a csv": ("a.csv", 'text\tlabel\n"x\ty"\ta\n', [["x\ty", "a"]]),
    "a mark as two, and a line break": (
        "a.csv",
        'text,label\n"a ""b""\nc",x\n',
        [['a "b"\nc', "x"]],
    ),
    "a space after the comma": ("a.csv", 'text, label\n"a, b", x\n', [["a, b", "x"]]),
    "a mark inside a word": ("a.csv", 'text,label\n5" screen,x\n', [['5" screen', "x"]]),
    "semicolons and decimal commas": (
        "a.csv",
        "text;label\n1,5;2,5\n3,5;4,5\n",
        [["1,5", "2,5"], ["3,5", "4,5"]],
    ),
    "Excel's first line": ("a.csv", "sep=;\r\ntext;label\r\na,b;x\r\n", [["a,b", "x"]]),
    "Excel's first line in quotes": ("a.csv", '"sep=|"\ntext|label\na,b|x\n', [["a,b", "x"]]),
    "bars": ("a.csv", "text| label\na, b| x\n", [["a, b", "x"]]),
    "a byte-order mark": ("a.csv", "\ufefftext,label\na,x\n", [["a", "x"]]),
    "packed": ("a.csv.gz", gzip.compress(b"text,label\na,x\n"), [["a", "x"]]),
    "blank rows and cells at the end": ("a.csv", "text,label\n\na,x,,\n,\n", [["a", "x"]]),
    "one text has more commas than the header": (
        "a.csv",
        'text,label\n"a,b,c,d",x\n',
        [["a,b,c,d", "x"]],
    ),
    "a text of another script": (
        "a.csv",
        "text,label\n一、二\u2028三,x\n",
        [["一、二\u2028三", "x"]],
    ),
    "JSON, an object a line": (
        "a.jsonl",
        '{"text": " a \\"b\\"\\n\u2028c", "label": 1.50}\n\n{"label": true, "text": null}\n',
        [['a "b"\n\u2028c', "1.50"], ["", "true"]],
    ),
    "JSON, a list, packed": (
        "a.json.gz",
        gzip.compress(b'[\n{"text": "a, [b]",\n"label": "x"},\n{"label": "y"}, {"text": ""}]\n'),
        [["a, [b]", "x"], ["", "y"]],
    ),
    "JSON, objects in objects": (
        "a.ndjson",
        '{"id": null, "translation": {"text": "a", "label": "x"}}',
        [["", "a", "x"]],
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_many_kinds_are_read(tmp_path, kind):
    name, content, cells = TABLES[kind]
    table = read_table(written(tmp_path / name, content), ["text", "label"])
    assert table.named and {*table.names} - {"id"} == {"text", "label"}
    assert [row.cells for row in table.rows] == cells


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", 'text,label\na,x\n"b,x\nc,x\n', "line 3 has a quotation mark that is not closed"),
        ("a.csv", 'text,label\n"a"b,x\n', "line 2 is no row of fields"),
        ("a.csv", "text,label\na,b,x\n", "line 2 has 3 fields, .* put a text that holds ','"),
        ("a.csv", "sep=;\ntext;label\na;b;x\n", "line 3 has 3 fields, but the first row has 2"),
        ("a.tsv", 'text\tlabel\n"a\nb"\tx\n', "line 2 has 1 fields, .* hold nothing together"),
        ("a.csv", "", "is empty"),
        ("a.jsonl", '{"text": "a"}\n\n{"text": "b"\n', "line 3 is no JSON"),
        ("a.jsonl", '{"text": "a"}\n"b"\n', "line 2 is no object"),
        ("a.jsonl", '{"text": ["a", "b"]}\n', "with texts or numbers, but lists in text"),
        ("a.jsonl", '{"text": "a", "b": {"text": "c"}}', "line 1 has two members .* called text"),
        ("a.json", '[\n{"text": "a"}', "line 2 is no JSON"),
        ("a.json", '[\n{"text": "a",\n"label": "b"},\n["c"]]', "line 4 is no object"),
        ("a.json", "[]", "holds no objects with texts or numbers"),
        ("a.csv", b"text,label\nGr\xfc\xdfe,x\n", "is not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_told_in_one_line(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message) as raised:
        read_table(written(tmp_path / name, content), ["text", "label"])
    assert name in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(("first", "column"), [("text,label", 1), ("label,text", 0)])
def test_a_mark_in_a_csv_that_swallows_rows_is_refused(tmp_path, first, column):
    rows = [
        ("one", "pos"),
        ('"She said', "pos"),
        ("good", "neg"),
        ('left."', "neg"),
        ("bad", "neg"),
    ]
    lines = [",".join(row[:: 1 if column else -1]) for row in rows]
    table = read_table(written(tmp_path / "a.csv", "\n".join([first, *lines])), ["text"])
    assert len(table.rows) == 3
    with pytest.raises(UserError, match="line 3 has a quotation mark that is not closed"):
        check_not_swallowed(table, column)
    whole = '{"text": "one\\nx,pos", "label": "pos"}'
    check_not_swallowed(read_table(written(tmp_path / "a.jsonl", whole)), 1)
    fine = written(tmp_path / "b.csv", 'text,label\n"Well, yes\nno, no",pos\nx,neg\n')
    check_not_swallowed(read_table(fine, ["text"]), 1)


def test_columns_are_chosen_by_name_or_by_number(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "Body,2\nx,y\n"), ["body"])
    assert table.column("BODY", (), "text_column", "texts") == 0
    assert table.column("2", (), "text_column", "texts") == 1
    assert table.column("1", (), "text_column", "texts") == 0
    assert table.column("", ("text", "body"), "text_column", "texts") == 0
    with pytest.raises(UserError, match="none is called 3: say with text_column which one holds"):
        table.column("3", (), "text_column", "texts")


def test_a_column_of_numbers_is_no_text_without_a_word(tmp_path, capsys):
    table = read_table(written(tmp_path / "a.csv", "text,label\n1,a\n2.5,b\n"), ["text"])
    with pytest.raises(UserError, match=r"column 1 \(text\) holds numbers, not texts"):
        table.check_texts(0, "text_column", "texts")
    table.check_texts(0, "text_column", "texts", chosen=True)
    assert "column 1 (text) holds numbers only" in capsys.readouterr().err
    table.check_texts(1, "text_column", "texts")


def test_a_column_of_splits_is_found_by_what_it_says(tmp_path):
    path = written(tmp_path / "a.csv", "text,set\nx,Train\ny,dev\n")
    assert read_table(path, ["text"]).splits() == ["Train", "dev"]
    path = written(tmp_path / "b.csv", "text,set\nx,one\ny,dev\n")
    assert read_table(path, ["text"]).splits() == ["", ""]


@pytest.mark.parametrize(
    ("cell", "separator", "value"),
    [("1.5", ",", 1.5), ("1,5", ";", 1.5), ("-1,25", ",", -1.25), ("1,250", ",", None),
     ("1,250", ";", 1.25), ("1_000", ",", None), ("x", ";", None), ("1.2,3", ";", None)],
)  # fmt: skip
def test_a_decimal_comma_is_read_where_it_can_be_nothing_else(cell, separator, value):
    assert number(cell, separator) == value


def test_rows_of_any_length_are_read_if_asked(tmp_path):
    path = written(tmp_path / "a.tsv", "a\tb\nc\td\te\n")
    assert [row.cells for row in read_rows(path, ragged=True).rows] == [["a", "b"], ["c", "d", "e"]]


def test_the_number_of_a_column_is_no_name_of_one(tmp_path):
    path = written(tmp_path / "stars.csv", '"2","good, 1"\n"1","bad, 1"\n"2","good, 2"\n')
    table = read_table(path, ["text", "1", "2"])
    assert len(table.rows) == 3
    assert [table.column(n, (), "columns", "numbers") for n in ("1", "2")] == [0, 1]


def test_lists_in_json_are_left_out_and_named(tmp_path, capsys):
    path = written(tmp_path / "a.jsonl", '{"text": "a", "b": ["c"]}\n{"d": {"e": []}, "text": "f"}')
    table = read_table(path, ["text"])
    assert table.names == ["text"] and table.cells(0) == ["a", "f"]
    assert capsys.readouterr().err == f"{path}: left out b, e: lists are no cells\n"


@pytest.mark.parametrize(
    ("files", "inner"),
    [
        (["data/train.parquet", "README.md"], "data"),
        (["plain_text/train-00000-of-00001.parquet", ".gitattributes", "LICENSE"], "plain_text"),
        (["cola/words.parquet", "sst2/words.parquet"], ""),
        (["data/train.parquet", "cats/1.png"], ""),
        (["data/train.parquet", "test.csv"], ""),
        (["data/train.csv"], ""),
        (["train/0000.parquet"], ""),
        (["default/train/0000.parquet", "default/test/0000.parquet"], "default"),
    ],
)
def test_the_tables_of_a_repository_of_the_hub_are_where_they_alone_are(tmp_path, files, inner):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert hub_folder(tmp_path) == tmp_path / inner


def test_of_several_configurations_one_is_needed(tmp_path):
    for file in ("README.md", "de-en/train-00000-of-00001.parquet", "fr-en/test.parquet"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(UserError, match=r"in de-en, fr-en, .*: give one, such as .*/de-en$"):
        hub_folder(tmp_path)
    (tmp_path / "fr-en/test.parquet").rename(tmp_path / "fr-en/words.parquet")
    assert hub_folder(tmp_path) == tmp_path


def test_a_column_of_lists_is_refused_as_such(tmp_path, write_parquet):
    columns = {"text": ["a", "b"], "Labels": [["x", "y"], []]}
    table = read_table(write_parquet(tmp_path / "a.parquet", columns))
    for chosen, usual in (("", ["label", "labels"]), ("labels", [])):
        with pytest.raises(UserError, match=r"a\.parquet: Labels holds lists, but one value a row"):
            table.column(chosen, usual, "label_column", "the labels")
    with pytest.raises(UserError, match="none is called label"):
        table.column("", ["label"], "label_column", "the labels")

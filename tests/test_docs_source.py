"""The lines of source that pages show are there."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_SPEC = importlib.util.spec_from_file_location("snippets", ROOT / "docs" / "snippets.py")
snippets = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(snippets)
NAMED = [
    (path.name, named)
    for path in sorted((ROOT / "docs").glob("*.md"))
    for named in re.findall(r"^```source\n(.*?)\n```$", path.read_text("utf-8"), re.M | re.S)
]


@pytest.mark.parametrize(("page", "named"), NAMED, ids=str)
def test_a_block_of_source_names_lines_that_are_there(page, named):
    file = named.split()[0]
    source = (ROOT / file).read_text(encoding="utf-8")
    lines = snippets.lines_of(named).splitlines()
    assert 1 <= len(lines) <= 50
    assert all(line.strip() in source for line in lines)


def test_the_lecture_shows_source():
    assert len([named for page, named in NAMED if page == "lecture.md"]) > 20


@pytest.mark.parametrize(
    "named",
    [
        "zoo/cells/lstm.py LSTMCell.forget",
        "zoo/cells/lstm.py GRUCell",
        "zoo/cells/lstm.py LSTMCell.update: no such line",
        "zoo/cells/lstm.py LSTMCell.update: return h ... f, i, o, g",
    ],
)
def test_what_is_not_there_is_an_error(named):
    with pytest.raises(LookupError, match="no"):
        snippets.lines_of(named)


def test_a_page_has_the_lines_in_the_place_of_their_names():
    page = "Before\n\n```source\nzoo/cells/lstm.py LSTMCell.update: c = ... h =\n```\n\nafter\n"
    shown = snippets.with_source(page)
    assert '```python title="zoo/cells/lstm.py LSTMCell.update"\nc = ops.sigmoid(f)' in shown
    assert "```source" not in shown and shown.endswith("```\n\nafter\n")
    assert '"""' not in snippets.lines_of("zoo/cells/lstm.py LSTMCell.update")

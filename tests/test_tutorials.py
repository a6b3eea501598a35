"""The notebooks in docs/tutorials run as they stand, and what they show is theirs."""

import json
import re
from pathlib import Path

import pytest

from docs.notebooks import TUTORIALS, as_page, code_cells, read, run, run_file, source

NOTEBOOKS = {path.stem: path for path in sorted(TUTORIALS.glob("*.ipynb"))}
MOST_BYTES = 600_000


def kinds(notebook):
    """Return for each cell of code what it puts out: printed text, or the kinds of a value."""
    return [
        [output.get("name") or sorted(output["data"]) for output in cell["outputs"]]
        for cell in code_cells(notebook)
    ]


@pytest.fixture
def notebook():
    """Makes a notebook of cells of code."""

    def make(*programs):
        return {
            "cells": [
                {"cell_type": "code", "metadata": {"alt": "a dot"}, "source": program}
                for program in programs
            ]
        }

    return make


def test_there_are_six_and_they_are_small():
    assert len(NOTEBOOKS) == 6
    assert sum(path.stat().st_size for path in NOTEBOOKS.values()) < MOST_BYTES


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid(name):
    notebook = read(NOTEBOOKS[name])
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]{1,64}", each) for each in ids)
    assert re.match(r"# \w", source(notebook["cells"][0]))
    for cell in notebook["cells"]:
        usual = {"cell_type", "id", "metadata", "source"}
        more = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert cell.keys() == usual | more


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_was_run_from_top_to_bottom_without_an_error(name):
    cells = code_cells(read(NOTEBOOKS[name]))
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    for cell in cells:
        compile(source(cell), name, "exec")
        for output in cell["outputs"]:
            assert output["output_type"] in ("stream", "execute_result", "display_data")
            if "image/png" in output.get("data", {}):
                assert cell["metadata"]["alt"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_as_it_stands(name, tmp_path):
    run_file(NOTEBOOKS[name], tmp_path / "again.ipynb")
    assert kinds(read(tmp_path / "again.ipynb")) == kinds(read(NOTEBOOKS[name]))


def test_what_a_cell_puts_out_is_what_jupyter_keeps(notebook):
    cells = notebook(
        "a = 2\nprint('one')\nprint('two')\na * 21",
        "a;",
        "import matplotlib.pyplot as plt\nplt.plot([a, 3]);",
        "from PIL import Image\nImage.new('RGB', (3, 2))",
        "None",
    )
    run(cells)
    assert kinds(cells) == [
        ["stdout", ["text/plain"]],
        [],
        [["image/png"]],
        [["image/png", "text/plain"]],
        [],
    ]
    printed, value = cells["cells"][0]["outputs"]
    assert printed["text"] == ["one\n", "two\n"] and value["data"]["text/plain"] == ["42"]


def test_a_cell_that_fails_is_an_error_and_the_file_stays(notebook, tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(notebook("1 / 0"))
    path = tmp_path / "broken.ipynb"
    path.write_text(json.dumps(notebook("1 / 0")))
    before = path.read_text()
    with pytest.raises(Exception, match="exit status 1"):
        run_file(path, path)
    assert path.read_text() == before


def test_the_page_of_a_notebook_has_its_text_programs_outputs_and_pictures(notebook):
    cells = notebook("print('one')", "from PIL import Image\nImage.new('RGB', (3, 2))")
    cells["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": ["# Head\n", "a"]})
    run(cells)
    text, pictures = as_page(cells, "some")
    assert text.startswith("# Head\na\n\n```python\nprint('one')\n```\n\n```text\none\n```\n")
    assert text.endswith("![a dot](some-1.png)\n")
    assert pictures["some-1.png"][1:4] == b"PNG"


def test_the_site_leads_to_each_notebook():
    root = Path(__file__).parents[1]
    site = (root / "mkdocs.yml").read_text(encoding="utf-8")
    table = (root / "docs" / "tutorials.md").read_text(encoding="utf-8")
    for name, path in NOTEBOOKS.items():
        title = source(read(path)["cells"][0]).splitlines()[0].removeprefix("# ")
        assert f"tutorials/{name}.md" in site and f"[{title}](tutorials/{name}.ipynb)" in table

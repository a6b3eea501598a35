"""Every plot that there is hangs in the gallery, with the command that makes it."""

import ast
import shlex
from pathlib import Path

import pytest
from PIL import Image

from docs.gallery import DOCS, PAGE, PLOTS, make, page

ROOT = Path(__file__).parents[1]
MOST_BYTES = 1_500_000
MESSAGES = {"message_figure"}
"""What is drawn where there is nothing to draw."""


def modules(folder):
    """Yield the path and the syntax tree of each module."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def drawing(tree):
    """Return the public functions of a module that return a figure."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and isinstance(node.returns, ast.Name)
        and node.returns.id == "Figure"
    }


def makes_a_figure(tree):
    """Return whether a module makes figures itself."""
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(each, ast.Name) and each.id == "Figure" for each in called)


def test_each_kind_of_plot_is_in_the_gallery():
    there = set().union(*(drawing(tree) for _, tree in modules("zoo/evaluation"))) - MESSAGES
    shown = {name for plot in PLOTS for name in plot.drawn_by} - {"write_paintings"}
    assert there == shown and len(there) > 15


def test_plots_are_drawn_in_one_room_alone():
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for folder in ("zoo", "tasks")
        for path, tree in modules(folder)
        if makes_a_figure(tree) and "evaluation" not in path.parts
    ]
    assert elsewhere == ["zoo/api/plot.py"]  # asks which formats there are


def test_a_new_kind_is_seen():
    source = (
        "def new_figure(x: int) -> Figure: ...\ndef _part() -> Figure: ...\ndef save() -> None: ..."
    )
    assert drawing(ast.parse(source)) == {"new_figure"}
    assert makes_a_figure(ast.parse("def f(): return Figure()"))
    assert not makes_a_figure(ast.parse("def f(figure: Figure): return figure()"))


def test_the_page_is_what_the_script_writes():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_pictures_are_there_and_small():
    files = {DOCS / plot.picture for plot in PLOTS}
    assert len(files) == len(PLOTS) and {*(DOCS / "gallery").iterdir()} <= files
    for file in files:
        with Image.open(file) as picture:
            assert picture.format == "PNG" and 200 <= picture.width <= 900
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: Path(plot.picture).stem)
def test_a_picture_has_words_for_those_who_do_not_see_it(plot):
    assert len(plot.alt) > 30 and plot.alt.endswith(".") and not set("[]") & set(plot.alt)
    assert all(shlex.split(command)[0] == "zoo" for command in plot.commands)


@pytest.mark.slow
@pytest.mark.parametrize("picture", ["translation.png"])
def test_the_script_makes_a_picture(picture, tmp_path):
    plot = next(plot for plot in PLOTS if plot.picture == picture)
    (tmp_path / "made.png").write_bytes(make(plot, tmp_path, set()))
    with Image.open(tmp_path / "made.png") as again, Image.open(DOCS / picture) as hung:
        assert again.size == hung.size

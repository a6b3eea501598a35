"""Names say what a value is, not what happened to it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = {"told", "said", "found", "given", "kept"}
FILES = sorted(path for room in ("zoo", "tasks") for path in (ROOT / room).rglob("*.py"))


def names(tree):
    """Each name that a module binds: variables, arguments, attributes, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.alias | ast.ExceptHandler):
            yield getattr(node, "asname", None) or node.name or ""


def banned(source):
    """Names in which one of the words stands, whole: `_told`, `piece_kept` and `WordsFound`."""
    words = {name: re.findall(r"[a-z]+|[A-Z]+[a-z]*", name) for name in names(ast.parse(source))}
    return sorted(name for name in words if BANNED & {word.lower() for word in words[name]})


def test_the_words_are_seen_wherever_a_name_is_bound():
    source = """
import found as a, b as given
class Kept:
    said: int
    def _told(self, kept, *, piece_kept=1):
        self.found, unfounded = kept.told, "said"
        try: ...
        except OSError as said_aloud: ...
"""
    assert banned(source) == [
        "Kept", "_told", "found", "given", "kept", "piece_kept", "said", "said_aloud",
    ]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_is_a_word_that_says_nothing(path):
    assert not banned(path.read_text(encoding="utf-8"))

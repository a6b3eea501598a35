"""Lines of the source for the pages: a block ```source names them, and cannot become stale.

A block has one line, `zoo/cells/lstm.py LSTMCell.update`: a file from the top of the repository,
and a function, class or method in it, which is shown without its docstring. After a colon may
stand the beginning of the first line to show and, after `...`, that of the last.
"""

import ast
import re
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```source\n(.+)\n```$", re.MULTILINE)


def with_source(markdown: str) -> str:
    """Return a page with the lines that its blocks of source name, each under what it is of.

    Raises:
        LookupError: there is no such file, object or line.
    """

    def shown(match: re.Match[str]) -> str:
        place = match[1].partition(":")[0].strip()
        return f'```python title="{place}"\n{lines_of(match[1])}\n```'

    return _BLOCK.sub(shown, markdown)


def lines_of(named: str) -> str:
    """Return the lines of source that a block names.

    Raises:
        LookupError: there is no such file, object or line.
    """
    place, _, part = named.partition(":")
    file, name = place.split()
    source = (ROOT / file).read_text(encoding="utf-8")
    node = _find(ast.parse(source), name)
    lines = source.splitlines()
    if part:
        chosen = _between(lines[node.lineno - 1 : node.end_lineno], *part.split("..."))
    else:
        chosen = lines[node.lineno - 1 : node.end_lineno]
        if ast.get_docstring(node) is not None:
            doc = node.body[0]
            chosen = [
                *lines[node.lineno - 1 : doc.lineno - 1],
                *lines[doc.end_lineno : node.end_lineno],
            ]
    return textwrap.dedent("\n".join(chosen)).strip("\n")


def _find(node: Any, name: str) -> Any:
    for part in name.split("."):
        named = [each for each in ast.walk(node) if getattr(each, "name", None) == part]
        if not named:
            raise LookupError(f"there is no {name}")
        node = named[0]
    return node


def _between(lines: list[str], first: str, last: str = "") -> list[str]:
    """Return the lines from the one that begins with `first` to the next that does with `last`."""
    starts = [n for n, line in enumerate(lines) if line.strip().startswith(first.strip())]
    if not starts:
        raise LookupError(f"no line begins with {first.strip()}")
    ends = [
        n
        for n, line in enumerate(lines)
        if n >= starts[0] and line.strip().startswith((last or first).strip())
    ]
    if not ends:
        raise LookupError(f"no line after it begins with {last.strip()}")
    return lines[starts[0] : ends[0] + 1]

"""Imports run one way: a module imports from its own level or from those below."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From the bottom up. A package stands for all its modules; "zoo" itself is the public face.
LEVELS = [
    {"zoo.errors", "zoo.typing"},
    {"zoo.registry"},
    {"zoo.utils", "zoo.pretrained"},
    {"zoo.readers"},
    {"zoo.cells"},
    {"zoo.recurrence"},
    {"zoo.layers", "zoo.decoding"},
    {"zoo.topologies"},
    {"zoo.evaluation"},
    {"zoo.training"},
    {"zoo.task"},
    {"zoo.catalog"},
    {"zoo.diagnostics"},
    {"zoo.exporting", "zoo.importing"},
    {"tasks"},
    {"zoo", "zoo.api"},
    {"zoo.app"},
    {"zoo.cli"},
]
LEVEL = {part: level for level, parts in enumerate(LEVELS) for part in parts}
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("zoo", "tasks")
    for path in sorted((ROOT / package).rglob("*.py"))
}
HEAVY = {"tensorflow", "keras", "tensorflow_datasets"}


def imported(module: str) -> set[str]:
    """Every module that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in FILES else node.module)
    return found


def part(module: str) -> str:
    """The entry of LEVELS that a module belongs to."""
    top, *below = module.split(".")
    return f"zoo.{below[0]}" if top == "zoo" and below else top


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.split(".")[0] in ("zoo", "tasks")}


@pytest.mark.parametrize("module", FILES)
def test_a_module_imports_nothing_from_above(module):
    assert part(module) in LEVEL, f"give {part(module)} a place in LEVELS"
    above = {name for name in ours(imported(module)) if LEVEL[part(name)] > LEVEL[part(module)]}
    assert not above


@pytest.mark.parametrize("module", [name for name in FILES if name.startswith("zoo")])
def test_the_zoo_finds_tasks_by_entry_point_and_never_imports_one(module):
    assert not {name for name in imported(module) if name.split(".")[0] == "tasks"}


@pytest.mark.parametrize(
    "module",
    [
        "zoo",
        "zoo.errors",
        "zoo.registry",
        "zoo.catalog",
        "zoo.catalog.recipes",
        "zoo.diagnostics.comparison_log",
        "zoo.decoding.options",
        "zoo.pretrained",
        "zoo.exporting.manifest",
        "zoo.readers.modality",
        "zoo.readers.text",
        "zoo.readers.images",
        "zoo.readers.video",
        "zoo.readers.numbers",
        "zoo.readers.series_inputs",
        "zoo.readers.series",
        "zoo.importing.torch_file",
        "zoo.importing.paths",
        "zoo.cli",
    ],
)
def test_what_a_listing_imports_brings_no_tensorflow(module):
    code = f"import sys, {module}; print({HEAVY} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"

"""Brings what lies outside this folder into the site: README, cards, tables, lines of source.

In a clone, pages link to these files where they are, such as `../benchmarks/results/cells.md`. On
the site they are pages of their own, at the same path below its top.
"""

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

from snippets import with_source

ROOT = Path(__file__).parent.parent
_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
_FOLDERS = ("benchmarks/results/*.md", "saved_models/*/*.md", "saved_models/*/*.png",
            "saved_models/*/examples/*", "examples/*.py", "examples/*.yaml")  # fmt: skip
_HOME = "index.md"
# In a clone they are folders to look into.
_UNLINKED = re.compile(r"\[([^\]]+)\]\((?:saved_models|results)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the files from outside, the README as the first page."""
    outside = [
        *_PAGES,
        *(str(path.relative_to(ROOT)) for glob in _FOLDERS for path in ROOT.glob(glob)),
    ]
    for name in outside:
        place = _HOME if name == "README.md" else name
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links lead to where their files are on the site, and show the source that is named."""
    markdown = with_source(markdown)
    if page.file.src_uri == _HOME:
        markdown = markdown.replace("](docs/", "](")
    elif "/" not in page.file.src_uri:
        markdown = re.sub(r"\]\(\.\./(?=[a-zA-Z])", "](", markdown).replace(
            "](README.md", f"]({_HOME}"
        )
    return _UNLINKED.sub(r"\1", markdown)

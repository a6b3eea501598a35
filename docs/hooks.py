"""Brings into the site what is no page of this folder: README, cards, tables, notebooks, source.

In a clone, pages link to these files where they are, such as `../benchmarks/results/cells.md`. On
the site they are pages of their own, at the same path below its top, and so is each notebook.
"""

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

from notebooks import TUTORIALS, as_page, read
from snippets import with_source

ROOT = Path(__file__).parent.parent
_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
_FOLDERS = ("benchmarks/results/*.md", "saved_models/*/*.md", "saved_models/*/*.png",
            "saved_models/*/examples/*", "examples/*.py", "examples/*.yaml")  # fmt: skip
_HOME = "index.md"
# In a clone they are folders to look into.
_UNLINKED = re.compile(r"\[([^\]]+)\]\((?:saved_models|results)\)")
_NOTEBOOK = re.compile(r"(\]\([\w/]+)\.ipynb\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the files from outside, the README as the first page, and a page for each notebook."""
    outside = [
        *_PAGES,
        *(str(path.relative_to(ROOT)) for glob in _FOLDERS for path in ROOT.glob(glob)),
    ]
    for name in outside:
        place = _HOME if name == "README.md" else name
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    for path in sorted(TUTORIALS.glob("*.ipynb")):
        text, pictures = as_page(read(path), path.stem)
        for name, content in {f"{path.stem}.md": text, **pictures}.items():
            files.append(File.generated(config, f"{TUTORIALS.name}/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links lead to where their files are on the site, and show the source that is named."""
    place = page.file.src_uri
    markdown = _NOTEBOOK.sub(r"\1.md)", with_source(markdown))
    if place == _HOME:
        markdown = markdown.replace("](docs/", "](")
    elif place.startswith(f"{TUTORIALS.name}/"):
        markdown = markdown.replace("](../../", "](../")
        markdown += f"\n[This page as a notebook]({Path(place).stem}.ipynb)\n"
    elif "/" not in place:
        markdown = re.sub(r"\]\(\.\./(?=[a-zA-Z])", "](", markdown).replace(
            "](README.md", f"]({_HOME}"
        )
    return _UNLINKED.sub(r"\1", markdown)

"""What the README and docs/ point to is there, and their commands are those that there are."""

import re
import shlex
from pathlib import Path

import click
import pytest

from zoo import registry
from zoo.cli import zoo as command_line

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}


def anchor(heading: str) -> str:
    """Return how a heading is linked to."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if link.startswith("http"):
            continue
        name, _, place = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), link
        if place:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in map(anchor, headings), link


def commands(page):
    """Yield the arguments of each `zoo` command in the blocks of shell of a page."""
    for block in re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s[|]\s|&&|;", re.sub(r"(^|\s)#.*", "", line)):
                if part.strip().startswith("zoo "):
                    yield shlex.split(part)[1:]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_there_is(page):
    for words in commands(page):
        words = words[: words.index(">")] if ">" in words else words
        with click.Context(command_line, info_name="zoo") as above:
            name, command, rest = command_line.resolve_command(above, words)
            context = command.make_context(name, rest, parent=above)
        if name == "fit" and context.params["name"]:
            registry.get("model", context.params["name"])


def test_the_readme_is_short_and_every_page_is_reached_from_it():
    assert len(PAGES["README.md"]) < 7000
    for page in PAGES:
        if page.startswith("docs/"):
            assert f"]({page})" in PAGES["README.md"], page

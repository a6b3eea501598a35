"""What the README and docs/ point to is there, and their commands are those that there are."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from docs.notebooks import TUTORIALS, read, source
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


for path in sorted(TUTORIALS.glob("*.ipynb")):
    texts = [source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown"]
    PAGES[str(path.relative_to(ROOT))] = "\n\n".join(texts)


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


class Command(NamedTuple):
    """A `zoo` command of a page: its arguments, and the file that is piped into it, if any."""

    words: list[str]
    stdin: str | None = None

    @property
    def text(self):
        """Return it as one types it, without the file."""
        return shlex.join(["zoo", *self.words])

    @property
    def named(self):
        """Return all words that may name a file."""
        return [*self.words, *([self.stdin] if self.stdin else [])]


def _of_line(line):
    """Yield the commands of a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    tokens, stdin = [*lexer, ";"], None
    while tokens:
        end = next(n for n, token in enumerate(tokens) if re.fullmatch(r"[|&;<>()]+", token))
        words, sign, tokens = tokens[:end], tokens[end], tokens[end + 1 :]
        if words[:1] == ["zoo"]:
            yield Command(words[1:], stdin)
        stdin = words[-1] if sign == "|" and words else None


def blocks(page):
    """Yield the commands in the blocks of shell of a page, in their order."""
    for block in re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _of_line(line)


def inline(page):
    """Yield the commands in the text of a page that are more than the name of one."""
    text = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    for code in re.findall(r"`(zoo [^`]+)`", text):
        for command in _of_line(code):
            if len(command.words) > 1 or command.words[0] not in command_line.commands:
                yield command


def commands(page):
    """Yield the commands of a page that name no stand-in such as RUN, and those in its blocks."""
    yield from blocks(page)
    known = {command.text for command in blocks(page)}
    for command in inline(page):
        stand_in = any(re.fullmatch(r"[A-Z]{3,}\S*|[.]{3}", word) for word in command.words)
        if not stand_in and command.text not in known and parsed(command.words):
            known.add(command.text)
            yield command


def parsed(words):
    """Return the context of a command, or None if an argument is missing.

    Raises:
        click.ClickException: there is no such command, or it has no such option.
    """
    with click.Context(command_line, info_name="zoo") as above:
        name, command, rest = command_line.resolve_command(above, words)
        try:
            return command.make_context(name, rest, parent=above)
        except click.MissingParameter:
            return None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_there_is(page):
    for words, _ in blocks(page):
        assert parsed(words), words
    for words, _ in [*blocks(page), *inline(page)]:
        context = parsed(words)
        name = context and context.params.get("name")
        if name and context.info_name == "fit" and not re.fullmatch("[A-Z]+|[.]{3}", name):
            registry.get("model", name)


def test_commands_are_read_from_pipes_continued_lines_and_text(monkeypatch):
    shell = "cat a.py | zoo stream b   # c\nzoo \\\n  fit x && zoo list\n"
    page = f"`zoo list`, `zoo show\nlstm` and `zoo fit NAME`.\n```sh\n{shell}```"
    monkeypatch.setitem(PAGES, "page", page)
    assert [*commands("page")] == [
        Command(["stream", "b"], "a.py"),
        Command(["fit", "x"]),
        Command(["list"]),
        Command(["show", "lstm"]),
    ]


def test_the_readme_is_short_and_every_page_is_reached_from_it():
    assert len(PAGES["README.md"]) < 7000
    for page in PAGES:
        if Path(page).parent == Path("docs"):
            assert f"]({page})" in PAGES["README.md"], page

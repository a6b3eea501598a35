"""Every `zoo` command in README.md and docs/ runs as it stands there, on small files, for a moment.

What is named in a page is made before the command that names it: a file by `tests.doc_files`, a run
by training for one update. A training is cut short by options that are added behind its own.
"""

import re
import shlex
import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from tests.doc_files import MAKERS
from tests.test_docs import PAGES, ROOT, commands
from zoo.catalog.recipes import RECIPES

_LONG = "half a minute for one update, by its validation; tests/tasks/transcription fits small ones"
UNRUN = {
    ("docs/playground.md", "zoo app*"): "serves until it is stopped; tests/zoo/app asks it",
    ("docs/hub.md", "*hf://*"): "needs the Hub; tests/zoo/utils/test_hub.py has a stand-in of it",
    ("docs/fine_tuning.md", "*hf://*"): "likewise",
    ("docs/fine_tuning.md", "*mobilenet_v2.h5"): "its weights must be downloaded",
    ("docs/looking_and_drawing.md", "zoo fit * --from dram-pairs*"): _LONG,
    ("docs/fine_tuning.md", "zoo fit * --from dram-pairs*"): _LONG,
    ("docs/from_torch.md", "zoo import torch"): "stands for what follows it",
    ("docs/from_torch.md", "*checkpoint.pt*"): "a file of several modules; tests/zoo/importing",
    ("docs/several_machines.md", "*/shared/*"): "waits for a second machine; test_replicas.py",
    ("docs/several_machines.md", "*--devices 2*"): "needs a process of its own; test_replicas.py",
    ("docs/several_machines.md", "zoo compare cells"): "all cells, for minutes",
    ("docs/results.md", "zoo reproduce mnist-rows*"): "MNIST must be downloaded",
    ("docs/results.md", "zoo fit*"): "`python -m benchmarks.figures` runs it, for minutes",
    ("docs/ready_models.md", "zoo verify --all"): "takes minutes; `make test-slow` verifies each",
    ("docs/gallery.md", "*"): "`python -m docs.gallery` made each picture by it; test_gallery.py",
}
"""By page and pattern of commands, why they are not run here."""

SHORT = {
    "fit": ["--steps", "1"],
    "reproduce": ["--steps", "1"],
    "diagnose": ["--steps", "2", "--length", "12"],
    "compare cells": ["--steps", "2", "--length", "12"],
}
"""By the command, what is added to make it short."""


DONE: set[str] = set()
"""What ran on a page before: a command is not run twice."""


def is_run(page, command):
    """Return whether the command of a page is run here."""
    return not any(page == where and fnmatch(command.text, what) for where, what in UNRUN)


def shortened(words):
    """Return the words of a command, with what makes it short."""
    if words[0] in ("fit", "reproduce") and ("--resume" in words or len(words) == 1):
        return words
    for name, more in SHORT.items():
        if words[: len(name.split())] == name.split():
            return [*words, *more]
    return words


class Folder:
    """A folder in which the commands of a page run, with a clone's models and examples."""

    def __init__(self, path, call, write_video):
        self.path, self.call, self.write_video = path, call, write_video
        for name in ("saved_models", "examples"):
            (path / name).symlink_to(ROOT / name)

    def make(self, word):
        """Make what a word of a command names, if it is known and not there."""
        path = self.path / word
        run = re.fullmatch(r"runs/([\w-]+)/(\d)", word)
        if word in MAKERS:
            path.parent.mkdir(parents=True, exist_ok=True)
            MAKERS[word](path)
        elif word == "my-clips/":
            for n in range(16):
                levels = np.linspace(0, 200, 8)[:: 1 if n % 2 else -1] + n
                self.write_video(path / ("up" if n % 2 else "down") / f"{n}.mp4", levels)
        elif run and not path.exists():
            first = path.parent / "1"
            if not first.exists():
                self.run(["fit", run[1]])
            if not path.exists():
                shutil.copytree(first, path)

    def run(self, words, stdin=None):
        """Run a command, after what it names has been made, and return its exit code and output."""
        for word in [*words, *([stdin] if stdin else [])]:
            self.make(word)
        with pytest.MonkeyPatch.context() as patched:
            if stdin:
                patched.setattr(sys, "stdin", (self.path / stdin).open(encoding="utf-8"))
            code, out, err = self.call(*shortened(words))
        assert code == 0, f"zoo {shlex.join(words)}\n{err[-2000:]}"
        return out, err


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(is_run(page, each) for each in commands(page))]
)
def test_the_commands_of_a_page_run(
    page, zoo, tmp_path, monkeypatch, data_dir, write_video, plain_loop
):
    monkeypatch.setenv("TFDS_DATA_DIR", data_dir)
    monkeypatch.chdir(tmp_path)
    folder = Folder(tmp_path, zoo, write_video)
    for command in commands(page):
        if is_run(page, command) and command.text not in DONE:
            out, err = folder.run(command.words, command.stdin)
            assert "Traceback" not in err
            assert out or err, command.text
            DONE.add(command.text)


def test_what_is_not_run_stands_in_its_page():
    for page, what in UNRUN:
        assert any(fnmatch(command.text, what) for command in commands(page)), (page, what)


def test_a_recipe_is_run_on_data_that_are_at_hand():
    reproduced = [
        command.words
        for page in PAGES
        for command in commands(page)
        if is_run(page, command) and command.words[0] == "reproduce" and len(command.words) > 1
    ]
    assert reproduced
    for words in reproduced:
        assert "--dataset" in words or not RECIPES[words[1]].get, words


def test_what_is_made_for_the_commands_is_named_by_one():
    named = {word for page in PAGES for command in commands(page) for word in command.named}
    assert MAKERS.keys() <= named


def test_a_training_is_cut_short_and_what_goes_on_is_not():
    assert shortened(["fit", "char-lstm"]) == ["fit", "char-lstm", "--steps", "1"]
    assert shortened(["fit", "--resume", "runs/char-lstm/1"])[-1] == "runs/char-lstm/1"
    assert shortened(["compare", "cells", "lstm"])[-2:] == ["--length", "12"]
    assert shortened(["compare", "a", "b"]) == ["compare", "a", "b"]


def test_files_are_small(tmp_path):
    for number, (name, write) in enumerate(MAKERS.items()):
        path = tmp_path / str(number) / name
        Path(path).parent.mkdir(parents=True)
        write(path)
        size = sum(each.stat().st_size for each in path.parent.rglob("*") if each.is_file())
        assert 0 < size < 1_500_000

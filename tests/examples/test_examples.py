import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.cli import zoo as command_line

EXAMPLES = Path(__file__).parents[2] / "examples"


def _run(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


def test_a_new_cell_works_in_a_catalog_model():
    done = _run(EXAMPLES / "new_cell.py")
    assert done.returncode == 0, done.stderr
    assert "logits (2, 7, 50)" in done.stdout


def test_the_export_example_explains_itself():
    done = _run(EXAMPLES / "use_export.py")
    assert done.returncode == 1 and "saved_models/demo" in done.stderr


@pytest.mark.slow
def test_a_text_of_ones_own_is_fitted_continued_and_written_on(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 60)
    done = _run(EXAMPLES / "own_text.py", text, tmp_path)
    assert done.returncode == 0, done.stderr
    figures, *written = done.stdout.split("\n")
    assert "'perplexity'" in figures and "\n".join(written).startswith("The ")
    assert len((tmp_path / "char-lstm/1/metrics.csv").read_text().splitlines()) == 1 + 2


def test_the_kubernetes_manifest_says_what_the_command_line_knows():
    manifest = (EXAMPLES / "tfjob.yaml").read_text()
    options = {name for option in command_line.commands["fit"].params for name in option.opts}
    used = re.findall(r"exec zoo fit (.*)", manifest)
    assert len(used) == 2
    assert {word for line in used for word in line.split() if word.startswith("--")} <= options

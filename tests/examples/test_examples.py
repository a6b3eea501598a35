import subprocess
import sys
from pathlib import Path

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

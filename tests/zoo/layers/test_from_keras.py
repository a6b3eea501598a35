"""What docs/from_keras.md shows runs as it stands, and prints what it says."""

import re
from pathlib import Path

import keras
import pytest

TEXT = (Path(__file__).parents[3] / "docs" / "from_keras.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=[f"block {n}" for n in range(len(BLOCKS))])
def test_the_code_runs_and_prints_what_it_says(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session()
    exec(compile(code, "docs/from_keras.md", "exec"), {})
    printed = capsys.readouterr().out
    if "summary=True" in code:
        assert [printed] == PRINTED
    expected = re.findall(r"print\(.*\)  # (.*)", code)
    assert all(line in printed for line in expected)
    assert expected or "print" not in code


def test_there_is_something_to_run():
    assert len(BLOCKS) == 4 and len(PRINTED) == 1

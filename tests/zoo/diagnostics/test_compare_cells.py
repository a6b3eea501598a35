import json
import shutil
import subprocess
import sys

import pytest

from zoo import cli, registry
from zoo.diagnostics import compare_cells as compare
from zoo.diagnostics.compare_cells import compare_cells, fitted_units
from zoo.diagnostics.memory_tasks import TASKS
from zoo.errors import UserError

TINY = {"parameters": 800, "length": 10, "steps": 2, "verbose": False}


def timeless(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted comparison: its folder and its rows."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, compare_cells(["gru"], output=folder, **TINY)


@pytest.mark.slow
def test_rows_and_files(whole):
    folder, rows = whole
    assert [(row["cell"], row["task"]) for row in rows] == [("gru", task) for task in TASKS]
    assert all(0 < row["parameters"] <= 800 and 0 <= row["score"] <= 1 for row in rows)
    kept = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert kept == rows
    assert "| gru |" in (folder / "results.md").read_text()
    assert (folder / "scores.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_every_cell_can_be_compared(tmp_path):
    rows = compare_cells(output=tmp_path, **TINY | {"parameters": 20000})
    assert [row["cell"] for row in rows][:: len(TASKS)] == list(registry.entries("cell"))
    assert all(row["parameters"] <= 20000 for row in rows)


@pytest.mark.slow
def test_a_continued_comparison_is_the_same(whole, tmp_path, monkeypatch):
    train, trained = compare._row, []

    def stops_at_the_third(name, task, *rest):
        trained.append((name, task.name))
        if len(trained) == 3:
            raise KeyboardInterrupt
        return train(name, task, *rest)

    monkeypatch.setattr(compare, "_row", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        compare_cells(["gru"], output=tmp_path, **TINY)
    rows = compare_cells(["gru"], output=tmp_path, **TINY)
    # The interrupted one is the only one begun twice.
    assert len(trained) == len(rows) + 1
    assert timeless(rows) == timeless(whole[1])


def test_other_settings_are_refused(whole):
    with pytest.raises(UserError, match="steps 2, not 3: choose another --output"):
        compare_cells(["gru"], output=whole[0], **{**TINY, "steps": 3})


@pytest.mark.parametrize("before", [{}, {"protocol": 1}])
def test_rows_of_another_protocol_are_refused(whole, tmp_path, before):
    copy = shutil.copytree(whole[0], tmp_path / "copy")
    settings = json.loads((copy / "settings.json").read_text())
    assert settings.pop("protocol") == 2
    (copy / "settings.json").write_text(json.dumps({**settings, **before}))
    with pytest.raises(UserError, match="protocol 1, not 2: choose another --output"):
        compare_cells(["gru"], output=copy, **TINY)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--steps", "3"], "steps 2, not 3"), (["--length", "3"], "length is 3")],
)
def test_wrong_settings_are_told_of_without_tensorflow(whole, arguments, said):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'keras']))\n"
        "from zoo import cli; sys.argv = ['zoo', 'compare', 'cells', 'gru', *sys.argv[1:]]\n"
        "cli.main()"
    )
    settings = [f"--{key}={TINY[key]}" for key in ("parameters", "length", "steps")]
    command = [sys.executable, "-c", code, *settings, "--output", whole[0], *arguments]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 2 and said in answer.stderr
    assert answer.stderr.startswith("error: ") and answer.stderr.count("\n") == 1


def test_refused_settings_do_not_bind_the_folder(tmp_path):
    with pytest.raises(UserError, match="too few"):
        compare_cells(["gru"], output=tmp_path, **{**TINY, "parameters": 20})
    assert not (tmp_path / "settings.json").exists()


def test_units_are_the_most_that_fit():
    task = TASKS["copy"]
    for name in ("lstm", "min_gru"):
        units = fitted_units(name, task, 3000)

        def count(units, name=name):
            cell = compare.build_cell(name, 32, units)
            return compare.Network(cell, task).count_params()

        assert count(units) <= 3000 < count(units + 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lstmm"], "did you mean lstm"),
        (["gru", "--parameters", "20"], "20 parameters are too few for gru"),
        (["gru", "--length", "3"], "length is 3"),
        (["gru", "--steps", "0"], "steps is 0"),
    ],
)
def test_a_mistake_gets_one_line(arguments, said, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(
        sys, "argv", ["zoo", "compare", "cells", *arguments, "--output", str(tmp_path), "--json"]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    err = capfd.readouterr().err
    assert end.value.code == 2 and said in err and "Traceback" not in err
    assert sum(line.startswith("error: ") for line in err.splitlines()) == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_prints_a_finished_comparison(whole, as_json, monkeypatch, capfd):
    folder, rows = whole
    settings = [f"--{key}={TINY[key]}" for key in ("parameters", "length", "steps")]
    arguments = ["gru", *settings, "--output", str(folder), *(["--json"] if as_json else [])]
    monkeypatch.setattr(sys, "argv", ["zoo", "compare", "cells", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out = capfd.readouterr().out
    assert end.value.code == 0
    if as_json:
        assert json.loads(out) == [row for row in rows if row["cell"] == "gru"]
    else:
        assert "gru" in out and "parity" in out

import json

import pytest

from zoo import UserError
from zoo.training.run import new_run, open_run


def test_runs_are_numbered_after_the_highest(tmp_path):
    (tmp_path / "m" / "7").mkdir(parents=True)
    (tmp_path / "m" / "notes").touch()
    assert [new_run(tmp_path, "m", {}).path.name for _ in range(2)] == ["8", "9"]


def test_the_configuration_is_kept_as_it_was_given(tmp_path):
    run = new_run(tmp_path, "m", {"words": ["naïve", "我"]})
    assert run.config == {"words": ["naïve", "我"]}
    assert "我" in (run.path / "config.json").read_text(encoding="utf-8")


def test_a_damaged_configuration_is_named(tmp_path):
    run = new_run(tmp_path, "m", {})
    run.weights.touch()
    (run.path / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json is damaged"):
        open_run(run.path)
    (run.path / "config.json").write_text(json.dumps({"model": "m"}))
    assert open_run(run.path).config == {"model": "m"}

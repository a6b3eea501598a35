"""The two commands of the README in a clean clone, and what makes the quick suite quick."""

import os
import subprocess
from pathlib import Path

import pytest

from zoo.recurrence import run, xla

ROOT = Path(__file__).parents[1]


def test_the_quick_suite_trains_by_the_plain_loop():
    assert run.CompiledScan is not xla.CompiledScan


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "TFDS_DATA_DIR", str(tmp_path / "data"))
    subprocess.run(["git", "clone", "--quiet", str(ROOT), tmp_path / "clone"], check=True)
    return tmp_path / "clone"


@pytest.mark.slow
def test_demo_sets_up_fits_exports_and_serves(clone):
    done = subprocess.run(
        ["make", "demo", "MODEL=digits-cnn", "MINUTES=0.5"],
        cwd=clone,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (clone / "saved_models/demo/digits-cnn/saved_model.pb").is_file()
    answers = done.stdout.rsplit("---", 3)[1:]
    # Each the name of a picture, then the answer; make may say farewell after the last.
    assert all(answer.split()[1] in "0123456789" for answer in answers)


@pytest.mark.slow
def test_the_package_installs_and_gives_the_command(clone, tmp_path):
    subprocess.run(["python3", "-m", "venv", tmp_path / "env"], check=True)
    subprocess.run([tmp_path / "env/bin/pip", "install", "--quiet", "."], cwd=clone, check=True)
    listed = subprocess.run(
        [tmp_path / "env/bin/zoo", "list"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "char-lstm" in listed.stdout
    pictures = clone / "saved_models/digits-cnn/assets.extra/examples"
    answered = subprocess.run(
        [tmp_path / "env/bin/zoo", "predict", "digits-cnn", *sorted(pictures.iterdir())],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(answered.stdout.splitlines()) == 3
    shown = subprocess.run(
        [tmp_path / "env/bin/zoo", "fit", "digits-linear", "--epochs", "1"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (tmp_path / shown.stdout.splitlines()[-1] / "config.json").is_file()

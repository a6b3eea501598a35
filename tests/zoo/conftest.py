import shutil
import sys

import pytest

import zoo
from zoo import cli
from zoo.exporting.card import make_card, write_card
from zoo.restoring import restore


@pytest.fixture(scope="session")
def run(data_dir, tmp_path_factory):
    """A short run of the quickest model."""
    runs = tmp_path_factory.mktemp("runs")
    return zoo.fit("digits-mlp", data_dir=data_dir, runs=runs, epochs=2, verbose=False)


@pytest.fixture(scope="session")
def export(run, tmp_path_factory):
    """The same, exported."""
    return zoo.export(run, tmp_path_factory.mktemp("exports") / "digits-mlp")


@pytest.fixture(scope="session")
def carded(run, export, tmp_path_factory):
    """The same with its card, but no certificate; a folder to be copied."""
    folder = tmp_path_factory.mktemp("carded") / "digits-mlp"
    shutil.copytree(export, folder)
    model, task, settings = restore(run)
    card = make_card(model, task, settings, run.config, folder, run.path, {})
    write_card(card, folder)
    return folder


@pytest.fixture(name="zoo")
def command_line(monkeypatch, capfd):
    """Runs the command line in this process: exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capfd.readouterr()
        return end.value.code, out, err

    return run

from pathlib import Path

import pytest

import zoo
from zoo.catalog.config import RunConfig, resolve
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained
from zoo.recurrence.compiling import FrequentShapes


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
def export_small():
    """Exports a small model that was never trained, without examples."""

    def export_small(name, task, folder, **options):
        task.examples = lambda: []
        # As of a run, which has all that its model's entry sets.
        options = {**resolve(name).options, **options, **task.model_options()}
        kind = zoo.describe(name)["task"]
        config = RunConfig(name, kind, options, task.get_config())
        write_saved_model(Trained(zoo.create(name, **options), task, config), folder / name)
        return folder / name

    return export_small


@pytest.fixture
def shape_counters(monkeypatch):
    """The counters of shapes that are made from here on, each of which chooses what is compiled."""
    made, init = [], FrequentShapes.__init__

    def make(counter):
        init(counter)
        made.append(counter)

    monkeypatch.setattr(FrequentShapes, "__init__", make)
    return made


@pytest.fixture
def readings(monkeypatch):
    """The names of the files whose text is read from here on."""
    names, read_text = [], Path.read_text

    def read(path, *arguments, **options):
        names.append(path.name)
        return read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", read)
    return names

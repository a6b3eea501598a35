import pytest

import zoo


@pytest.fixture(scope="session")
def run(data_dir, tmp_path_factory):
    """A short run of the quickest model."""
    runs = tmp_path_factory.mktemp("runs")
    return zoo.fit("digits-mlp", data_dir=data_dir, runs=runs, epochs=2, verbose=False)


@pytest.fixture(scope="session")
def export(run, tmp_path_factory):
    """The same, exported."""
    return zoo.export(run, tmp_path_factory.mktemp("exports") / "digits-mlp")

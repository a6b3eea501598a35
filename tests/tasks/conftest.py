"""Data sets, prepared once for all tests of the tasks."""

import pytest


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Folder of prepared data sets; a bundled one is made when it is first asked for."""
    return str(tmp_path_factory.mktemp("tfds"))

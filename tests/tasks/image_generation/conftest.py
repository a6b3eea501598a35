import pytest

import zoo

SMALL = {"units": 10, "latent": 3, "glimpses": 3, "batch_size": 629}


@pytest.fixture(scope="session")
def drawer(data_dir, tmp_path_factory):
    """A run of a small model that has seen each digit twice."""
    runs = tmp_path_factory.mktemp("drawer")
    return zoo.fit("draw-digits", data_dir=data_dir, runs=runs, verbose=False, epochs=2, **SMALL)

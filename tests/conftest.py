"""Settings that must stand before TensorFlow is imported, and the same seed for every test.

What takes long to import is imported where it is used: the process that hands the tests out to
others reads this file and needs none of it.
"""

import gc
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from hypothesis import settings

# The same examples at each run: what is green stays green until the code changes.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


def pytest_collection_finish():
    """What was imported stays: the collector of garbage need not walk through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def same_seed():
    import keras

    keras.utils.set_random_seed(1)


@pytest.fixture
def plain_loop(monkeypatch):
    """Of a module that is marked `compiled`, this test trains by the plain loop all the same."""
    monkeypatch.setattr("zoo.recurrence.run.CompiledScan", lambda scan, *_: scan)


@pytest.fixture(autouse=True, scope="module")
def plain_loops(request):
    """But for the slow proofs, modules that are not marked `compiled` train by the plain loop: XLA
    takes a second for each shape, and what is marked proves that the two are equal."""
    slow = request.config.option.markexpr == "slow"
    compiled = request.node.get_closest_marker("compiled")
    with pytest.MonkeyPatch.context() as patched:
        if not (slow or compiled):
            path = "zoo.recurrence.run.CompiledScan"
            patched.setattr(path, lambda scan, *_: scan)
        yield
    if compiled:
        # What was compiled goes with its functions, which hold each other.
        gc.collect()


@pytest.fixture(scope="session")
def assert_same_answers():
    """That two graphs of one model answer alike: their numbers are rounded in another order."""

    def check(ours, theirs):
        if isinstance(ours, dict):
            assert ours.keys() == theirs.keys()
            for key in ours:
                check(ours[key], theirs[key])
        elif isinstance(ours, list):
            assert len(ours) == len(theirs)
            for one, other in zip(ours, theirs):
                check(one, other)
        elif isinstance(ours, float):
            assert ours == pytest.approx(theirs, abs=1e-5)
        else:
            assert ours == theirs

    return check


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """One folder for all processes of a run of the tests: what is made in it needs a lock."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def data_dir(shared_folder):
    """Where the bundled data sets are prepared, once for all tests."""
    return str(shared_folder / "tensorflow_datasets")


@pytest.fixture(scope="session")
def write_video():
    """Writes frames of one grey level each; the ending of the path says the format."""
    import av
    import numpy as np

    codecs = {".webm": "libvpx", ".gif": "gif"}

    def write(path, levels, rate=8, size=(24, 32)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codecs.get(path.suffix, "mpeg4"), rate=rate)
            stream.height, stream.width = size
            stream.pix_fmt = "rgb8" if path.suffix == ".gif" else "yuv420p"
            for level in levels:
                picture = np.full((*size, 3), level, "uint8")
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(scope="session")
def write_sound():
    """Writes a file with sound and no frames."""
    import av
    import numpy as np

    def write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "float32"), "fltp", "mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(name="zoo")
def command_line(monkeypatch, capfd):
    """Runs the command line in this process: exit code, stdout, stderr."""
    from zoo import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capfd.readouterr()
        return end.value.code, out, err

    return run


@pytest.fixture(scope="session")
def write_parquet():
    """Writes columns to a file, with the note on them that Hugging Face's `datasets` writes."""
    import json

    import pyarrow
    from pyarrow.parquet import write_table

    def write(path, columns, features=None):
        about = {"huggingface": json.dumps({"info": {"features": features}})} if features else None
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(pyarrow.table(columns).replace_schema_metadata(about), path)
        return path

    return write


@pytest.fixture(scope="session")
def write_shards(write_parquet):
    """Writes columns to shards of a split, and returns the first of them."""

    def write(folder, split, columns, features=None, count=3):
        for n in range(count):
            some = {name: values[n::count] for name, values in columns.items()}
            write_parquet(folder / f"{split}-{n:05}-of-{count:05}.parquet", some, features)
        return folder / f"{split}-00000-of-{count:05}.parquet"

    return write

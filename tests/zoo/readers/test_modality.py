"""What a third party's modality has to bring, and that nothing else has to know of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zoo import UserError, registry
from zoo.exporting.manifest import read_manifest
from zoo.readers.modality import modality, split_batches

ROOT = Path(__file__).parents[3]

MODALITY = '''
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.exporting.manifest import read_manifest
from zoo.readers.modality import Modality
from zoo.registry import register


@register("modality", "morse")
class Morse(Modality):
    """Dots and dashes, in a file or as typed; int32 `[T]`."""

    unit = "beep"
    dtype = "int32"
    shape = (None,)
    axes = 1

    def read(self, source, **options):
        if isinstance(source, np.ndarray):
            return source.astype("int32")
        path = Path(source)
        signs = path.read_text().strip() if path.suffix == ".morse" else str(source)
        if not signs or {*signs} - {*".-"}:
            raise UserError(f"{source} is no morse: dots and dashes are needed")
        return np.array([sign == "-" for sign in signs], "int32")

    def pieces(self, path, **options):
        return (self.read(sign) for sign in path.read_text().strip())

    def standard_input(self, file):
        while sign := file.read(1).decode().strip():
            yield self.read(sign)

    def write(self, stem, raw):
        path = stem.with_suffix(".morse")
        path.write_text("".join(".-"[beep] for beep in raw))
        return path

    def read_shown(self, shown, folder):
        return self.read(folder / shown["file"])

    def python_example(self, path):
        return f'[["." != sign for sign in open("{path}").read()]]', []
'''
TASK = '''
from functools import partial

import numpy as np
import tensorflow as tf

from zoo.registry import register
from zoo.task import Case, Task
from zoo.topologies.many_to_one import ManyToOne
from zoo.training.windows import example_windows

NAMES = ["dots", "dashes"]


@register("model", "morse-gru", topology="many_to_one", task="morse", cell="gru")
def morse_gru(classes=2, frame_shape=(1,), encoder="none", units=4, cell="gru"):
    """More dots or more dashes."""
    return ManyToOne(classes, frame_shape, encoder, units=units, cell=cell)


@register("task", "morse", topology="many_to_one", dataset="none", input="morse")
class Counting(Task):
    """Says of which there are more."""

    input_kind = "morse"
    default_dataset = "none"

    def model_options(self):
        return {}

    def beeps(self):
        return np.random.default_rng(1).integers(0, 2, (40, 7)).astype("int32")

    def windows(self, split, settings, seed=None):
        beeps = self.beeps()
        frames = beeps[..., None].astype("float32")
        inputs = {"frames": frames, "lengths": np.full(len(beeps), 7, "int32")}
        targets = (beeps.mean(axis=1) > 0.5).astype("int32")
        return example_windows(inputs, targets, np.ones(len(beeps)), settings.batch_size, seed)

    def endpoints(self, model):
        def answer(logits):
            return {"text": tf.gather(tf.constant(NAMES), tf.argmax(logits, axis=-1))}

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, name="beeps")])
        def serve(beeps):
            size = tf.shape(beeps)
            frames = tf.cast(beeps, tf.float32)[..., None]
            return answer(model({"frames": frames, "lengths": tf.fill([size[0]], size[1])}))

        @tf.function(input_signature=[tf.TensorSpec([1, None], tf.int32, name="beeps")])
        def read(beeps):
            return {"x": tf.cast(beeps[0], tf.float32)[:, None]}

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="outputs")])
        def tell(outputs):
            return answer(outputs)

        return {"serve": serve, "read": read, "tell": tell}

    def examples(self):
        return list(self.beeps()[:2])

    def cases(self, count):
        return [Case(row, NAMES[int(row.mean() > 0.5)], NAMES[int(row.mean() > 0.5)].__eq__)
                for row in self.beeps()[:count]]
'''
POINTS = """
[zoo.modalities]
morse = zoo_morse.signs:Morse
[zoo.tasks]
morse = zoo_morse.counting:Counting
[zoo.models]
morse-gru = zoo_morse.counting:morse_gru
"""
USE = """
import io, json, sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
import zoo
from zoo import cli
from zoo.recurrence import run as recurrence

# To compile its loop would take longer than all else.
recurrence.CompiledScan = lambda scan, *_: scan

def command(*arguments):
    sys.argv = ["zoo", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        assert not end.code, end.code

run = zoo.fit("morse-gru", runs="runs", steps=2, verbose=False)
Path("x.morse").write_text("..-.-")
beeps = np.array([0, 0, 1, 0, 1])
export = zoo.export(run, "export")
for what in (run, export):
    answers = zoo.predict(what, "..-.-", "x.morse", beeps, np.stack([beeps, 1 - beeps]))
    assert len(answers) == 5 and len({a["text"] for a in answers[:4]}) == 1, answers
assert zoo.verify(export).holds
try:
    zoo.predict(export, "abc")
except zoo.UserError as error:
    print(error)
command("stream", export, "--input", "x.morse")
sys.stdin = SimpleNamespace(buffer=io.BytesIO(b".-"))
command("stream", export)
try:
    command("stream", export, "--camera", "/dev/video0")
except AssertionError:
    pass
print(Path("export/README.md").read_text())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of installed packages, of which one brings a modality."""
    folder = tmp_path_factory.mktemp("site")
    package, info = folder / "zoo_morse", folder / "zoo_morse-1.0.dist-info"
    for each in (package, info):
        each.mkdir()
    (package / "__init__.py").touch()
    (package / "signs.py").write_text(MODALITY)
    (package / "counting.py").write_text(TASK)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo_morse\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    return folder


@pytest.mark.slow
def test_a_plug_in_brings_a_modality_of_its_own(site, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
    made = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    first, *lines = made.stdout.splitlines()
    assert first == "abc is no morse: dots and dashes are needed"
    steps = [line.split()[:2] for line in lines if line.startswith("beep")]
    assert steps == [["beep", str(n)] for n in (1, 2, 3, 4, 5, 1, 2)]
    assert "--camera gives frames, but the model takes morse: pass --input" in made.stderr
    assert any(line.startswith("| [examples/1.morse](examples/1.morse)") for line in lines)
    # An export of a package that is not here is refused by name.
    with pytest.raises(UserError, match="takes 'morse', which no package here reads"):
        read_manifest(tmp_path / "export")


@pytest.mark.parametrize("name", ["text", "image", "video", "sequence"])
def test_an_example_is_read_back_as_it_was_written(name, tmp_path):
    kind = modality(name)
    pixels = np.random.default_rng(1).integers(0, 255, (3, 5, 4, 3), "uint8")
    raw = {
        "text": "é\n走る",
        "image": modality("image").read(pixels[0]),
        "video": pixels,
        "sequence": np.float32([[0.5, 1], [2, 3]]),
    }[name]
    again = kind.read(kind.write(tmp_path / "0", raw))
    shown = kind.write_shown(tmp_path / "1", raw)
    if "file" in shown:
        shown["file"] = shown["file"].name
    assert kind.key(again) == kind.key(raw) == kind.key(kind.read_shown(shown, tmp_path))


def test_what_is_handed_in_together_is_read_one_by_one():
    picture = np.zeros((4, 4), "uint8")
    batch = np.zeros((2, 4, 4, 3), "uint8")
    one_by_one = split_batches(modality("image"), [picture, batch, [picture, (picture, "a.png")]])
    assert [np.shape(each) for each in one_by_one] == [(4, 4), *[(4, 4, 3)] * 2, *[(4, 4)] * 2, ()]
    assert split_batches(modality("text"), [np.array(["a", "b"]), "c"]) == ["a", "b", "c"]


def test_each_task_takes_what_it_is_registered_to_take():
    for name, entry in registry.entries("task").items():
        if entry.source == "sequence-zoo" and isinstance(entry.info["input"], str):
            assert registry.load("task", name).input_kind == entry.info["input"]

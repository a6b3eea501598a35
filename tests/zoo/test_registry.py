"""Named things: registered by decorator or entry point, listed without being imported."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

import zoo
from zoo import registry
from zoo.errors import UserError
from zoo.registry import Entry, register

ROOT = Path(zoo.__file__).parents[1]


@pytest.fixture
def scratch(monkeypatch):
    """A registry whose registrations are forgotten after the test."""
    for kind in registry.KINDS:
        registry.entries(kind)
    for store in ("_registered", "_scanned"):
        copied = {kind: dict(held) for kind, held in getattr(registry, store).items()}
        monkeypatch.setattr(registry, store, copied)


class One:
    """The first thing."""


class Two:
    """The second thing."""


# By decorator


def test_what_is_registered_is_found_by_name_and_returned_unchanged(scratch):
    def echo():
        """Says it again.

        And again.
        """

    assert register("cell", "echo", paper="none")(echo) is echo
    assert registry.load("cell", "echo") is echo
    entry = registry.get("cell", "echo")
    assert (entry.summary, entry.info) == ("Says it again.", {"paper": "none"})


def test_a_taken_name_is_refused_and_the_holder_named(scratch):
    register("task", "echo")(One)
    with pytest.raises(ValueError, match=r"the task name 'echo' is taken by [^ ]*:One"):
        register("task", "echo")(Two)
    assert registry.load("task", "echo") is One


def test_a_name_of_the_zoo_is_taken_before_its_module_is_imported(scratch):
    registry._registered["cell"].clear()
    with pytest.raises(ValueError, match=r"'lstm' is taken by zoo\.cells\.lstm:LSTMCell"):
        register("cell", "lstm")(One)


def test_the_same_name_may_serve_two_kinds(scratch):
    register("task", "echo")(One)
    register("cell", "echo")(Two)
    assert registry.load("task", "echo") is One
    assert registry.load("cell", "echo") is Two


def test_registering_the_same_definition_twice_is_allowed(scratch):
    register("task", "echo")(One)
    register("task", "echo")(One)
    assert registry.load("task", "echo") is One


def test_a_model_of_the_catalog_cannot_be_registered_twice(scratch):
    registry.register_model("tiny", "A small one.", "many_to_one")
    with pytest.raises(ValueError, match="the model name 'tiny' is taken by sequence-zoo"):
        registry.register_model("tiny", "Another.", "many_to_one")


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="unknown kind 'cel': expected one of cell, topology"):
        register("cel", "x")


# Look-up


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lstmm", "unknown cell 'lstmm': did you mean lstm or slstm or mlstm?"),
        ("vanila_rnn", "unknown cell 'vanila_rnn': did you mean vanilla_rnn?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, message):
    with pytest.raises(UserError) as error:
        registry.get("cell", name)
    assert str(error.value) == message


def test_a_name_that_resembles_none_is_answered_with_all():
    assert registry.unknown("cell", "xyz", ["lstm", "gru"]).endswith("known are gru, lstm")
    assert registry.unknown("cell", "xyz", []).endswith("known are none")


def test_select_takes_wildcards_and_values_together(scratch):
    for name, topology in [
        ("tiny-a", "many_to_one"),
        ("tiny-b", "seq2seq"),
        ("other", "many_to_one"),
    ]:
        registry.register_model(name, "", topology)
    assert registry.select("model", "tiny-*") == ["tiny-a", "tiny-b"]
    assert registry.select("model", "tiny-?", topology="many_to_one") == ["tiny-a"]
    assert registry.select("model", "tiny-*", topology=None) == ["tiny-a", "tiny-b"]
    assert registry.select("model", "TINY-*") == []


def test_entries_come_sorted_by_name():
    names = list(registry.entries("cell"))
    assert names == sorted(names) and {"gru", "lstm", "vanilla_rnn"} <= set(names)


@pytest.mark.parametrize("kind", ["cell", "architecture"])
def test_what_is_read_from_source_equals_what_the_import_registers(kind, scratch):
    for name, read in registry._scanned[kind].items():
        thing = registry.load(kind, name)
        registry._registered[kind].pop(name, None)
        register(kind, name, **read.info)(thing)
        held = registry._registered[kind][name]
        for field in ("summary", "info", "parameters", "source"):
            assert getattr(held, field) == getattr(read, field)
        assert read.target == f"{thing.__module__}:{thing.__qualname__}"


def test_other_decorators_called_register_are_passed_over(tmp_path):
    source = """
        @show.register(list)
        def _(x): ...

        @atexit.register
        def bye(): ...

        @signals.register("click", "twice")
        def clicked(): ...

        @zoo.register("cell", "mine", paper="arXiv:0")
        class Mine:
            '''h_t = x_t.'''
    """
    path = tmp_path / "mine.py"
    path.write_text(dedent(source), encoding="utf-8")
    assert list(registry.read_registrations(path, "mine", "me")) == [
        Entry("cell", "mine", "mine:Mine", "h_t = x_t.", {"paper": "arXiv:0"}, source="me")
    ]


# Architectures, and the names of options


def test_an_architecture_names_one_of_the_five_topologies(scratch):
    register("architecture", "echo", topology="seq2seq")(One)
    registry.register_model("echoes", "A small one.", "echo", task="translation")
    assert registry.select("model", "echoes", topology="seq2seq") == ["echoes"]
    for info in ({}, {"topology": "echo"}):
        with pytest.raises(ValueError, match="but one of one_to_one, one_to_many, many_to_one"):
            register("architecture", "other", **info)(Two)


def test_what_was_registered_as_a_topology_is_told_what_to_change(scratch):
    with pytest.raises(ValueError, match=r'@register\("architecture", \'echo\', topology='):
        register("topology", "echo")(One)


class Windowed:
    def __init__(self, window=3, units=4): ...


class Named:
    def __init__(self, runs=3): ...


class Lowered:
    def __init__(self, lowercase=True): ...


class Smoothed:
    def __init__(self, label_smoothing=0.5): ...


@pytest.mark.parametrize("kind", ["architecture", "task", "model"])
@pytest.mark.parametrize(("thing", "option"), [(Windowed, "window"), (Named, "runs")])
def test_an_option_with_the_name_of_a_setting_is_refused(scratch, kind, thing, option):
    with pytest.raises(ValueError, match=f"the {kind} x cannot have the option {option}, which"):
        register(kind, "x", topology="seq2seq", task="translation")(thing)
    assert "x" not in registry.entries(kind)


@pytest.mark.parametrize(
    ("thing", "option"), [(Lowered, "lowercase"), (Smoothed, "label_smoothing")]
)
def test_a_model_whose_parts_share_the_name_of_an_option_is_refused(scratch, thing, option):
    said = f"the model x cannot have the option {option}, which is one of"
    if option not in registry._setting_names():
        register("architecture", "x", topology="seq2seq")(thing)
        with pytest.raises(ValueError, match=said):
            registry.register_model("x", "", "x", task="translation")
    with pytest.raises(ValueError, match=said):
        register("model", "x", topology="seq2seq", task="translation")(thing)


# Listing in a fresh process, and plug-ins


def python(code, *folders):
    """What a fresh process prints, with these folders on its path."""
    result = subprocess.run(
        [sys.executable, "-W", "always", "-c", dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, folders), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def install(folder, name, entry_points, files):
    """Install a package by pip, from a wheel written by hand, into a folder."""
    info = f"{name}-1.0.dist-info"
    groups = {}
    for group, line in entry_points:
        groups.setdefault(group, []).append(line)
    points = ["\n".join([f"[{group}]", *lines, ""]) for group, lines in groups.items()]
    contents = {
        **{f"{name}/{path}": dedent(text) for path, text in files.items()},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(points),
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    wheel = folder.parent / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**contents, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True, capture_output=True)


CELL = """
    from keras import ops

    from zoo.cells.base import Cell, HiddenState
    from zoo.registry import register


    @register("cell", "leaky", paper="doi:10.0/leaky")
    class LeakyCell(Cell):
        '''h_t = h_(t-1) / 2 + tanh(W x_t + U h_(t-1)).'''

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
            self.recurrent_kernel = self.add_weight(shape=(self.units,) * 2, name="recurrent")

        def project(self, x):
            return ops.matmul(x, self.kernel)

        def update(self, z, state, recur):
            h = state.h / 2 + ops.tanh(z + recur(state.h))
            return h, HiddenState(h)
"""
MODEL = """
    import keras

    from zoo.recurrence import Recurrence
    from zoo.registry import load, register


    @register(
        "model",
        "leaky-words",
        topology="many_to_many",
        task="language_modelling",
        cell="leaky",
        options={"units": 5},
    )
    def leaky_words(units=5):
        '''A leaky network over words.'''
        x = keras.Input((None, 3))
        return keras.Model(x, Recurrence(load("cell", "leaky")(units))(x)[0])
"""
TASK = """
    from zoo.registry import register


    @register("task", "tomorrow", topology="many_to_one", dataset="weather")
    class Tomorrow:
        '''Tomorrow's weather from today's.'''
"""
DATASET = """
    import tensorflow_datasets as tfds


    class Tides(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for hour in range(30):
                yield hour, {"text": f"the tide of hour {hour}"}
"""
POINTS = [
    ("zoo.cells", "leaky = zoo_leaky.cells.leaky:LeakyCell"),
    ("zoo.models", "leaky-words = zoo_leaky.models:leaky_words"),
    ("zoo.tasks", "tomorrow = zoo_leaky.tasks:Tomorrow"),
    ("zoo.datasets", "tides = zoo_leaky.data:Tides"),
    ("zoo.datasets", "ebbs = zoo_leaky.gone:Ebbs"),
]
FILES = {
    "__init__.py": "import keras",
    "cells/__init__.py": "import keras",
    "cells/leaky.py": CELL,
    "models.py": MODEL,
    "tasks.py": TASK,
    "data.py": DATASET,
}


@pytest.fixture(scope="module")
def plug_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed") / "site"
    install(folder, "zoo_leaky", POINTS, FILES)
    return folder


def test_listing_imports_neither_tensorflow_nor_keras_nor_a_plug_in(plug_in):
    code = """
        import sys
        import zoo.registry
        for kind in zoo.registry.KINDS:
            print(*zoo.registry.entries(kind))
        print({"tensorflow", "keras", "numpy", "zoo_leaky"} & set(sys.modules))
    """
    *listings, imported = python(code, plug_in).stdout.splitlines()
    names = set(" ".join(listings).split())
    assert {"lstm", "seq2seq", "leaky", "leaky-words", "tomorrow"} <= names
    assert imported == "set()"


def test_an_installed_plug_in_brings_a_cell_a_task_a_model_and_data_for_any_task(plug_in, tmp_path):
    code = f"""
        from tasks.common.data import load_split
        from zoo import UserError, registry
        for kind, name in [("cell", "leaky"), ("task", "tomorrow"), ("model", "leaky-words")]:
            entry = registry.get(kind, name)
            print(entry.source, entry.target, entry.summary, sep="|")
        print(*registry.select("model", "leaky*", topology="many_to_many", cell="leaky"))
        cell = registry.load("cell", "leaky")(4)
        model = registry.load("model", "leaky-words")(**entry.info["options"])
        print(cell.units, model.output_shape, registry.load("task", "tomorrow").__name__)
        print(len(load_split("tides", "train", {str(tmp_path)!r}, ("text",))))
        for name in ("ebbs", "tidse"):
            try:
                load_split(name, "train", None)
            except UserError as error:
                print(error)
    """
    *brought, ebbs, tidse = python(code, plug_in).stdout.splitlines()
    assert brought == [
        "zoo_leaky|zoo_leaky.cells.leaky:LeakyCell|h_t = h_(t-1) / 2 + tanh(W x_t + U h_(t-1)).",
        "zoo_leaky|zoo_leaky.tasks:Tomorrow|Tomorrow's weather from today's.",
        "zoo_leaky|zoo_leaky.models:leaky_words|A leaky network over words.",
        "leaky-words",
        "4 (None, None, 5) Tomorrow",
        "24",
    ]
    assert ebbs.startswith("the data set ebbs of zoo_leaky.gone:Ebbs cannot be imported: Mod")
    assert tidse.startswith("unknown data set 'tidse': did you mean tides")


def test_a_broken_plug_in_is_left_out_with_a_warning_and_the_others_stay(plug_in, tmp_path):
    points = [
        ("zoo.cells", "gone = zoo_broken.gone:Gone"),
        ("zoo.tasks", "typo = zoo_broken.typo:Typo"),
        ("zoo.architectures", "bare = zoo_broken.bare:Bare"),
        ("zoo.models", "computed = zoo_broken.computed:computed"),
    ]
    computed = """
        @register("model", "computed", units=size())
        def computed(): ...
    """
    files = {"__init__.py": "", "typo.py": "def (", "bare.py": "class Bare: ..."}
    install(tmp_path / "site", "zoo_broken", points, {**files, "computed.py": computed})
    code = """
        from zoo import registry
        for kind in registry.KINDS:
            print(*registry.entries(kind))
    """
    result = python(code, plug_in, tmp_path / "site")
    names = dict(zip(registry.KINDS, map(str.split, result.stdout.splitlines())))
    assert {"lstm", "leaky"} <= {*names["cell"]} and "tomorrow" in names["task"]
    assert "seq2seq" in names["architecture"] and "leaky-words" in names["model"]
    assert "text" in names["modality"]
    for line in [
        "zoo_broken.gone:Gone was left out: there is no module zoo_broken.gone",
        "zoo_broken.typo:Typo was left out: invalid syntax",
        "zoo_broken.bare:Bare was left out: Bare is not decorated with @register('architecture', "
        "...)",
        "zoo_broken.computed:computed was left out: malformed node",
    ]:
        assert line in result.stderr


def test_a_plug_in_cannot_take_a_name_of_the_zoo(tmp_path):
    cell = CELL.replace('"leaky"', '"lstm"')
    point = ("zoo.cells", "lstm = zoo_greedy.cell:LeakyCell")
    install(tmp_path / "site", "zoo_greedy", [point], {"__init__.py": "", "cell.py": cell})
    code = """
        from zoo import registry
        print(registry.get("cell", "lstm").target)
    """
    result = python(code, tmp_path / "site")
    assert result.stdout.strip() == "zoo.cells.lstm:LSTMCell"
    assert "zoo_greedy.cell:LeakyCell was left out: the cell name 'lstm' is taken" in result.stderr

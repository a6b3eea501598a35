"""Files of `torch.save`: numbers are read, and nothing is run."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from zoo import UserError
from zoo.importing.torch_file import read_torch

FOLDER = Path(__file__).parents[2] / "fixtures" / "torch_files"


class Storage(tuple):
    """What a pickle names as a storage: kind, key, numbers."""


class Name:
    """A global of the name `module.name`, written though it is not here."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """A call of a global, written as such."""

    def __init__(self, module, name, *arguments):
        self.function, self.arguments = Name(module, name), arguments


class Pickler(pickle._Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            kind, key, numbers = thing
            return ("storage", Name("torch", kind), key, "cpu", numbers)
        return None

    def save(self, thing, save_persistent_id=True):
        if isinstance(thing, Name):
            self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())
        elif isinstance(thing, Call):
            self.save(thing.function)
            self.save(thing.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(thing, save_persistent_id)


def tensor(size, stride, offset=0, kind="FloatStorage", key="0", numbers=4):
    storage = Storage((kind, key, numbers))
    return Call(
        "torch._utils", "_rebuild_tensor_v2", storage, offset, size, stride, False, OrderedDict()
    )


def written(path, thing, files=None, order=b"little", protocol=2):
    """A file like those of torch.save, of anything."""
    if not isinstance(thing, bytes):
        buffer = io.BytesIO()
        Pickler(buffer, protocol).dump(thing)
        thing = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a/data.pkl", thing)
        packed.writestr("a/byteorder", order)
        numbers = np.array([1, 2, 3, 4], "<f4" if order == b"little" else ">f4")
        for name, content in (files or {"a/data/0": numbers.tobytes()}).items():
            packed.writestr(name, content)
    return path


def test_views_are_read_as_they_are():
    base = np.arange(12, dtype="float32")
    read = read_torch(FOLDER / "views.pt")
    expected = {"part": base[3:9].reshape(2, 3), "turned": base.reshape(3, 4).T, "one": base[5]}
    expected |= {"double": base.astype("float64"), "whole": base.astype("int64"), "none": base[:0]}
    assert read.keys() == expected.keys()
    for name, array in expected.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_half_precision_is_widened():
    expected = np.load(FOLDER / "outputs.npz")
    for name, array in read_torch(FOLDER / "bfloat16.pt").items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected[f"bfloat16/{name}"])


def test_a_checkpoint_is_read_through_its_dicts():
    names = set(read_torch(FOLDER / "two.pt"))
    assert {"model.encoder.rnn.weight_ih_l0", "model.norm.num_batches_tracked"} <= names


def test_what_is_written_here_is_read(tmp_path):
    path = written(tmp_path / "x.pt", {"w": tensor((2, 2), (2, 1))})
    np.testing.assert_array_equal(read_torch(path)["w"], [[1, 2], [3, 4]])
    path = written(tmp_path / "big.pt", {"w": tensor((3,), (1,), offset=1)}, order=b"big")
    np.testing.assert_array_equal(read_torch(path)["w"], [2, 3, 4])


EVIL = {
    "os.system": Call("os", "system", "touch {}"),
    "posix.system": Call("posix", "system", "touch {}"),
    "builtins.eval": Call("builtins", "eval", "open('{}', 'w')"),
    "subprocess.call": {"w": Call("subprocess", "call", ("touch", "{}"))},
    "torch.load": Call("torch", "load", "{}"),
    "numpy.load": Call("numpy", "load", "{}"),
    "collections.OrderedDict.update": Name("collections", "OrderedDict.update"),
    "zoo.importing.torch_file.read_torch": Name("zoo.importing.torch_file", "read_torch"),
}


@pytest.mark.parametrize("name", EVIL)
def test_a_pickle_that_names_anything_else_is_refused_by_name_and_runs_nothing(tmp_path, name):
    def filled(thing):
        if isinstance(thing, Call):
            thing.arguments = tuple(map(filled, thing.arguments))
            return thing
        if isinstance(thing, str):
            return thing.format(tmp_path / "ran")
        return type(thing)(map(filled, thing)) if isinstance(thing, tuple) else thing

    path = written(tmp_path / "evil.pt", filled(EVIL[name]))
    with pytest.raises(UserError, match=rf"it holds {name}, but only tensors"):
        read_torch(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "opcode"),
    [
        (pickle.dumps(os.system, 4), "FRAME"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "SHORT_BINUNICODE"),
        (b"(S'touch x'\nios\nsystem\n.", "STRING"),
        (b"\x80\x02X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.", "STACK_GLOBAL"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "LONG_BINPUT"),
        (b"\x80\x02\x96" + (2**50).to_bytes(8, "little") + b".", "damaged"),
    ],
)
def test_other_opcodes_are_refused(tmp_path, content, opcode):
    with pytest.raises(UserError, match=opcode):
        read_torch(written(tmp_path / "x.pt", content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02}q\x00",
        b"\x80\x02ccollections\nOrderedDict\nK\x01R.",
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x02ctorch\nFloatStorage\n}b.",
        b"\x80\x02K\x01Q.",
        b"\x80\x02R.",
        b"\x80\x02" + b"(" * 1000 + b".",
    ],
)
def test_a_damaged_pickle_is_told(tmp_path, content):
    path = written(tmp_path / "x.pt", content)
    try:
        assert read_torch(path) == {}
    except UserError as error:
        assert "damaged" in str(error)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (tensor((5,), (1,), numbers=5), "larger than its file"),
        (tensor((2**30,), (1,), numbers=2**30), "larger than its file"),
        (tensor((3, 3), (1, 1)), "larger than its storage"),
        (tensor((2, 2), (3, 1)), "larger than its storage"),
        (tensor((2,), (1,), offset=3), "larger than its storage"),
        (tensor((2**20,), (0,)), "larger than its storage"),
        (tensor((2,), (-1,), offset=1), "its shape is none"),
        (tensor((2,), (1,), offset=-1), "its shape is none"),
        (tensor((2.0,), (1,)), "its shape is none"),
        (tensor((2,), (1, 1)), "it has no shape"),
        (tensor(None, None), "it has no shape"),
        (tensor((2,), (1,), key="7"), "is not there"),
        (tensor((2,), (1,), key="../../../etc/passwd"), "is not there"),
        (tensor((4,), (1,), kind="DoubleStorage"), "larger than its file"),
        (Call("torch._utils", "_rebuild_tensor_v2", "0", 0, (2,), (1,)), "it has no storage"),
    ],
)
def test_a_tensor_that_reaches_beyond_its_file_is_refused(tmp_path, given, said):
    with pytest.raises(UserError, match=said):
        read_torch(written(tmp_path / "x.pt", {"w": given}))


def test_dicts_within_themselves_end(tmp_path):
    deep: dict = {}
    for _ in range(40):
        deep = {"a": deep, "b": deep}
    round_and_round: dict = {}
    round_and_round["x"] = round_and_round
    for thing in (deep, round_and_round):
        with pytest.raises(UserError, match="more than 100,000 entries"):
            read_torch(written(tmp_path / "x.pt", thing))


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x"])
def test_tricks_in_the_archive_are_refused(tmp_path, name):
    path = written(tmp_path / "x.pt", {}, {name: b"bad"})
    with pytest.raises(UserError, match="outside of its folder"):
        read_torch(path)


def test_a_blow_up_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/data.pkl", b"\x80\x02}.")
        packed.writestr("a/data/0", bytes(3 * 2**20))
    with pytest.raises(UserError, match="over 100 times"):
        read_torch(tmp_path / "x.pt")


def test_other_files_are_told(tmp_path):
    (tmp_path / "x.pt").write_bytes(pickle.dumps({"w": 1}))
    with pytest.raises(UserError, match=r"files of torch\.save are read"):
        read_torch(tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"before PyTorch 1\.6"):
        read_torch(FOLDER / "legacy.pt")
    with pytest.raises(UserError, match=r"holds torch\.nn\.modules\.rnn\.GRU"):
        read_torch(FOLDER / "module.pt")
    with pytest.raises(UserError, match="there is no file"):
        read_torch(tmp_path / "none.pt")
    with zipfile.ZipFile(tmp_path / "y.pt", "w") as packed:
        packed.writestr("x", b"")
    with pytest.raises(UserError, match=r"no data\.pkl"):
        read_torch(tmp_path / "y.pt")

"""The tensors in a file of `torch.save`, read without PyTorch and without running what it says."""

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.errors import UserError
from zoo.utils.archives import check_zip

_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "<b1",
}
_OPCODES = {
    *("PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "NONE", "NEWTRUE", "NEWFALSE"),
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"),
    *("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
}
"""What `torch.save` writes; what is not here could make objects in other ways than by name."""

_ENTRIES = 100_000
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


class _Storage(NamedTuple):
    kind: str
    key: str
    numbers: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Tensor:
    """In the place of `torch._utils._rebuild_tensor_v2`; what it is given is checked later."""
    return _Tensor(storage, offset, size, stride)


def _parameter(data: Any, *_: Any) -> Any:
    """In the place of `torch._utils._rebuild_parameter`."""
    return data


_ADMITTED: dict[str, Any] = {
    "collections OrderedDict": OrderedDict,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
    # A name and no class, which nothing can be made of.
    **{f"torch {name}": name for name in _STORAGES},
}


class _Unpickler(pickle.Unpickler):
    """Knows the names that a file of tensors needs, and no others."""

    def find_class(self, module: str, name: str) -> Any:
        return _ADMITTED[f"{module} {name}"]

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, numbers = pid
        return _Storage(kind, key, numbers)


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Every tensor in a file of `torch.save`, by name; those of dicts in dicts as `outer.inner`.

    The file holds a pickle, which could run anything. Here it may name ordered dicts, tensors and
    their storages only, and everything that it says of them is checked against the file.

    Returns:
        Arrays of the tensors' own dtypes, but float32 for bfloat16.

    Raises:
        UserError: there is no such file, or it is damaged, of an older format, or holds anything
            but tensors, numbers and text in dicts and lists.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    with path.open("rb") as file:
        beginning = file.read(len(_LEGACY))
    if not zipfile.is_zipfile(path):
        old = "of the format before PyTorch 1.6: save it again" if beginning == _LEGACY else "none"
        raise UserError(f"{path} is refused: files of torch.save are read, but this is {old}")
    check_zip(path)
    with zipfile.ZipFile(path) as packed:
        names = [name for name in packed.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise UserError(f"{path} is no file of torch.save: it has no data.pkl")
        saved = _unpickled(path, packed.read(names[0]))
        files = _Files(path, packed, names[0].removesuffix("data.pkl"))
        return {name: files.array(name, tensor) for name, tensor in _tensors(path, saved)}


def _unpickled(path: Path, content: bytes) -> Any:
    try:
        for opcode, value, _ in pickletools.genops(content):
            if opcode.name == "GLOBAL" and value not in _ADMITTED:
                name = str(value).replace(" ", ".")
                raise UserError(
                    f"{path} is refused: it holds {name}, but only tensors are read, as anything "
                    "else may be a program; save the state_dict() of a module alone"
                )
            wide = opcode.name.startswith("LONG_BIN") and int(value or 0) > len(content)
            if opcode.name not in _OPCODES or wide:
                raise UserError(f"{path} is refused: its pickle has the opcode {opcode.name}")
        return _Unpickler(io.BytesIO(content)).load()
    except UserError:
        raise
    except Exception as error:
        # A pickle can be wrong in as many ways as a program.
        raise UserError(f"{path} is damaged: {error or type(error).__name__}") from error


def _tensors(path: Path, saved: Any) -> Iterator[tuple[str, _Tensor]]:
    """Those in dicts of dicts, which may be in each other or the same one many times."""
    waiting, count = [("", saved)], 0
    while waiting:
        name, thing = waiting.pop()
        count += 1
        if count > _ENTRIES:
            raise UserError(f"{path} is refused: it has more than {_ENTRIES:,} entries")
        if isinstance(thing, _Tensor):
            yield name, thing
        elif isinstance(thing, dict):
            outer = f"{name}." if name else ""
            waiting += [(f"{outer}{key}", value) for key, value in reversed(dict.items(thing))]


class _Files:
    """The storages in a file of `torch.save`."""

    def __init__(self, path: Path, packed: zipfile.ZipFile, folder: str) -> None:
        self.path, self.packed, self.folder = path, packed, folder
        self._known = {info.filename: info for info in packed.infolist()}
        order = f"{folder}byteorder"
        self._big = order in self._known and packed.read(order) == b"big"

    def array(self, name: str, tensor: _Tensor) -> np.ndarray:
        """A tensor's numbers, each of which lies inside of its storage."""
        storage, offset, size, stride = tensor
        if not isinstance(storage, _Storage) or storage.kind not in _STORAGES:
            raise self._wrong(name, "it has no storage")
        integers = [offset, storage.numbers]
        if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
            raise self._wrong(name, "it has no shape")
        integers += [*size, *stride]
        if not all(type(number) is int and 0 <= number < 2**40 for number in integers):
            raise self._wrong(name, "its shape is none")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride))
        if math.prod(size) > storage.numbers or (0 not in size and last >= storage.numbers):
            raise self._wrong(name, "it is larger than its storage")
        content = self._content(name, storage)
        if 0 in size:
            return np.zeros(size, content.dtype)
        strides = [step * content.itemsize for step in stride]
        view = np.lib.stride_tricks.as_strided(content[offset:], size, strides, writeable=False)
        return _float32(view) if storage.kind == "BFloat16Storage" else view.copy()

    def _content(self, name: str, storage: _Storage) -> np.ndarray:
        file = f"{self.folder}data/{storage.key}"
        dtype = np.dtype(_STORAGES[storage.kind])
        if file not in self._known:
            raise self._wrong(name, f"its storage {file!a} is not there")
        if storage.numbers * dtype.itemsize > self._known[file].file_size:
            raise self._wrong(name, f"its storage is larger than its file {file!a}")
        read = np.frombuffer(self.packed.read(file), dtype.newbyteorder(">" if self._big else "<"))
        return read[: storage.numbers].astype(dtype)

    def _wrong(self, name: str, why: str) -> UserError:
        return UserError(f"{self.path} is damaged: of its tensor {name!a}, {why}")


def _float32(halves: np.ndarray) -> np.ndarray:
    """bfloat16, given as its bits: the upper half of a float32."""
    return (halves.astype("<u4") << 16).view("<f4")

"""Exports packed as one file, unpacked only if they cannot do harm; imports no TensorFlow."""

import gzip
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from zoo.errors import UserError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
"""How the name of an archive ends."""

LARGEST = 2 * 2**30
"""Bytes of an export."""
_BLOW_UP = 100
_SMALL = 2**20
"""An archive of some bytes may unpack to as much as this whatever its own size."""
MOST_FILES = 10_000
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # a way of packing that zipfile does not know
)

_unpacked: dict[tuple[str, int, int], tempfile.TemporaryDirectory] = {}
"""By path, time and size; each lives as long as the process."""


class Member(NamedTuple):
    """A file or folder in an archive."""

    name: str
    size: int
    kind: str
    """"file", "folder", or what else it is."""
    open: Callable[[], IO[bytes]]


def is_archive(path: Path) -> bool:
    """Return whether a path is named like an archive.

    Example:
        >>> is_archive(Path("model.tar.gz")), is_archive(Path("model.keras"))
        (True, False)
    """
    return path.name.lower().endswith(ENDINGS)


def unpack(path: Path) -> Path:
    """Unpack a `.zip`, `.tar` or `.tar.gz` into a folder that lasts for the process, and return it.

    Where the archive holds one folder and nothing else, that folder is returned.

    Raises:
        UserError: it is damaged; or a member has an absolute or a parent path, or is a link or a
            device; or it would unpack to over a hundred times its size, or over 2 GB.
    """
    state = path.stat()
    key = (str(path.resolve()), state.st_mtime_ns, state.st_size)
    if key not in _unpacked:
        folder = tempfile.TemporaryDirectory(prefix="zoo-")
        with _named_errors(path):
            _unpack(path, Path(folder.name))
        _unpacked[key] = folder
    root = Path(_unpacked[key].name)
    inside = list(root.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else root


def check_zip(path: Path) -> None:
    """Refuse a zip file, such as a `.keras`, that is damaged or not safe to unpack.

    Raises:
        UserError: as `unpack`.
    """
    with _named_errors(path), zipfile.ZipFile(path) as packed:
        list(_checked(path, _zip_members(path, packed)))
        if broken := packed.testzip():
            raise zipfile.BadZipFile(f"{broken} is not what its checksum says")


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Raise whatever goes wrong with an archive as a `UserError` of one line, with its name."""
    try:
        yield
    except _DAMAGED as error:
        raise UserError(f"{path} is damaged: {error}") from error
    except OSError as error:
        raise UserError(f"cannot unpack {path}: {error.strerror or error}") from error


def _unpack(path: Path, folder: Path) -> None:
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            _write(path, _zip_members(path, packed), folder)
        return
    with tempfile.TemporaryFile() as plain:
        # What lies in a tar can only be told by reading it: first, at most as much as it may be.
        with path.open("rb") as file:
            zipped = file.peek(2).startswith(b"\x1f\x8b")
            read: Any = gzip.GzipFile(fileobj=file) if zipped else file
            _copy(read, plain, path)
        plain.seek(0)
        with tarfile.open(fileobj=plain, mode="r:") as packed:
            _write(path, _tar_members(packed), folder)


def _write(path: Path, members: Iterator[Member], folder: Path) -> None:
    for member in _checked(path, members):
        target = folder / member.name
        if member.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as packed, target.open("xb") as written:
            shutil.copyfileobj(packed, written)


def _checked(path: Path, members: Iterator[Member]) -> Iterator[Member]:
    """Yield the members of an archive, each once it is known to be harmless."""
    total, most = 0, largest_unpacked(path)
    for count, member in enumerate(members):
        shown = ascii(member.name)
        if leads_outside(member.name):
            raise UserError(f"{path} is refused: {shown} would be written outside of its folder")
        if member.kind not in ("file", "folder"):
            raise UserError(f"{path} is refused: {shown} is a {member.kind}, not a file")
        total += member.size
        if total > most or count >= MOST_FILES:
            raise _too_large(path)
        yield member


def leads_outside(name: str) -> bool:
    r"""Return whether a path leads out of its folder, on any system.

    Example:
        >>> [leads_outside(name) for name in ("a/b", "./", "/a", "//a", "a/../b", "c:\\a")]
        [False, False, True, True, True, True]
    """
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or bool(re.match(r"[A-Za-z]:", name))


def largest_unpacked(path: Path) -> int:
    """Return how many bytes a packed file may unpack to, by its own size.

    Example:
        >>> largest_unpacked(Path(__file__)) // 2**20
        1
    """
    return min(LARGEST, max(_SMALL, _BLOW_UP * path.stat().st_size))


def _too_large(path: Path) -> UserError:
    return UserError(
        f"{path} is refused: it would unpack to over {_BLOW_UP} times its size, to over "
        f"{LARGEST // 2**30} GB, or to over {MOST_FILES:,} files"
    )


def _copy(packed: IO[bytes], plain: IO[bytes], path: Path) -> None:
    left = largest_unpacked(path)
    while block := packed.read(2**16):
        left -= len(block)
        if left < 0:
            raise _too_large(path)
        plain.write(block)


def _zip_members(path: Path, packed: zipfile.ZipFile) -> Iterator[Member]:
    for info in packed.infolist():
        if info.flag_bits & 1:
            raise UserError(f"{path} is refused: {info.filename!a} is encrypted")
        mode = info.external_attr >> 16
        kind = "folder" if info.is_dir() else "file"
        if stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            kind = "link" if stat.S_ISLNK(mode) else "device"
        yield Member(info.filename, info.file_size, kind, lambda info=info: packed.open(info))  # type: ignore[misc]


def _tar_members(packed: tarfile.TarFile) -> Iterator[Member]:
    for info in packed:
        kind = "folder" if info.isdir() else "link" if info.issym() or info.islnk() else "device"
        if info.isreg() and not info.issparse():
            kind = "file"
        yield Member(info.name, info.size, kind, lambda info=info: packed.extractfile(info))  # type: ignore

"""Exports on the Hugging Face Hub, downloaded if they can do no harm; imports no TensorFlow."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.utils.archives import LARGEST, MOST_FILES, leads_outside
from zoo.utils.optional_packages import need

_HUB = re.compile(r"hf:/{1,2}")  # a Path has one of the two
_NAME = re.compile(r"(\w[\w.-]*/\w[\w.-]*)(?:@([\w./-]+))?", re.ASCII)
_FILES = (
    "card.json",
    "README.md",
    "learning_curve.png",
    "saved_model.pb",
    "fingerprint.pb",
    "variables/variables.index",
    "variables/variables.data-?????-of-?????",
    "assets.extra/zoo.json",
    "assets.extra/tf_serving_warmup_requests",
    *(
        f"{parent}examples/*.{ending}"
        for parent in ("", "assets.extra/")
        for ending in ("png", "npy", "txt")
    ),
    "litert/*.tflite",
    "onnx/*.onnx",
)
"""What an export is made of, as patterns of paths."""
_NEEDED = ("card.json", "assets.extra/zoo.json", "saved_model.pb")
_SECONDS = 20


def is_on_hub(what: object) -> bool:
    """Return whether a name is that of a model on the Hugging Face Hub.

    Example:
        >>> is_on_hub("hf://user/name"), is_on_hub(Path("hf://user/name")), is_on_hub("char-lstm")
        (True, True, False)
    """
    return _HUB.match(str(what)) is not None


def is_file_of_export(name: str) -> bool:
    """Return whether a path inside of a repository is one of those that an export is made of.

    Example:
        >>> names = ["saved_model.pb", "examples/1.png", "weights.pkl", "model.keras", "zoo.py"]
        >>> [is_file_of_export(name) for name in names]
        [True, True, False, False, False]
    """
    return any(fnmatchcase(name, pattern) for pattern in _FILES)


def download(what: str) -> Path:
    """Return the folder of an export on the Hub, downloaded where it is not there yet.

    Its files lie in the cache of `huggingface_hub`. Nothing is downloaded but the files that an
    export is made of: no pickles, no `.keras` files, no code. What a name without a revision
    stands for is asked once in a process; where the Hub cannot be reached, it is what was
    downloaded last.

    Args:
        what: `hf://user/name` or `hf://user/name@revision`, a branch, a tag or a commit.

    Raises:
        UserError: the package `huggingface_hub` is missing; there is no such model or revision, or
            none that may be read; it is no export; it has paths that lead outside, links, over 2
            GB or over 10,000 files; or the download was broken off.
    """
    match = _NAME.fullmatch(_HUB.sub("", what, count=1))
    if not match:
        raise UserError(
            f"{what} is no name on the Hugging Face Hub: write hf://user/name or "
            "hf://user/name@revision"
        )
    need("hf://", "hub", huggingface_hub="huggingface_hub")
    return _downloaded(match[1], match[2])


@cache
def _downloaded(name: str, revision: str | None) -> Path:
    shown = f"hf://{name}" + (f"@{revision}" if revision else "")
    hub = import_module("huggingface_hub")
    errors = import_module("huggingface_hub.errors")
    try:
        with _no_bars_in_files():
            folder = _fetch(hub, errors, name, revision, shown)
    except UserError:
        raise
    except errors.GatedRepoError as error:
        page = f"{os.environ.get('HF_ENDPOINT') or 'https://huggingface.co'}/{name}"
        raise UserError(
            f"{shown} is given to those only who ask: do so at {page}, then `hf auth login`"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"there is no {shown} on the Hugging Face Hub, or it is private: look at its name, or "
            "log in with `hf auth login`"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(
            f"hf://{name} has no revision {revision}: name a branch, a tag or a commit"
        ) from error
    # What a network does is told alike, of whichever library the error is.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{shown} cannot be downloaded ({reason}): run the same again, which goes on from there"
        ) from error
    _check_folder(folder, shown)
    return folder


@contextmanager
def _no_bars_in_files() -> Iterator[None]:
    """Leave out the bars of a download where nobody watches standard error."""
    bars = import_module("huggingface_hub.utils")
    if sys.stderr.isatty() or bars.are_progress_bars_disabled():
        yield
        return
    bars.disable_progress_bars()
    try:
        yield
    finally:
        bars.enable_progress_bars()


def _fetch(hub: Any, errors: Any, name: str, revision: str | None, shown: str) -> Path:
    """Download what an export is made of, and return the folder.

    Raises:
        UserError: it is no export, or not a safe one.
        Exception: what `huggingface_hub` raises.
    """
    wanted = {"revision": revision, "allow_patterns": list(_FILES)}
    try:
        model = hub.HfApi().model_info(
            name, revision=revision, files_metadata=True, timeout=_SECONDS
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise
    except Exception:
        # Nobody answers: what was downloaded before will do.
        with suppress(Exception):
            return Path(hub.snapshot_download(name, local_files_only=True, **wanted))
        raise
    names = list(_checked(((file.rfilename, file.size) for file in model.siblings or ()), shown))
    if missing := [each for each in _NEEDED if each not in names]:
        raise UserError(
            f"{shown} is no export of the zoo: it has no {missing[0]}; what `zoo export` writes "
            "can be uploaded as it is"
        )
    return Path(hub.snapshot_download(name, **wanted))


def _checked(sizes: Iterable[tuple[str, int | None]], shown: str) -> Iterator[str]:
    """Yield the names of an export's files, of all files with their sizes in bytes.

    Raises:
        UserError: a path leads outside, or they are too large, or too many.
    """
    total = 0
    for count, (name, size) in enumerate(sizes, start=1):
        if leads_outside(name):
            raise UserError(f"{shown} is refused: {name!a} would be written outside of its folder")
        if count > MOST_FILES:
            raise UserError(f"{shown} is refused: it has over {MOST_FILES:,} files")
        if not is_file_of_export(name):
            continue
        total += size or 0
        if total > LARGEST:
            raise UserError(f"{shown} is refused: it has over {LARGEST // 2**30} GB")
        yield name


def _check_folder(folder: Path, shown: str) -> None:
    """Check what was downloaded, which may not be what was announced.

    Files in the cache are links to where their content lies, beside the folder.

    Raises:
        UserError: a file or folder is a link to somewhere else, or they are too large.
    """
    inside = folder.resolve().parents[1]
    sizes = []
    for parent, folders, files in os.walk(folder):
        paths = [Path(parent) / name for name in (*folders, *files)]
        for path in paths:
            if path.is_symlink() and (path.is_dir() or inside not in path.resolve().parents):
                name = path.relative_to(folder).as_posix()
                raise UserError(f"{shown} is refused: {name!a} is a link, not a file")
        sizes += [
            (path.relative_to(folder).as_posix(), path.stat().st_size)
            for path in paths
            if path.is_file()
        ]
    list(_checked(sizes, shown))

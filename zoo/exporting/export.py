"""A trained model in every form that people deploy, written whole or not at all."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import UserError
from zoo.exporting.card.card import make_card, write_card
from zoo.exporting.formats.litert import check_litert, write_litert_files
from zoo.exporting.formats.onnx import check_onnx, write_onnx
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.manifest import has_manifest
from zoo.exporting.parity import measure_parity
from zoo.exporting.trained import Trained
from zoo.registry import unknown

FORMATS = ("saved_model", "litert", "litert_quantised", "onnx")
_LITERT = {"litert": False, "litert_quantised": True}
"""Those of LiteRT, and whether they are quantised."""


def write_export(
    trained: Trained,
    source: Path,
    path: Path,
    formats: Sequence[str] = FORMATS[:1],
    metrics: bool = True,
    overwrite: bool = False,
) -> None:
    """Write an export beside its place, compare its forms with the model, and move it there.

    Every export holds the SavedModel.

    Args:
        trained: the model and its task.
        source: the folder that the model came from, a run or another export.
        path: the folder to write.
        formats: of `FORMATS`; what else than the SavedModel to write.
        metrics: measure the model on the test split, and show answers on the card.
        overwrite: whether an export that is there when this one is done is replaced.

    Raises:
        UserError: a form differs from the model, or the path cannot be written or is taken, see
            `check_target`. Nothing is left behind then, and what was there stays.
    """
    try:
        with _parents(path), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            whole = Path(scratch) / "model"
            model, numeric = trained.model, trained.numeric
            write_saved_model(trained, whole)
            if quantised := [_LITERT[form] for form in _LITERT if form in formats]:
                write_litert_files(model, whole, quantised, numeric)
            if "onnx" in formats:
                write_onnx(model, whole, numeric)
            parity = measure_parity(trained, whole)
            write_card(make_card(trained, whole, source, parity, metrics), whole)
            # It may have come only now: writing takes minutes.
            check_target(path, overwrite)
            _replace(path, whole, Path(scratch) / "old")
    except OSError as error:
        raise UserError(f"cannot write the export to {path}: {error.strerror}") from error


@contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Make the folders above a path, and take away again those that stay empty."""
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for parent in missing:
            with suppress(OSError):
                parent.rmdir()


def _replace(path: Path, new: Path, old: Path) -> None:
    """Move a folder to a path, and what is there, if anything, away; both or neither."""
    there = path.exists()
    if there:
        path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        if there:
            old.rename(path)
        raise


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a path that exists, unless it is an export that may be replaced."""
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists already: pass --overwrite to replace it")
    if path.exists() and (path.is_symlink() or not has_manifest(path)):
        raise UserError(f"{path} exists and is no export of the zoo: choose another path")


def check_formats(formats: Sequence[str]) -> None:
    """Refuse a format that is not known, or for which a package is missing."""
    for name in formats:
        if name not in FORMATS:
            raise UserError(unknown("format", name, FORMATS))
    if {*_LITERT} & {*formats}:
        check_litert()
    if "onnx" in formats:
        check_onnx()

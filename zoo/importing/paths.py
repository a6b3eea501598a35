"""What is read and written by an import, checked without TensorFlow."""

from pathlib import Path

from zoo.errors import UserError


def check_paths(path: Path, out: Path) -> None:
    """Refuse a file that is not there, and one to write that cannot be.

    Raises:
        UserError: `path` is no file; `out` exists, does not end in `.keras`, or has no folder.
    """
    if path.is_dir():
        what = "a SavedModel, which has" if (path / "saved_model.pb").exists() else "a folder with"
        raise UserError(f"{path} is {what} no Keras layers to read: give a .keras or .h5 file")
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    if out.suffix != ".keras":
        raise UserError(f"{out} does not end in .keras, as what is written does")
    if out.exists():
        raise UserError(f"{out} exists already: choose another path")
    if not out.parent.is_dir():
        raise UserError(f"there is no folder {out.parent}: make it first")

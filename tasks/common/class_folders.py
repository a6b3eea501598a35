"""Folders of a person's own that hold one folder for each class."""

from pathlib import Path

from tasks.common.splits import name_without_split, split_named
from zoo.errors import UserError


def parts_of(folder: Path) -> dict[Path, str]:
    """Return the folders that hold one folder a class, and what is said of the split of each.

    These are `train`, `validation` or `val`, and `test`, where there is a `train`; else it is the
    folder itself, of whose split nothing is said, "".

    Raises:
        UserError: there is another folder beside `train`.
    """
    parts = {part: _split_of_folder(part.name) for part in folders_in(folder)}
    if "train" not in parts.values():
        return {folder: ""}
    if other := next((part.name for part, split in parts.items() if not split), None):
        raise UserError(f"{folder} has {other} beside train: validation and test are expected")
    return parts


def _split_of_folder(name: str) -> str:
    """Return the split that a folder is called after; "" for one of a class, `freight_train` too.

    Example:
        >>> _split_of_folder("val2017"), _split_of_folder("freight_train")
        ('validation', '')
    """
    rest = name_without_split(name)
    return "" if any(map(str.isalpha, rest)) else split_named(name) or ""


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, in order of their names, but for hidden ones."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def files_in(folder: Path) -> list[Path]:
    """Return the files at any depth of a folder, in order, but for hidden ones."""
    inside = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [folder / path for path in inside if not any(p.startswith(".") for p in path.parts)]

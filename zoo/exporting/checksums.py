"""Whether an export is as it was written: the card keeps a checksum of every file."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from zoo.errors import UserError

CARD = "card.json"
README = "README.md"
CURVE = "learning_curve.png"
FORMAT = 1
"""Of the card; a larger one was written by a newer zoo."""


def read_card(folder: Path) -> dict[str, Any]:
    """Return what an export's card says.

    Raises:
        UserError: there is none, it is not JSON or no card, or a newer zoo wrote it.
    """
    path = folder / CARD
    if not path.is_file():
        raise UserError(f"{folder} has no {CARD}: export the run again")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["format"] <= FORMAT and not isinstance(card["files"], dict):
            raise ValueError("it lists no files")
    except (RecursionError, ValueError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{path} is damaged: {error}; export the run again") from error
    if card["format"] > FORMAT:
        raise UserError(
            f"{path} has the format {card['format']}, but this sequence-zoo "
            f"({version('sequence-zoo')}) knows {FORMAT}: a newer one wrote it, so upgrade"
        )
    return card


def check_files(folder: Path) -> None:
    """Check that each file that an export's card speaks of is there, and as it was written.

    A few milliseconds for three megabytes.

    Raises:
        UserError: the card cannot be read, or a file is missing or damaged: the first one is named.
    """
    for name, expected in read_card(folder)["files"].items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"{folder / CARD} speaks of {name}, which is outside of the export")
        path = folder / name
        if not path.is_file():
            raise _damaged(folder, f"{name} is missing")
        if hash_file(path) != expected:
            raise _damaged(folder, f"{name} is not as it was written")


def _damaged(folder: Path, reason: str) -> UserError:
    return UserError(f"the export {folder} is damaged: {reason}; export the run again")


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of an export but for the card and what is written from it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: hash_file(path) for name, path in names.items() if name not in (CARD, README)}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""What an export says of itself, read and written without TensorFlow."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.errors import UserError
from zoo.readers.inputs import KINDS

EXTRAS = Path("assets.extra")
DESCRIPTION = EXTRAS / "zoo.json"
EXAMPLES = EXTRAS / "examples"
FORMAT = 1
"""Of the description; a larger one was written by a newer zoo."""


_MARKS = ("saved_model.pb", "card.json", "assets.extra")
"""What lies in an export beside its manifest."""


def has_manifest(path: Path) -> bool:
    """Return whether a folder was written by `zoo export`, and says so."""
    return (path / DESCRIPTION).is_file()


def is_export(path: Path) -> bool:
    """Return whether a folder is an export, be it a damaged one that lacks its manifest."""
    is_run = (path / "config.json").is_file()
    return has_manifest(path) or (not is_run and any((path / mark).exists() for mark in _MARKS))


def write_description(folder: Path, said: dict[str, Any]) -> None:
    """Keep what an export says of itself, with the format and the version that wrote it."""
    whole = {"format": FORMAT, "zoo": version("sequence-zoo"), **said}
    # A vocabulary on a line of each of its words would be twice as large.
    text = json.dumps(whole, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def read_description(path: Path) -> dict[str, Any]:
    """What an export says of itself: `model`, `input`, `endpoints`, `options` and `config`.

    Raises:
        UserError: the folder is no export, or its description is damaged, or a newer zoo wrote it.
    """
    if not is_export(path):
        raise UserError(f"{path} is no export of the zoo: it has no {DESCRIPTION}")
    if not has_manifest(path):
        raise UserError(
            f"the export {path} is damaged: it lacks its manifest, {DESCRIPTION}; export the run "
            "again"
        )
    try:
        said = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        newer = said.get("format", 0) > FORMAT
        said = {"options": {}, **said}
        types = {"model": str, "endpoints": list, "options": dict, "config": dict}
        if not newer and (
            said["input"] not in KINDS
            or not all(isinstance(said[key], kind) for key, kind in types.items())
        ):
            raise ValueError("what it takes is not known")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise UserError(
            f"{path / DESCRIPTION} is damaged: {error}; export the run again"
        ) from error
    if newer:
        raise UserError(
            f"{path} was written by sequence-zoo {said.get('zoo')}, which is newer than this one "
            f"({version('sequence-zoo')}): upgrade it"
        )
    return said


_NO_STEPS = {
    "one_to_one": "it has no time steps",
    "one_to_many": "it first reads its input as a whole",
    "seq2seq": "it first reads its input as a whole",
}


def check_streams(path: Path) -> None:
    """Refuse a model that cannot be run step by step, and say why.

    Raises:
        UserError: it cannot, or is no export.
    """
    if not is_export(path):
        raise UserError(
            f"{path} is no export, and only an export is streamed to: `zoo export {path} my-model`"
        )
    said = read_description(path)
    if {"read", "tell", "step", "initial_state"} <= set(said["endpoints"]):
        return
    model = registry.entries("model").get(said["model"])
    why = _NO_STEPS.get(model.info["topology"] if model else "")
    if not why and "step" in said["endpoints"]:
        why = "it reads by no words or characters; if it does, export the run again"
    raise UserError(
        f"{said['model']} cannot be streamed to: {why or 'it reads its input from both ends'}"
    )

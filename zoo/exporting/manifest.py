"""What an export says of itself, read and written without TensorFlow."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.errors import UserError

EXTRAS = Path("assets.extra")
MANIFEST = EXTRAS / "zoo.json"
EXAMPLES = EXTRAS / "examples"
FORMAT = 1
"""Of the manifest; a larger one was written by a newer zoo."""


_MARKS = ("saved_model.pb", "card.json", "assets.extra")
"""What lies in an export beside its manifest."""


def has_manifest(path: Path) -> bool:
    """Return whether a folder was written by `zoo export`, and says so."""
    return (path / MANIFEST).is_file()


def is_export(path: Path) -> bool:
    """Return whether a folder is an export, be it a damaged one that lacks its manifest."""
    is_run = (path / "config.json").is_file()
    return has_manifest(path) or (not is_run and any((path / mark).exists() for mark in _MARKS))


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write what an export is, with the format and the version that wrote it."""
    whole = {"format": FORMAT, "zoo": version("sequence-zoo"), **content}
    # A vocabulary on a line of each of its words would be twice as large.
    text = json.dumps(whole, ensure_ascii=False)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(path: Path) -> dict[str, Any]:
    """Read what an export is: `model`, `input` (its modality), `endpoints`, `options`, `config`.

    Raises:
        UserError: the folder is no export, or its manifest is damaged, or a newer zoo wrote it, or
            its modality is that of a package which is not installed.
    """
    if not is_export(path):
        raise UserError(f"{path} is no export of the zoo: it has no {MANIFEST}")
    if not has_manifest(path):
        raise UserError(
            f"the export {path} is damaged: it lacks its manifest, {MANIFEST}; export the run again"
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        newer = manifest.get("format", 0) > FORMAT
        manifest = {"options": {}, **manifest}
        types = {"model": str, "input": str, "endpoints": list, "options": dict, "config": dict}
        if not newer and not all(isinstance(manifest[key], kind) for key, kind in types.items()):
            raise ValueError("what it takes is not known")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise UserError(f"{path / MANIFEST} is damaged: {error}; export the run again") from error
    if newer:
        raise UserError(
            f"{path} was written by sequence-zoo {manifest.get('zoo')}, which is newer than this "
            f"one ({version('sequence-zoo')}): upgrade it"
        )
    if manifest["input"] not in registry.entries("modality"):
        raise UserError(
            f"{path} takes {manifest['input']!r}, which no package here reads: install the one "
            "that it was made with"
        )
    return manifest


def check_streamed(path: Path) -> dict[str, Any]:
    """Return the manifest of an export that can be run step by step.

    Raises:
        UserError: it cannot, and why; or the folder is no export.
    """
    if not is_export(path):
        raise UserError(
            f"{path} is no export, and only an export is streamed to: `zoo export {path} my-model`"
        )
    manifest = read_manifest(path)
    endpoints = {*manifest["endpoints"]}
    if {"read", "tell", "step", "initial_state"} <= endpoints:
        return manifest
    recurrent = manifest.get("recurrent")
    if "encode" in endpoints:
        why = "it first reads its input as a whole"
    elif "step" in endpoints:
        why = "it reads by no words or characters; if it does, export the run again"
    elif recurrent is None:
        why = "it has no time steps, or reads its input from both ends"
    else:
        why = "it reads its input from both ends" if recurrent else "it has no time steps"
    raise UserError(f"{manifest['model']} cannot be streamed to: {why}")

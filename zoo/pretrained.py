"""Trained models by name or path: those of `saved_models/` beside the packages, and the Hub's."""

from pathlib import Path

from zoo.errors import UserError
from zoo.registry import unknown
from zoo.utils.archives import is_archive, unpack
from zoo.utils.files import check_not_empty
from zoo.utils.hub import download, is_on_hub

FOLDER = Path(__file__).parents[1] / "saved_models"
"""In a clone as in an installed wheel."""

_MARKS = ("config.json", "assets.extra", "card.json")
"""What lies in a run or an export."""


def ready_models() -> list[str]:
    """Return the names of the models that can be used without training.

    Example:
        >>> all((FOLDER / name / "card.json").is_file() for name in ready_models())
        True
    """
    return sorted(path.parent.name for path in FOLDER.glob("*/card.json"))


def find(what: str | Path) -> Path:
    """Return the folder that is named, or else that of the ready-trained model of this name.

    Args:
        what: the path of a run or an export, also one packed as in `zoo.utils.archives`; or a name;
            or `hf://user/name` of an export on the Hugging Face Hub, see `zoo.utils.hub`.

    Raises:
        UserError: there is none, or it is a file that is no such archive, or not a safe one; or
            a folder that is something else has the name of a ready-trained model.
    """
    check_not_empty(model=what)
    if is_on_hub(what):
        return download(str(what))
    path = Path(what)
    if path.is_dir():
        if str(what) in ready_models() and not any((path / each).exists() for each in _MARKS):
            raise UserError(
                f"the folder {path} here is no run and no export, and hides the ready-trained "
                f"model {path}: rename it, or go to another folder"
            )
        return path
    if path.is_file():
        if is_archive(path):
            return unpack(path)
        raise UserError(f"{path} is no folder of a run or an export: {_what_to_do(path)}")
    if str(what) in ready_models():
        return FOLDER / what
    if len(path.parts) > 1:
        raise UserError(f"there is no folder {what}: `zoo fit` prints where it writes")
    raise UserError(unknown("folder or ready-trained model", str(what), ready_models()))


def _what_to_do(path: Path) -> str:
    """Say what to do with a file that is not taken as it is."""
    match path.suffix.lower():
        case ".keras" | ".h5" | ".hdf5":
            return "it says no task; `zoo.load` in Python reads it, `zoo import keras` converts it"
        case ".pt" | ".pth":
            return "`zoo import torch` reads the weights of recurrent layers"
        case ".pkl" | ".pickle" | ".joblib":
            return "a pickle runs whatever its maker wrote, and is never read"
    return "give the folder, or pack it as .zip or .tar.gz"

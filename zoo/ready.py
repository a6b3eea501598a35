"""Ready-trained models by name: `saved_models/` beside the packages."""

from pathlib import Path

from zoo.errors import UserError
from zoo.registry import unknown

FOLDER = Path(__file__).parents[1] / "saved_models"
"""In a clone as in an installed wheel."""


def ready_models() -> list[str]:
    """The names of the models that can be used without training.

    Example:
        >>> all((FOLDER / name / "card.json").is_file() for name in ready_models())
        True
    """
    return sorted(path.parent.name for path in FOLDER.glob("*/card.json"))


def find(what: str | Path) -> Path:
    """The folder that is named, or else that of the ready-trained model of this name.

    Args:
        what: the path of a run or an export, or a name.

    Raises:
        UserError: there is neither.
    """
    path = Path(what)
    if path.is_dir():
        return path
    if str(what) in ready_models():
        return FOLDER / what
    if len(path.parts) > 1 or path.exists():
        raise UserError(f"there is no folder {what}: `zoo fit` prints where it writes")
    raise UserError(unknown("folder or ready-trained model", str(what), ready_models()))

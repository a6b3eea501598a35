"""Texts of a language model, read while they are written; and pictures of a model that paints."""

from collections.abc import Iterator
from pathlib import Path

from zoo.api.load import restore
from zoo.api.run import Run
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.evaluation.paintings import check_ending, write_paintings
from zoo.utils.validation import LONGEST_TEXT, MOST_PICTURES


def generate(
    what: Run | str | Path,
    prompt: str = "",
    length: int = 200,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 1,
) -> Iterator[str]:
    """Continue a text with a language model.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        prompt: how the text begins; an empty one leaves that to the model.
        length: tokens to add, characters or words.
        temperature: 0 takes the likeliest token each time; 1 draws by the model's probabilities.
        top_k: draw from so many of the likeliest tokens; 0 for all.
        top_p: draw from the likeliest tokens that hold this share of the probability, above 0; 1
            for all.
        seed: the same seed draws the same text.

    Returns:
        The parts of the text as they are made, the prompt first.

    Raises:
        UserError: the model cannot be read or is no language model, a value is out of range, or
            the prompt has more than 20,000 characters.
    """
    sampling = SamplingOptions(length, temperature, top_k, top_p, seed)
    if len(prompt) > LONGEST_TEXT:
        raise UserError(
            f"the prompt has {len(prompt):,} characters, but {LONGEST_TEXT:,} are the most that is "
            "read: give its end alone"
        )
    trained = restore(what)
    return trained.task.stream(trained.model, prompt, sampling)


def generate_pictures(
    what: Run | str | Path, path: str | Path, count: int = 16, seed: int = 1
) -> Path:
    """Paint new pictures, side by side in one file.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        path: the file to write: `.png`, `.gif` for an animation of the canvases, or `.svg` of a
            model that paints with strokes.
        count: how many pictures, 1 to 1,024.
        seed: the same seed paints the same pictures.

    Returns:
        The path.

    Raises:
        UserError: the model cannot be read or paints no pictures, or the file cannot be written or
            is of another kind.
    """
    path = Path(path)
    check_ending(path)
    if not 1 <= count <= MOST_PICTURES:
        raise UserError(f"count is {count}, but 1 to {MOST_PICTURES} is needed")
    trained = restore(what)
    return write_paintings(path, trained.task.paint(trained.model, count, seed))

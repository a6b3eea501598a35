"""Pictures of a person's own with a sequence of labels each: a table, and what it names."""

from pathlib import Path

import numpy as np

from tasks.common.notices import tell_alike
from tasks.common.splits import RULE, by_split
from tasks.image_classification.pictures import Picture, filled, listed_pictures
from tasks.image_classification.sources import Labelled, OwnPictures
from zoo.errors import UserError

UNITS = ("word", "character")
COLUMNS = ("labels", "label", "transcription", "text", "words")
"""What the column of a table may be called that holds the labels; the first that there is."""
_LAYOUT = "a table such as index.csv with the columns picture and labels is needed"


def cut(text: str, unit: str) -> list[str]:
    """Return the labels that a cell of a table holds, in their order.

    Args:
        text: the cell.
        unit: "word": labels are set apart by spaces; "character": each character is one.

    Example:
        >>> cut("12 7", "word"), cut("12 7", "character")
        (['12', '7'], ['1', '2', '7'])
    """
    return text.split() if unit == "word" else [*"".join(text.split())]


class OwnSequences(OwnPictures):
    """A person's own table of pictures and their labels, or a folder that holds one.

    It has a column of files, called `picture` or in another way that `image_classification` takes,
    and one of `labels`, perhaps `split` and `group`, see `tasks.image_classification.pictures`.

    Args:
        path: of the table or the folder.
        data_dir: where decoded pictures are kept.
        rule: that of the run that asks, see `tasks.common.splits.tell_rule`.
        unit: what a label is, see `cut`.

    Attributes:
        longest: labels of the longest sequence for training.
        ends: whether sequences differ in length.

    Raises:
        UserError: there is no such table, or one that is not understood, or fewer than two labels
            to learn.
    """

    def __init__(
        self, path: Path, data_dir: str | None, rule: str = RULE, unit: str = "word"
    ) -> None:
        self.unit = unit
        super().__init__(path, data_dir, rule)
        sequences = [cut(each.label, unit) for each in self._parts["train"]]
        self.classes = sorted({label for sequence in sequences for label in sequence})
        if len(self.classes) < 2:
            raise UserError(
                f"{path} has one label to learn, {', '.join(self.classes)}, but 2 are needed"
            )
        lengths = {len(sequence) for sequence in sequences}
        self.longest, self.ends = max(lengths), len(lengths) > 1

    def _read_parts(self, rule: str) -> dict[str, list[Picture]]:
        pictures = list(listed_pictures(self.path, COLUMNS))
        if not pictures:
            raise UserError(f"{self.path} has no table of pictures and labels: {_LAYOUT}")
        parts = by_split((each, each.split, str(each.source)) for each in pictures)
        if not parts["train"]:
            raise UserError(f"{self.path} has no pictures for training")
        tell_alike(self.path, (label for p in parts["train"] for label in cut(p.label, self.unit)))
        return filled(parts, self.path, rule)

    def sequences(self, split: str, shape: list[int], classes: list[str], most: int) -> Labelled:
        """Return the pictures of a split, and their labels `[N, most]`, padded with their end.

        The end of a sequence is the class after the last.

        Raises:
            UserError: none can be read, or one has a label that is none of `classes`, or too many.
        """
        images, pictures = self._decoded(split, shape)
        numbers = {label: number for number, label in enumerate(classes)}
        labels = np.full((len(pictures), most), len(classes))
        for row, picture in zip(labels, pictures):
            sequence = cut(picture.label, self.unit)
            if other := next((label for label in sequence if label not in numbers), None):
                raise UserError(
                    f"{picture.source}, for {split}, has the label {other}, but the model knows "
                    f"{', '.join(classes)}"
                )
            if len(sequence) > most:
                raise UserError(
                    f"{picture.source}, for {split}, has {len(sequence)} labels, but the model "
                    f"names {most} at most"
                )
            row[: len(sequence)] = [numbers[label] for label in sequence]
        return Labelled(images, labels)

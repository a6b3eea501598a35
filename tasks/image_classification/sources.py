"""Where pictures and their classes come from: a data set by name, or a person's own files."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tasks.common.cache import cached_array, file_key
from tasks.common.data import NamedClasses, check_classes, load_split
from tasks.common.folds import check_part
from tasks.common.images import read_pixels, stack_images
from tasks.common.notices import left_out
from tasks.common.splits import RULE
from tasks.image_classification.pictures import Picture, read_pictures
from zoo.errors import UserError
from zoo.readers.images import read_picture

LARGEST = 64
"""Side of own pictures that are larger, or of several sizes, if nobody says another."""

_ASKED = 50
_FEATURES = ("image", "label")


class Labelled(NamedTuple):
    """Pictures of one size `[N, h, w, c]`, uint8, and the number of the class of each, `[N]`."""

    images: np.ndarray
    labels: np.ndarray


class NamedPictures(NamedClasses):
    """A tensorflow-datasets set with `image` and `label`."""

    def image_shape(self, side: int = 0) -> list[int]:
        """Return the shape of the first test picture; of another size if that is asked for."""
        height, width, channels = self._load("test[:1]")[0]["image"].shape
        return [side or height, side or width, channels]

    def read(self, split: str, shape: Sequence[int], classes: Sequence[str]) -> Labelled:
        """Return the pictures of a split.

        Raises:
            UserError: as `tasks.common.data.load_split`; or the data set has other classes.
        """
        check_classes(list(classes), self.name, self.data_dir)
        examples = self._load(split)
        images = stack_images([example["image"] for example in examples], shape)
        return Labelled(images, np.array([example["label"] for example in examples]))

    def some(self, count: int, shape: Sequence[int], classes: Sequence[str]) -> list[np.ndarray]:
        """Return the first test pictures as they are."""
        return [example["image"] for example in self._load(f"test[:{count}]")]

    def _load(self, split: str) -> list[dict[str, Any]]:
        return load_split(self.name, split, self.data_dir, _FEATURES)


class OwnPictures:
    """A person's own folder or table, see `pictures.read_pictures`.

    Args:
        path: of it.
        data_dir: where decoded pictures are kept.
        rule: that of the run that asks, see `tasks.common.splits.tell_rule`.
        fold: see `tasks.common.folds`.

    Raises:
        UserError: as `read_pictures`.
    """

    def __init__(self, path: Path, data_dir: str | None, rule: str = RULE, fold: str = "") -> None:
        self.path, self.data_dir, self.fold = path, data_dir, fold
        self._parts = self._read_parts(rule)
        self.classes = sorted({each.label for each in self._parts["train"]})

    def _read_parts(self, rule: str) -> dict[str, list[Picture]]:
        return read_pictures(self.path, rule, self.fold)

    def image_shape(self, side: int = 0) -> list[int]:
        """Return the shape that pictures are brought to.

        It is that of the pictures for training, of which some are looked at, if they are all of one
        size and no larger than 64 pixels; else 64 by 64, which is told. Grey where all are grey.
        """
        sizes, modes, reason = set(), set(), ""
        pictures = self._parts["train"]
        for each in pictures[:: max(1, len(pictures) // _ASKED)]:
            try:
                picture = read_picture(each.source, str(each.source))
            except UserError as error:
                reason = str(error)
                continue
            sizes.add((picture.height, picture.width))
            modes.add(picture.mode)
        if not sizes:
            raise UserError(f"{self.path} has no picture that can be read: {reason}")
        height, width = max(sizes)
        if side:
            height = width = side
        elif len(sizes) > 1 or max(height, width) > LARGEST:
            height = width = LARGEST
            print(
                f"{self.path}: its pictures are brought to {height} by {width}, whatever their "
                "form, as they are larger or of several sizes; image_size sets another",
                file=sys.stderr,
            )
        return [height, width, 1 if modes == {"L"} else 3]

    def read(self, split: str, shape: Sequence[int], classes: Sequence[str]) -> Labelled:
        """Return the pictures of a split, decoded if they were not; damaged ones are told.

        Raises:
            UserError: none of them can be read, or one is of no class of `classes`.
        """
        if not self._parts[split]:
            check_part(self.fold, split, self.path)
        known = {*classes}
        if other := next((p for p in self._parts[split] if p.label not in known), None):
            raise UserError(
                f"{other.source} has the class {other.label}, but the model knows "
                f"{', '.join(classes)}"
            )
        images, pictures = self._decoded(split, shape)
        numbers = {label: number for number, label in enumerate(classes)}
        return Labelled(images, np.array([numbers[each.label] for each in pictures]))

    def _decoded(self, split: str, shape: Sequence[int]) -> tuple[np.ndarray, list[Picture]]:
        """Return the pictures of a split that can be read, and what is known of them."""
        pictures = self._parts[split]
        cached = cached_array(
            ["pictures", file_key([each.source for each in pictures])],
            (len(pictures), *shape),
            "uint8",
            lambda n: read_pixels(pictures[n].source, str(pictures[n].source), shape),
            f"reading {self.path.name}, {split}",
            self.data_dir,
        )
        left_out(self.path, "picture", "that cannot be read", list(cached.failed.values()))
        if not len(cached.indices):
            raise UserError(f"{self.path} has no picture for {split} that can be read")
        return cached.array, [pictures[n] for n in cached.indices]

    def some(self, count: int, shape: Sequence[int], classes: Sequence[str]) -> list[np.ndarray]:
        """Return the first test pictures."""
        split = "test" if self._parts["test"] else "train"
        return list(self.read(split, shape, classes).images[:count])

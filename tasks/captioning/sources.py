"""Where images and captions come from: a data set by name, or a person's own folder."""

import abc
import sys
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from tasks.captioning.caption_files import has_words
from tasks.captioning.folders import read_folder
from tasks.captioning.scenes import Object, scene_objects
from tasks.captioning.tables import picture_tables, read_tables
from tasks.common.cache import Cached, cached_rows, file_key, in_threads
from tasks.common.data import iterate_split, part_of, prepared
from tasks.common.images import read_pixels
from tasks.common.notices import counted, left_out
from tasks.common.sources import own_path
from tasks.common.splits import RULE
from zoo.errors import UserError
from zoo.readers.images import read_picture
from zoo.readers.stored_pictures import StoredPicture

NO_CAPTION = " has no caption"
MOST_CAPTIONS = 20
"""Of an image: each takes as much room as the one with the most, so that others are left out."""
_LARGEST = 128


class Captioned(NamedTuple):
    """The images of a split that can be read and have captions.

    Attributes:
        images: `[N, h, w, c]`, uint8, which may lie on disk.
        captions: of each image, in lower case, from one to `MOST_CAPTIONS`.
        scenes: what each image shows, where the data set says so.
        key: stands for what the images were made from.
    """

    images: np.ndarray
    captions: list[list[str]]
    scenes: list[list[Object] | None]
    key: str


class Encoded(NamedTuple):
    """An image as it is stored, what to call it, and what is said of it, as JSON values."""

    image: Path | bytes | StoredPicture
    name: str
    captions: list[str]
    objects: list[Any] | None = None


class Source(abc.ABC):
    """Images with captions, split by split."""

    def __init__(self, name: str, data_dir: str | None) -> None:
        self.name, self.data_dir = name, data_dir
        self._read: dict[Any, Captioned] = {}

    @abc.abstractmethod
    def channels(self) -> int:
        """Return the channels of the images: 1 or 3."""

    @abc.abstractmethod
    def _items(self, split: str) -> Generator[Encoded]:
        """Yield all images of a split."""

    @abc.abstractmethod
    def _key(self, split: str) -> tuple[int, Any]:
        """Return how many those are, and what they come from."""

    def shape(self, side: int = 0) -> list[int]:
        """Return the height, width and channels that its images are brought to.

        Args:
            side: height and width; 0 for those of the first image for training that can be read,
                but no side over 128.
        """
        height, width = (side, side) if side else self.size()
        if max(height, width) > _LARGEST and not side:
            height = width = _LARGEST
        return [height, width, self.channels()]

    def size(self) -> tuple[int, int]:
        """Return height and width of the first image for training that can be read."""
        with closing(self._items("train")) as items:
            for item in items:
                try:
                    picture = read_picture(item.image, item.name)
                except UserError:
                    continue
                return picture.height, picture.width
        raise self._nothing("train")

    def some(self, split: str, shape: list[int], count: int) -> list[np.ndarray]:
        """Return the first few images of a split that can be read, without the others."""
        with closing(self._items(split)) as items:
            rows = (_row(item, shape) for item in items)
            return list(islice((row[0] for row in rows if isinstance(row, tuple)), count))

    def captions(self, split: str, images: int) -> list[str]:
        """Return the captions of the first images of a split, none of which is decoded."""
        with closing(self._items(split)) as items:
            first = islice(items, images)
            return [caption for item in first for caption in _usable(item.captions)]

    def read(self, split: str, shape: list[int]) -> Captioned:
        """Return a split, its images brought to a shape: decoded once and kept on disk.

        Images that cannot be read are counted and named on standard error.

        Raises:
            UserError: nothing is left, or it cannot be read at all.
        """
        if (split, *shape) not in self._read:
            self._read[split, *shape] = self._decoded(split, shape)
        return self._read[split, *shape]

    def _decoded(self, split: str, shape: list[int]) -> Captioned:
        count, key = self._key(split)
        cached = cached_rows(
            ["captioned images", key],
            (count, *shape),
            "uint8",
            lambda: in_threads(lambda item: _row(item, shape), self._items(split)),
            f"decoding images, {split}",
            self.data_dir,
        )
        self._tell(split, list(cached.failed.values()))
        if not len(cached.indices):
            raise self._nothing(split)
        notes = self._notes(split, cached)
        captions = [_usable(note[0]) for note in notes]
        if left := sum(len(note[0]) - len(used) for note, used in zip(notes, captions)):
            what = f"left out {counted('caption', range(left))}"
            why = f"without words, or after the first {MOST_CAPTIONS} of an image"
            print(f"{self.name}, {split}: {what} {why}", file=sys.stderr)
        scenes = [note[1] and [Object(*item) for item in note[1]] for note in notes]
        return Captioned(cached.array, captions, scenes, cached.folder.name)

    def _notes(self, split: str, cached: Cached) -> list[Any]:
        """Return the captions and the objects of each image that is kept."""
        return cached.notes

    def _tell(self, split: str, reasons: list[str]) -> None:
        bare = [
            reason.removesuffix(NO_CAPTION) for reason in reasons if reason.endswith(NO_CAPTION)
        ]
        damaged = [reason for reason in reasons if not reason.endswith(NO_CAPTION)]
        for why, names in (("without captions", bare), ("that cannot be read", damaged)):
            left_out(f"{self.name}, {split}", "image", why, names)

    def _nothing(self, split: str) -> UserError:
        return UserError(f"no image of {self.name}, {split}, has a caption and can be read")


def _row(item: Encoded, shape: list[int]) -> Any:
    """Return an image's row of the cache: pixels and a note, or why there are none."""
    if not any(map(has_words, item.captions)):
        return UserError(f"{item.name}{NO_CAPTION}")
    try:
        return read_pixels(item.image, item.name, shape), [item.captions, item.objects]
    except UserError as error:
        return error


def _usable(captions: list[str]) -> list[str]:
    return [caption.lower() for caption in captions if has_words(caption)][:MOST_CAPTIONS]


def open_source(dataset: str, data_dir: str | None, rule: str = RULE) -> Source:
    """Return the data set of a name, or of a path, see `FolderSource`.

    Args:
        dataset: a name or a path, see `tasks.common.sources.is_path`.
        data_dir: folder of prepared data sets.
        rule: that of the run that asks, see `tasks.common.splits.tell_rule`.

    Raises:
        UserError: there is no such data set or path, or it has no images with captions.
    """
    path = own_path(dataset, "captioned_scenes", "folder of images and captions")
    return FolderSource(path.absolute(), data_dir, rule) if path else NamedSource(dataset, data_dir)


class FolderSource(Source):
    """A person's own folder, see `folders.read_folder`, or tables, see `tables.read_tables`."""

    def __init__(self, path: Path, data_dir: str | None, rule: str = RULE) -> None:
        super().__init__(str(path), data_dir)
        tables = picture_tables(path)
        self._parts = read_tables(path, tables, rule) if tables else read_folder(path, rule)

    def channels(self) -> int:
        """Return three, as any of its images may have a colour."""
        return 3

    def _items(self, split: str) -> Generator[Encoded]:
        for source, captions in self._parts[split]:
            yield Encoded(source, str(source), captions)

    def _key(self, split: str) -> tuple[int, Any]:
        pictures = self._parts[split]
        return len(pictures), file_key(picture.source for picture in pictures)

    def _notes(self, split: str, cached: Cached) -> list[Any]:
        # Not from the cache: the captions may have changed since.
        return [[self._parts[split][index].captions, None] for index in cached.indices]


class NamedSource(Source):
    """A tensorflow-datasets set with `image`, and `captions` or `caption`."""

    def __init__(self, name: str, data_dir: str | None) -> None:
        super().__init__(name, data_dir)
        self._builder = prepared(name, data_dir)
        self._features = features = self._builder.info.features
        captions = {"captions", "caption"} & {*features}
        if "image" not in features or not captions:
            raise UserError(
                f"the data set {name} has {', '.join(features)}: choose one with `image` and "
                "`captions`"
            )

    def channels(self) -> int:
        """Return 1 or 3, as the data set says."""
        return 1 if self._features["image"].shape[-1] == 1 else 3

    def _items(self, split: str) -> Generator[Encoded]:
        decoders = {"image": tfds.decode.SkipDecoding()}
        examples = iterate_split(self.name, split, self.data_dir, decoders=decoders)
        for index, raw in enumerate(examples):
            captions: Any = raw.get("captions", raw.get("caption"))
            texts = captions["text"] if isinstance(captions, dict) else np.atleast_1d(captions)
            objects: Any = raw.get("objects")
            described = isinstance(objects, dict) and "kind" in objects
            yield Encoded(
                raw["image"],
                raw.get("image/filename", b"image %d" % index).decode(),
                [text.decode() for text in texts],
                scene_objects(objects) if described else None,
            )

    def _key(self, split: str) -> tuple[int, Any]:
        info = self._builder.info
        part = part_of(split, info.splits)
        made = file_key([Path(self._builder.data_dir) / "dataset_info.json"])
        return info.splits[part].num_examples, [info.full_name, part, made]

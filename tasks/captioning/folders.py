"""A person's own folder of images and captions."""

import filecmp
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tasks.captioning.caption_files import find_caption_files, read_captions, split_of
from tasks.common.notices import left_out
from tasks.common.splits import RULE, SPLITS, assign, file_keys, tell_rule
from zoo.errors import UserError
from zoo.readers.images import is_image_name, read_picture
from zoo.readers.stored_pictures import StoredPicture
from zoo.readers.text import read_text_file


class Picture(NamedTuple):
    """An image, in a file or in a table, and its captions."""

    source: Path | StoredPicture
    captions: list[str]


def read_folder(path: Path, rule: str = RULE) -> dict[str, list[Picture]]:
    """Return the images with captions of each split.

    - Images may lie anywhere in the folder and below; hidden ones are left out.
    - Captions are found in one of the forms of `caption_files`.
    - Of images of one name in several folders, a caption is of the one whose path it gives, or of
      the one in the folder of the split that the file of captions is for: captions_val2017.json
      speaks of val2017/, and where there is that folder, of no other split's. Where neither tells,
      the name is left out, unless the files are equal.
    - Flickr8k's split files (`Flickr_8k.trainImages.txt`, `.devImages.txt`, `.testImages.txt`),
      others named likewise (`train.txt`, `val.txt`), and the splits that a json has are kept.
      Images that none of them names are left out.
    - Where `validation` or `test` has no images, a tenth of all others is taken for each, by a hash
      of their names, see `tasks.common.splits.assign`; and more, if none of these can be read.

    What has to be left out is counted and named on standard error.

    Args:
        path: the folder, or the file of captions in it.
        rule: that of the run that asks, see `tasks.common.splits.tell_rule`.

    Raises:
        UserError: there are no captions or they cannot be read, or no image has one, or there are
            too few for three splits.
    """
    root, files = find_caption_files(path)
    images = _Images(root)
    pictures: dict[Path, Picture] = {}
    splits: dict[str, set[Path]] = defaultdict(set)
    missing: list[str] = []
    unclear: list[str] = []
    for file in files:
        captioned = read_captions(file)
        left_out(file, "record", "without a caption", captioned.blank)
        strays = captioned.strays
        left_out(file, "annotation", "of images that it does not list", strays)
        named = split_of(file.stem)
        for name, captions in captioned.captions.items():
            split = captioned.splits.get(name)
            meant = images.find(name, split or named)
            if len(files) > 1 and meant and images.in_other_split(meant[0], named):
                meant = []
            if len(meant) != 1:
                (unclear if meant else missing).append(name)
                continue
            image = meant[0]
            pictures.setdefault(image, Picture(image, [])).captions.extend(captions)
            # The name of the only json says nothing of how it is to be split.
            split = split or (named if len(files) > 1 else None)
            if split:
                splits[split].add(image)
    left_out(root, "image", "with captions, but not there", missing)
    left_out(root, "name", "that different images have", unclear)
    bare = {p.name for p in images.paths} - {p.name for p in pictures} - {*unclear}
    left_out(root, "image", "without captions", sorted(bare))
    if not pictures:
        raise UserError(
            f"no image of {root} has a caption: it has {len(images.paths)} images, and "
            f"{files[0]} names {len(missing)} that are not there"
        )
    if not splits:
        splits = _split_files(root, {*files}, images)
    return _parts(root, pictures, splits, rule)


class _Images:
    """The images of a folder, to be found by name, whatever the case and the form of accents.

    Any file is found by its whole name, so that one of an unknown kind is not taken for missing.
    """

    def __init__(self, root: Path) -> None:
        files = sorted(_files(root))
        self.paths = [path for path in files if is_image_name(path)]
        self._root = root
        self._named: dict[str, list[Path]] = defaultdict(list)
        for path in files:
            for name in {path.name, path.stem if is_image_name(path) else path.name}:
                self._named[_plain(name).lower()].append(path)
        self._all_splits = {split for path in self.paths for split in self._splits(path)}

    def find(self, name: str, split: str | None = None) -> list[Path]:
        """Return the images that a name, a stem or the end of a path may mean: at best one.

        Args:
            name: set apart by `/` if it is of a path.
            split: whose folder is to be preferred.
        """
        name = _plain(name).replace("\\", "/")
        matches = self._named.get(name.lower().rpartition("/")[2], [])
        for fits in (
            lambda path: self._inside(path).lower() == f"/{name}".lower(),
            lambda path: self._inside(path).lower().endswith(f"/{name}".lower()),
            lambda path: split in self._splits(path),
            lambda path: self._inside(path).endswith(f"/{name}"),
            _can_be_read,
        ):
            if len(matches) < 2:
                return matches
            matches = [path for path in matches if fits(path)] or matches
        return matches[:1] if _equal(matches) else matches

    def in_other_split(self, path: Path, split: str | None) -> bool:
        """Return whether an image lies in the folder of another split than the one asked for."""
        own = self._splits(path)
        return bool(own) and split not in own and split in self._all_splits

    def _splits(self, path: Path) -> set[str]:
        """Return the splits that the folders around an image are called after."""
        return {
            split for part in path.relative_to(self._root).parts[:-1] if (split := split_of(part))
        }

    def _inside(self, path: Path) -> str:
        return "/" + _plain(path.relative_to(self._root).as_posix())


def _equal(paths: list[Path]) -> bool:
    try:
        return all(filecmp.cmp(paths[0], other) for other in paths[1:])
    except OSError:
        return False


def _plain(name: str) -> str:
    """Write accents as most systems do: file names of a Mac have them as extra signs."""
    return unicodedata.normalize("NFC", name)


def _files(root: Path) -> Iterator[Path]:
    """Yield every file that is not hidden, also through links to folders, each folder once."""
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(folder))
        folders[:] = [
            name
            for name in folders
            if not name.startswith((".", "__MACOSX"))
            and os.path.realpath(os.path.join(folder, name)) not in seen
        ]
        for name in files:
            if not name.startswith("."):
                yield Path(folder, name)


def _split_files(root: Path, others: set[Path], images: _Images) -> dict[str, set[Path]]:
    """Read which images files like `Flickr_8k.trainImages.txt` list, a name a line, by split."""
    splits: dict[str, set[Path]] = {}
    for file in sorted({*root.glob("*.txt"), *root.glob("*/*.txt")} - others):
        split = split_of(file.stem)
        if split is None or split in splits:
            continue
        names = {line.strip() for line in read_text_file(file).splitlines()}
        listed = {path for name in names for path in images.find(name, split)}
        if listed:
            splits[split] = listed
    return splits


def _parts(
    root: Path, pictures: dict[Path, Picture], splits: dict[str, set[Path]], rule: str
) -> dict[str, list[Picture]]:
    """Return the pictures of each split; an image that is listed twice is not for training."""
    ordered = sorted(pictures)
    parts: dict[str, list[Path]] = {}
    taken: set[Path] = set()
    for split in reversed(SPLITS):
        parts[split] = [p for p in ordered if p in splits.get(split, ()) and p not in taken]
        taken |= {*parts[split]}
    if not parts["train"]:
        # All that is in no split is for training, too: a split file may be for the others only.
        parts["train"] = [path for path in ordered if path not in taken]
    else:
        rest = [path.name for path in ordered if path not in taken]
        left_out(root, "image", "in no split", rest)
    lacking = [split for split in SPLITS[1:] if not parts[split]]
    if lacking:
        sides = _assigned(root, parts["train"], lacking, rule)
        for split in ("train", *lacking):
            parts[split] = [path for path, side in sides.items() if side == split]
    return {split: [pictures[path] for path in parts[split]] for split in SPLITS}


def _assigned(root: Path, paths: list[Path], lacking: list[str], rule: str) -> dict[Path, str]:
    """Return the split of each image, by a hash of its name; equal ones stay together.

    A split whose images are all damaged gets another.
    """
    names = [_plain(path.name) for path in paths]
    keys = dict(zip(paths, file_keys(paths, names, root)))
    if (count := len({*keys.values()})) <= len(lacking):
        raise UserError(
            f"{root} has {count} images with captions for training: at least one is needed for "
            f"each of train, {' and '.join(lacking)}"
        )
    tell_rule(rule, str(root))
    sides: dict[Path, str] = {}
    rest = paths
    while len({keys[path] for path in rest}) > len(lacking):
        sides |= dict(zip(rest, assign([keys[path] for path in rest], lacking)))
        damaged: set[Path] = set()
        for split in lacking:
            own = [path for path in paths if sides[path] == split]
            if not any(map(_can_be_read, own)):
                damaged.update(own)
        if not damaged & {*rest}:
            break
        rest = [path for path in rest if path not in damaged]
    return {path: sides[path] for path in paths}


def _can_be_read(path: Path) -> bool:
    try:
        read_picture(path, path.name)
    except UserError:
        return False
    return True

"""A person's own folder of images and captions."""

import hashlib
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tasks.captioning.caption_files import IMAGE_FILES, find_caption_files, read_captions, split_of
from zoo.errors import UserError
from zoo.inputs import read_text_file

SPLITS = ("train", "validation", "test")

_NAMED = 3


class Picture(NamedTuple):
    """An image file and its captions."""

    path: Path
    captions: list[str]


def read_folder(path: Path) -> dict[str, list[Picture]]:
    """The images with captions of each split.

    - Images may lie anywhere in the folder and below; hidden ones are left out.
    - Captions are found in one of the forms of `caption_files`.
    - Flickr8k's split files (`Flickr_8k.trainImages.txt`, `.devImages.txt`, `.testImages.txt`),
      others named likewise (`train.txt`, `val.txt`), and the splits that a json has are kept.
      Images that none of them names are left out.
    - Where `validation` or `test` has no images, a tenth of all others is taken for each: the
      first ones by the SHA-256 of their names, so that another computer takes the same.

    What has to be left out is counted and named on standard error.

    Args:
        path: the folder, or the file of captions in it.

    Raises:
        UserError: there are no captions or they cannot be read, or no image has one, or there are
            too few for three splits.
    """
    root, files = find_caption_files(path)
    images = _images(root)
    found: dict[Path, Picture] = {}
    splits: dict[str, set[Path]] = defaultdict(set)
    missing = []
    for file in files:
        captioned = read_captions(file)
        lines = [f"line {number}" for number in captioned.blank]
        _tell(f"{file}: left out", "line", "without a caption", lines)
        for name, captions in captioned.captions.items():
            image = images.get(name.lower()) or images.get(name.lower().rpartition("/")[2])
            if image is None:
                missing.append(name)
                continue
            found.setdefault(image, Picture(image, [])).captions.extend(captions)
            # The name of the only json says nothing of how it is to be split.
            split = captioned.splits.get(name) or (split_of(file.stem) if len(files) > 1 else None)
            if split:
                splits[split].add(image)
    _tell(f"{root}:", "image", "with captions, but not there", missing)
    bare = {p.name for p in images.values()} - {p.name for p in found}
    _tell(f"{root}: left out", "image", "without captions", sorted(bare))
    if not found:
        raise UserError(
            f"no image of {root} has a caption: it has {len(set(images.values()))} images, and "
            f"{files[0]} names {len(missing)} that are not there"
        )
    if not splits:
        splits = _split_files(root, {*files}, images)
    return _parts(root, found, splits)


def _images(root: Path) -> dict[str, Path]:
    """Every image by its path from the root, by its name and by its stem, in lower case."""
    shown = sorted(path.relative_to(root) for path in _files(root))
    images: dict[str, Path] = {}
    for key in (lambda p: p.as_posix(), lambda p: p.name, lambda p: p.stem):
        for path in shown:
            images.setdefault(key(path).lower(), root / path)
    return images


def _files(root: Path) -> Iterator[Path]:
    """Every file that is called an image, also through links to folders, each folder once."""
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
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_FILES:
                yield Path(folder, name)


def _split_files(root: Path, others: set[Path], images: dict[str, Path]) -> dict[str, set[Path]]:
    """What text files like `Flickr_8k.trainImages.txt` list, a name a line."""
    splits: dict[str, set[Path]] = {}
    for file in sorted({*root.glob("*.txt"), *root.glob("*/*.txt")} - others):
        split = split_of(file.stem)
        if split is None or split in splits:
            continue
        names = [line.strip().lower() for line in read_text_file(file).splitlines()]
        listed = {images[name] for name in names if name in images}
        if listed:
            splits[split] = listed
    return splits


def _parts(
    root: Path, found: dict[Path, Picture], splits: dict[str, set[Path]]
) -> dict[str, list[Picture]]:
    """The pictures of each split; an image that is listed twice is not for training."""
    ordered = sorted(found)
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
        _tell(f"{root}: left out", "image", "in no split", rest)
    lacking = [split for split in ("validation", "test") if not parts[split]]
    count = max(1, len(parts["train"]) // 10)
    if len(parts["train"]) <= count * len(lacking):
        raise UserError(
            f"{root} has {len(found)} images with captions, {len(parts['train'])} of them for "
            "training: at least one is needed for each of training, validation and test"
        )
    shuffled = sorted(parts["train"], key=lambda p: hashlib.sha256(p.name.encode()).hexdigest())
    for split in lacking:
        parts[split], shuffled = sorted(shuffled[:count]), shuffled[count:]
    parts["train"] = sorted(shuffled)
    return {split: [found[path] for path in parts[split]] for split in SPLITS}


def _tell(where: str, noun: str, why: str, names: list[str]) -> None:
    """Say what was left out, how many, and the first few; nothing if there are none."""
    if names:
        print(f"{where} {counted(noun, names)} {why}: {first_few(names)}", file=sys.stderr)


def counted(noun: str, things: Iterable[object]) -> str:
    """`2 images`.

    Example:
        >>> counted("image", "a"), counted("line", "ab")
        ('1 image', '2 lines')
    """
    count = len([*things])
    return f"{count} {noun}{'s' if count > 1 else ''}"


def first_few(names: list[str]) -> str:
    """The first few of them.

    Example:
        >>> first_few(["a", "b", "c", "d"])
        'a, b, c, ...'
    """
    return ", ".join([*names[:_NAMED], *(["..."] if len(names) > _NAMED else [])])

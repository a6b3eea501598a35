"""Files of captions, in the forms in which Flickr8k, Flickr30k and COCO come."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tasks.common.splits import split_named
from zoo.errors import UserError
from zoo.readers.images import is_image_name
from zoo.readers.json_rows import is_json, read_objects
from zoo.readers.tables import Row, read_rows
from zoo.readers.text import read_text_file

_IMAGE = ("image", "image_name", "filename", "file_name")
_CAPTION = ("caption", "comment", "text")
_LITERAL = "\t|"
_FORMS = (
    "captions.txt",
    "captions.csv",
    "captions.tsv",
    "results.csv",
    "metadata.jsonl",
    "metadata.csv",
    "*.token.txt",
    "*.token",
    "captions_train*.json",
    "captions_*.json",
    "dataset*.json",
    "*.json",
)
"""Names of files of captions, the surest first."""


class Captions(NamedTuple):
    """What a file says.

    Attributes:
        captions: of each image, by the name of its file.
        splits: of each image, where the file has splits.
        blank: where an image or a caption is missing, or the caption has no letter or digit.
        strays: which images that a json does not list its annotations are of.
    """

    captions: dict[str, list[str]]
    splits: dict[str, str]
    blank: list[str]
    strays: list[str]


def find_caption_files(path: Path) -> tuple[Path, list[Path]]:
    """Return the folder of the images, and the files of captions: one, or a json of each split.

    They are looked for in the folder and in the folders in it.

    Args:
        path: the folder, or a file of captions.

    Raises:
        UserError: there are none.
    """
    if path.is_file():
        inside = path.parent.name.lower() in ("annotations", "flickr8k_text", "text")
        return (path.parent.parent if inside else path.parent), [path]
    for form in _FORMS:
        for folder in (path, *(child for child in sorted(path.iterdir()) if child.is_dir())):
            files = sorted(folder.glob(form), key=lambda file: (len(file.name), file.name))
            if files and form.startswith("captions_train"):
                files = [f for f in sorted(folder.glob("captions_*.json")) if split_of(f.stem)]
            else:
                # The shortest: there is a Flickr8k.lemma.token.txt beside the other.
                files = files[:1]
            if files:
                return path, files
    raise UserError(
        f"{path} has no file of captions: captions.txt with the columns image,caption; "
        "a *.token.txt file, results.csv, or COCO's annotations/captions_*.json is needed"
    )


def read_captions(file: Path) -> Captions:
    """Return the captions of one file.

    - csv with a header `image,caption`, as on Kaggle; also set apart by semicolons, tabs or, as in
      Flickr30k's `results.csv`, by `|`, and with `image_name` and `comment`.
    - `name.jpg#0`, a tab and the caption, as in Flickr8k's `.token.txt`.
    - json of COCO (`images`, `annotations`) or of Karpathy (`images` with `sentences`).
    - jsonl, an object on each line, with `file_name` and `text`, or what columns are called.

    A caption in quotation marks may go over several lines, unless one of them names an image.

    Raises:
        UserError: it has another form, a quotation mark that is not closed, or is no UTF-8 text.
    """
    whole = file.suffix.lower() == ".json"
    if is_json(file) and not whole:
        return _objects(file)
    text = read_text_file(file)
    return _json(file, text) if whole else _lines(file, text)


def split_of(name: str) -> str | None:
    """Return the split that a name speaks of; None if it speaks of none, or of two.

    Example:
        >>> split_of("Flickr_8k.devImages"), split_of("captions_val2017"), split_of("train_val")
        ('validation', 'validation', None)
    """
    with suppress(UserError):
        return split_named(name)
    return None


def has_words(caption: str) -> bool:
    """Return whether there is a letter or a digit in it.

    Example:
        >>> has_words("a dog"), has_words(" ... ")
        (True, False)
    """
    return any(map(str.isalnum, caption))


def _lines(file: Path, text: str) -> Captions:
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = next((sign for sign in _LITERAL if sign in first), "")
    # Quotation marks are text like any other where tabs or bars set columns apart.
    if delimiter:
        columns, lines = first.split(delimiter), _split(text, delimiter)
    else:
        delimiter, rows, _ = read_rows(file, ragged=True)
        _check_not_swallowed(file, rows, delimiter)
        columns, lines = rows[0].cells, iter(rows)
        first, delimiter = delimiter.join(columns), f"{delimiter} "
    columns = [name.strip().lower() for name in columns]
    image, caption = _places(columns)
    if image is not None and caption is not None:
        next(lines)
    elif delimiter == "\t":
        image, caption, columns = 0, 1, columns[:2]
    else:
        raise UserError(
            f"{file} line 1 is {first.strip()[:60]!r}: expected the columns image,caption (or "
            "image_name| comment_number| comment), or lines of an image's name, a tab and a caption"
        )

    def each() -> Iterator[tuple[int, str, str]]:
        for number, cells in lines:
            cells = [*cells, *[""] * len(columns)]
            # A caption that comes last may hold what sets columns apart.
            last = caption == len(columns) - 1
            text = delimiter.join(cells[caption : -len(columns)]) if last else cells[caption]
            yield number, re.sub(r"#\d+$", "", cells[image].strip()), text

    return _gathered(each())


def _objects(file: Path) -> Captions:
    def each() -> Iterator[tuple[int, str, str]]:
        for number, cells, _ in read_objects(file):
            names = [*cells]
            image, caption = _places([name.lower() for name in names])
            if image is None or caption is None:
                raise UserError(
                    f"{file}, line {number} has {', '.join(names) or 'nothing'}, but the name of "
                    "an image is needed as file_name, and its caption as text"
                )
            yield number, cells[names[image]], cells[names[caption]]

    return _gathered(each())


def _places(columns: Sequence[str]) -> list[int | None]:
    """Return which columns hold the names of images and the captions, if any do."""
    return [
        next((columns.index(name) for name in usual if name in columns), None)
        for usual in (_IMAGE, _CAPTION)
    ]


def _gathered(lines: Iterable[tuple[int, str, str]]) -> Captions:
    """Return the captions of each image, of numbered lines with its name and one of them."""
    captions: dict[str, list[str]] = {}
    blank: list[str] = []
    for number, name, text in lines:
        if name and has_words(text):
            captions.setdefault(name, []).append(text.strip())
        else:
            blank.append(f"line {number}")
    return Captions(captions, {}, blank, [])


def _split(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.split(delimiter)


def _check_not_swallowed(file: Path, rows: list[Row], delimiter: str) -> None:
    """Check that no cell goes on over a line that has the name of an image between delimiters."""
    for row in rows:
        later = (line.split(delimiter) for cell in row.cells for line in cell.split("\n")[1:])
        names = (part.strip(' "') for parts in later if len(parts) > 1 for part in parts)
        if any(map(is_image_name, names)):
            raise UserError(
                f"{file}, line {row.line} has a quotation mark that is not closed: it goes on over "
                "lines of other images"
            )


def _json(file: Path, text: str) -> Captions:
    try:
        content = json.loads(text)
        return (_coco if "annotations" in content else _karpathy)(file, content)
    except json.JSONDecodeError as error:
        raise UserError(f"{file} line {error.lineno} is not json: {error.msg}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_captions(file, f"{type(error).__name__}: {error}") from error


def _no_captions(file: Path, reason: str) -> UserError:
    return UserError(
        f"{file} has no captions: expected `images` with id and file_name and `annotations` "
        f"with image_id and caption, as in COCO ({reason})"
    )


def _coco(file: Path, content: dict[str, Any]) -> Captions:
    names: dict[str, str] = {}
    for image in content["images"]:
        key, name = _id(image["id"]), str(image["file_name"] or "")
        if names.setdefault(key, name) != name:
            raise UserError(
                f"{file} has two images of the id {key}, {names[key]} and {name}: give each its own"
            )
    annotations = content["annotations"]
    if annotations and not any("caption" in annotation for annotation in annotations):
        raise _no_captions(file, f"none of {len(annotations)} annotations has a caption")
    captions: dict[str, list[str]] = {}
    blank: list[str] = []
    strays: list[str] = []
    for number, annotation in enumerate(annotations, 1):
        if annotation.get("image_id") is None:
            blank.append(f"annotation {number}")
            continue
        key = _id(annotation["image_id"])
        if not (name := names.get(key, "")):
            strays.append(f"image_id {key}")
        elif caption := _words(annotation.get("caption")):
            captions.setdefault(name, []).append(caption)
        else:
            blank.append(name)
    return Captions(captions, {}, blank, strays)


def _id(value: Any) -> str:
    """Return an id as text: one that is a number in one place and text in the other is the same.

    Example:
        >>> _id(139), _id("139"), _id(139.0), _id("000139"), _id("a1")
        ('139', '139', '139', '139', 'a1')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return str(int(text)) if text.isdecimal() else text


def _karpathy(file: Path, content: dict[str, Any]) -> Captions:
    captions: dict[str, list[str]] = {}
    splits: dict[str, str] = {}
    blank: list[str] = []
    for image in content["images"]:
        name = "/".join(filter(None, (image.get("filepath"), str(image["filename"]))))
        if split := image.get("split"):
            splits[name] = split_of(split) or split
        texts = [_words(_raw(sentence)) for sentence in image["sentences"]]
        if any(texts):
            captions[name] = captions.get(name, []) + [text for text in texts if text]
        blank += [name] * (texts.count("") or not texts)
    return Captions(captions, splits, blank, [])


def _raw(sentence: dict[str, Any]) -> Any:
    return sentence["raw"] if "raw" in sentence else " ".join(sentence["tokens"])


def _words(caption: Any) -> str:
    """Return a caption without white space around it; "" for what is none."""
    return caption.strip() if isinstance(caption, str) and has_words(caption) else ""

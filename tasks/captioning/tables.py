"""Tables in Parquet that hold pictures and their captions."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasks.captioning.caption_files import has_words
from tasks.captioning.folders import Picture
from tasks.common.notices import left_out
from tasks.common.splits import RULE, by_split, fill
from tasks.common.tables import one_or_by_split, tables_in
from zoo.errors import UserError
from zoo.readers.parquet import is_parquet, parquet_rows
from zoo.readers.shards import whole_table
from zoo.readers.stored_pictures import StoredPicture, has_pictures, stored_pictures

CAPTION = ("caption", "captions", "text", "texts", "comment")
"""What the column of captions may be called; the first that there is."""


def picture_tables(path: Path) -> dict[str, Path]:
    """Return the table of pictures at a path, or those of a folder by split; none if it has none.

    Raises:
        UserError: there are several for one split.
    """
    tables = [path] if path.is_file() else tables_in(path)
    return one_or_by_split(path, [t for t in tables if is_parquet(t) and has_pictures(t)])


def read_tables(path: Path, tables: dict[str, Path], rule: str = RULE) -> dict[str, list[Picture]]:
    """Return the pictures with captions of each split.

    A caption is a text, or all of a picture's are a list of them; rows of equal pictures are one.
    A column `split` goes before the name of a table. What of train is in another split, too, is
    left out, and where validation or test is lacking, a tenth of train is taken for it.

    Args:
        path: what the tables are from.
        tables: see `picture_tables`.
        rule: see `tasks.common.splits.tell_rule`.

    Raises:
        UserError: a table has no column of captions or a row no picture, or there are too few.
    """
    rows = (row for split, table in tables.items() for row in _rows(table, split))
    parts = {split: _merged(part) for split, part in by_split(rows).items()}
    held_out = {digest for split, part in parts.items() if split != "train" for digest in part}
    twice = parts["train"].keys() & held_out
    left = [str(parts["train"].pop(digest).source) for digest in sorted(twice)]
    left_out(path, "picture", "of train that is in another split, too", left)
    if not parts["train"]:
        raise UserError(f"{path} has no pictures with captions for training")
    items = {split: [*part.items()] for split, part in parts.items()}
    whole = fill(items, lambda item: item[0], str(path), "pictures", rule=rule)
    return {split: [picture for _, picture in part] for split, part in whole.items()}


def _rows(table: Path, of_split: str) -> Iterator[tuple[tuple[StoredPicture, list[str]], str, str]]:
    """Yield each picture and its captions, what is said of its split, and where it stands."""
    bare = []
    for picture, (_, values) in zip(stored_pictures(table), parquet_rows(table), strict=True):
        names = {name.lower(): name for name in values}
        column = next((names[name] for name in CAPTION if name in names), None)
        if column is None:
            raise UserError(
                f"{whole_table(table)} has, beside pictures, {', '.join(values) or 'nothing'}, "
                f"but {CAPTION[0]} is needed: call that of the captions so"
            )
        captions = _texts(values[column], f"{picture}: {column}")
        if captions:
            split = values[names["split"]] if "split" in names else ""
            yield (picture, captions), split or of_split, str(picture)
        else:
            bare.append(str(picture))
    left_out(whole_table(table), "picture", "without a caption", bare)


def _texts(value: Any, place: str) -> list[str]:
    """Return the captions in a cell, but for those without words."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str | None) for text in texts):
        raise UserError(f"{place} is neither a text nor a list of texts")
    return [text.strip() for text in texts if text and has_words(text)]


def _merged(rows: Iterable[tuple[StoredPicture, list[str]]]) -> dict[str, Picture]:
    """Return each picture once, by its digest, with the captions of all rows that it is in."""
    pictures: dict[str, Picture] = {}
    for stored, captions in rows:
        pictures.setdefault(stored.digest, Picture(stored, [])).captions.extend(captions)
    return pictures

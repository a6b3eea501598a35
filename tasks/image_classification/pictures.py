"""Pictures of a person's own: a folder for each class, or a table of files and labels."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.common.class_folders import files_in, folders_in, parts_of
from tasks.common.notices import left_out, tell_alike
from tasks.common.splits import RULE, SPLITS, by_split, file_keys, fill, split_written
from tasks.common.tables import GROUP, LABEL, Table, one_or_by_split, read_table, tables_in
from zoo.errors import UserError
from zoo.readers.images import is_image_name
from zoo.readers.parquet import is_parquet
from zoo.readers.stored_pictures import StoredPicture, has_pictures, stored_pictures

FILE = ("path", "file", "filename", "file_name", "image", "picture", "id", "name")
"""What the column of a table may be called that names files; the first that there is."""

_LOOKED_AT = 5
_OfRows = Callable[[Path, Table, Sequence[str]], Iterator[tuple[Path | StoredPicture, str]]]
_LAYOUT = (
    "one folder a class is needed, such as cat/1.jpg, or a table such as labels.csv with the "
    "columns path and label"
)


class Picture(NamedTuple):
    """A picture of a class.

    Attributes:
        source: its file, or where in a table it is stored.
        label: name of its class.
        split: what is said of its split, "" if nothing.
        group: what it was taken from, "" if nothing is said.
    """

    source: Path | StoredPicture
    label: str
    split: str = ""
    group: str = ""


def read_pictures(path: Path, rule: str = RULE, fold: str = "") -> dict[str, list[Picture]]:
    """Return the pictures of each split.

    - A folder with one folder a class, whose files may lie deeper. It may also hold `train`,
      `validation` or `val`, and `test`, each with one folder a class.
    - A table of files, from its own folder on, and their labels; or a folder that holds one, or
      one for each split, such as `train.csv`. It may have a column `split`, and `group`. A file may
      be named without its folder or its ending.
    - A table in Parquet, in whose column of bytes the pictures are themselves, see
      `zoo.readers.stored_pictures`, and likewise a folder of such.

    Files are those that are called as pictures are, see `zoo.readers.images.is_image_name`; others
    are counted. Where validation or test is lacking, a tenth of the pictures for training is taken
    for it, see `tasks.common.splits.assign`: each class is in all splits if it has three; equal
    files stay together, and those of a group.

    Args:
        path: the folder, or the table.
        rule: see `tasks.common.splits.tell_rule`.
        fold: see `tasks.common.folds`.

    Raises:
        UserError: there are no pictures, or of fewer than two classes, or too few of them; a table
            lacks a column or a label, or names a file that is not there; or a class is not among
            those for training.
    """
    pictures = list(listed_pictures(path)) or list(_in_folders(path))
    if not pictures:
        raise UserError(f"{path} has no pictures of classes: {_LAYOUT}")
    parts = by_split((each, each.split, str(each.source)) for each in pictures)
    labels = sorted({each.label for each in parts["train"]})
    if len(labels) < 2:
        only = f", {labels[0]}" if labels else ""
        raise UserError(f"{path} has {len(labels)} classes to learn{only}, but 2 are needed")
    tell_alike(path, (each.label for each in pictures))
    for split in SPLITS[1:]:
        if other := next((p for p in parts.get(split, ()) if p.label not in labels), None):
            raise UserError(
                f"{other.source}, for {split}, has the class {other.label}, which is none of those "
                f"for training: {', '.join(labels)}"
            )
    return filled(parts, path, rule, lambda each: each.label, fold)


def filled(
    parts: dict[str, list[Picture]],
    path: Path,
    rule: str,
    label: Callable[[Picture], str] | None = None,
    fold: str = "",
) -> dict[str, list[Picture]]:
    """Return the pictures of all three splits, see `tasks.common.splits.fill`.

    Equal pictures stay together, and those of a group.

    Args:
        parts: of each split that there is, of "train" at least.
        path: the folder, or the table, that they are from.
        rule: see `tasks.common.splits.tell_rule`.
        label: the class of a picture, if each is to be in all splits.
        fold: see `tasks.common.folds`.

    Raises:
        UserError: there are too few for three splits.
    """
    root = path if path.is_dir() else path.parent
    own = [each.source for part in ("train", "validation") for each in parts.get(part, ())]
    files = [source for source in own if isinstance(source, Path)]
    names = [file.relative_to(root).as_posix() for file in files]
    keys: dict[Path | StoredPicture, str] = {
        **dict(zip(files, file_keys(files, names, path))),
        **{source: source.digest for source in own if isinstance(source, StoredPicture)},
    }
    return fill(
        parts,
        lambda each: each.group or keys[each.source],
        str(path),
        "pictures",
        label=label,
        rule=rule,
        fold=fold,
    )


def listed_pictures(path: Path, labels: Sequence[str] = LABEL) -> Iterator[Picture]:
    """Yield the pictures that a table names, or that the tables in a folder do, in their order.

    Args:
        path: the table, or the folder, which may have no table.
        labels: what the column of labels may be called.

    Raises:
        UserError: the path is a picture, there are several tables, or one lacks a column or a
            label, or names a file that is not there.
    """
    if path.is_file() and is_image_name(path):
        raise UserError(f"{path} is one picture, but a data set of many is needed: {_LAYOUT}")
    tables = {"": path} if path.is_file() else _tables_in(path, labels)
    for split, table in tables.items():
        yield from _listed(table, labels, split)


def _tables_in(folder: Path, labels: Sequence[str]) -> dict[str, Path]:
    """Return the tables in a folder that have pictures and their labels: one, or one a split."""
    files = _Files(folder)
    named = [file for file in tables_in(folder) if _has_pictures(file, files, labels)]
    return one_or_by_split(folder, named)


def _has_pictures(path: Path, files: "_Files", labels: Sequence[str]) -> bool:
    """Return whether a table has columns of files and labels, and one of its first files is there;
    or pictures themselves.

    One that lies where there are no folders of classes does, in any case.
    """
    if _stores_pictures(path):
        return True
    table = read_table(path, [*FILE, *labels])
    columns = _columns(table, labels)
    if columns is None:
        return False
    names = [row.cells[columns[0]] for row in table.rows[:_LOOKED_AT]]
    return not folders_in(path.parent) or any(len(files.all_called(name)) == 1 for name in names)


def _stores_pictures(path: Path) -> bool:
    return is_parquet(path) and has_pictures(path)


def _columns(table: Table, labels: Sequence[str]) -> tuple[int, int] | None:
    """Return the columns of the files and of the labels; None if there are none."""
    file, label = table.find(FILE), table.find(labels)
    if file is not None and label is not None and file != label:
        return file, label
    # Two columns without names, of which the first is of pictures.
    both = not table.named and len(table.names) == 2
    return (0, 1) if both and all(map(is_image_name, table.cells(0))) else None


def _listed(path: Path, labels: Sequence[str], of_split: str = "") -> Iterator[Picture]:
    table = read_table(path, [*FILE, *labels])
    of_rows: _OfRows = _stored_in if _stores_pictures(path) else _named_in
    group = table.find(GROUP)
    groups = [""] * len(table.rows) if group is None else table.cells(group)
    labelled = of_rows(path, table, labels)
    for (source, label), row, split, group_name in zip(
        labelled, table.rows, table.splits(), groups
    ):
        written = split_written(split, table.place(row))
        yield Picture(source, label, written or of_split, group_name)


def _named_in(path: Path, table: Table, labels: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yield the file that each row of a table names, and its label."""
    columns = _columns(table, labels)
    if columns is None:
        raise UserError(
            f"{path} has the columns {', '.join(table.names)}, but path and {labels[0]} are needed"
        )
    files = _Files(path.parent)
    lines: dict[Path, int] = {}
    for row in table.rows:
        name, label = (row.cells[at] for at in columns)
        where = table.place(row)
        if not name or not label:
            raise UserError(f"{where} has no {labels[0] if name else 'path'}")
        file = files.find(name, where)
        if (first := lines.setdefault(file, row.line)) != row.line:
            raise UserError(f"{where} names {file} once more: line {first} has it already")
        yield file, label


def _stored_in(
    path: Path, table: Table, labels: Sequence[str]
) -> Iterator[tuple[StoredPicture, str]]:
    """Yield the picture that each row of a table holds, and its label."""
    column = table.find(labels)
    if column is None:
        table.check_no_list(labels)
        raise UserError(
            f"{table.path} has, beside pictures, {', '.join(table.names)}, but {labels[0]} is "
            f"needed: call the column of the {labels[0].removesuffix('s')}s so"
        )
    pictures = stored_pictures(path)
    cells = {row.line: row.cells[column] for row in table.rows}
    for line, picture in enumerate(pictures, 1):
        # What has nothing but a picture is no row of the table.
        if not cells.get(line):
            raise UserError(
                f"{picture} has no {labels[0]}: leave out the row, or the table if none of its "
                "rows has one"
            )
        yield picture, cells[line]


class _Files:
    """The files around a table, found by path, or by a name or a stem that is of one file only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._named: dict[str, list[Path]] = defaultdict(list)
        for file in files_in(folder):
            if is_image_name(file):
                for name in {file.name, file.stem}:
                    self._named[name].append(file)

    def find(self, name: str, where: str) -> Path:
        """Return the file that a table names.

        Raises:
            UserError: there is none, or several.
        """
        files = self.all_called(name)
        if len(files) != 1:
            more = f", but several are called so, such as {files[0]}" if files else ""
            raise UserError(f"{where}: there is no file {self.folder / name}{more}")
        return files[0]

    def all_called(self, name: str) -> list[Path]:
        """Return the file of a path, or else all files of a name or a stem."""
        path = self.folder / Path(name.replace("\\", "/")).expanduser()
        return [path] if path.is_file() else self._named.get(name, [])


def _in_folders(folder: Path) -> Iterator[Picture]:
    strange: list[str] = []
    for part, split in parts_of(folder).items():
        for inner in folders_in(part):
            for file in files_in(inner):
                if is_image_name(file):
                    yield Picture(file, inner.name, split)
                else:
                    strange.append(str(file.relative_to(folder)))
        loose = [each.name for each in sorted(part.iterdir()) if each.is_file()]
        loose = [name for name in loose if is_image_name(name) and not name.startswith(".")]
        left_out(part, "picture", "beside the folders of classes", loose)
    left_out(folder, "file", "of another kind", strange)

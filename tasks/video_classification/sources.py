"""Finds the clips of a person's own folder or csv, and the class, split and group of each."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tasks.common.class_folders import files_in, folders_in, parts_of
from tasks.common.notices import left_out
from tasks.common.splits import file_keys, split_written
from tasks.common.tables import GROUP, read_table, tables_in
from tasks.video_classification.arrays import array_clips, has_arrays
from tasks.video_classification.clip import SEQUENCE_FILES, Clip
from tasks.video_classification.long_tables import is_long, long_clips
from zoo.errors import UserError
from zoo.readers.json_rows import holds_objects
from zoo.readers.text import read_text_file
from zoo.readers.video import VIDEO_FILES, frame_files, is_frame

_FILES = {*VIDEO_FILES, *SEQUENCE_FILES, ".npy"}
_COLUMNS = ("path", "label", "split", "group")
_PATH = ("path", "file_name")
_GROUP = re.compile(r"(.*_g\d+)(_c\d+)?")
_LAYOUT = (
    "one folder a class is needed, such as jump/clip1.mp4, or jump/clip1/frame1.jpg and on, a "
    "folder of pictures for each clip; or a csv with the columns path and label"
)


def find_clips(path: Path) -> list[Clip]:
    """Return the clips of a folder or of an index.

    - A folder with one folder a class, whose files may lie deeper. It may also hold `train`,
      `validation` or `val`, and `test`, each with one folder a class.
    - `X.npy` of `[N, T, D]` numbers and `y.npy` of `[N]` labels, see `arrays.array_clips`.
    - A table with the columns `path` or `file_name` (from its own folder on) and `label`, and if
      wanted `split` and `group`, see `zoo.readers.tables.read_rows`; or a folder that holds one.
    - A table that holds the sequences themselves, a time step on each row, see
      `long_tables.long_clips`; or a folder that holds one.

    Files are videos (see `zoo.readers.video.VIDEO_FILES`), `.npy`, or text with a time step a
    line. A folder below that of its class in which pictures lie is one clip, too, see
    `zoo.readers.video.frame_files`; beside videos, pictures and texts are notes on them.

    Clips of one group, such as those cut from one video, are never in two splits. The csv
    names groups; else the name of a file does that has `_g` and a number, as in UCF101
    (`v_Jump_g01_c02.avi` is of the group `v_Jump_g01`); any other file is a group of its own, but
    equal ones are one group where they are not split.

    Raises:
        UserError: there are none, or not of two classes; a group is in two splits; or the csv
            lacks a column or a label, leaves a quote open, or names a file that is not there or
            twice.
    """
    if not path.exists():
        raise UserError(f"there is no file {path}: {_LAYOUT}")
    if has_arrays(path):
        clips = array_clips(path)
    elif index := path if path.is_file() else _index_of(path):
        clips = long_clips(index) if is_long(index) else list(_listed(index))
    else:
        clips = _in_folders(path)
    if not clips:
        raise UserError(f"{path} has no clips: {_LAYOUT}")
    clips = _together(clips, path)
    if len(classes := {clip.label for clip in clips}) < 2:
        raise UserError(f"{path} has one class, {classes.pop()}: at least two are needed")
    return clips


def _index_of(folder: Path) -> Path | None:
    """Return the one table in a folder that names clips, or holds them."""
    files = [file for file in tables_in(folder) if _names_clips(file)]
    if len(files) > 1:
        raise UserError(
            f"{folder} has several tables that name clips, {files[0].name} and "
            f"{files[1].name}: give one of them as the data set"
        )
    return files[0] if files else None


def _names_clips(file: Path) -> bool:
    named = {*_PATH, "label"}
    if holds_objects(file):
        return bool(named & {*read_table(file).names})
    # The second line, too, as Excel may have put `sep=;` into the first.
    first = read_text_file(file).lstrip().split("\n")[:2]
    cells = {cell.strip(' "').lower() for line in first for cell in re.split(r"[\t;|,]", line)}
    return bool(named & cells)


def _listed(index: Path) -> Iterator[Clip]:
    table = read_table(index, [*_COLUMNS, *_PATH])
    columns = {name: table.find([name]) for name in _COLUMNS}
    columns |= {"path": table.find(_PATH), "group": table.find(GROUP)}
    if missing := [name for name in ("label", "path") if columns[name] is None]:
        raise UserError(
            f"{index} has the columns {', '.join(table.names)}, but {' and '.join(missing)} "
            "is needed in its first line: path and label, and if wanted split and group; or, of "
            "a table with a time step on each row, id (which rows are one sequence) and label"
        )
    seen: dict[Path, int] = {}
    splits: dict[str, tuple[str, int]] = {}
    for row, split in zip(table.rows, table.splits()):
        cells = {name: row.cells[at] for name, at in columns.items() if at is not None}
        where = table.place(row)
        clip = _row({**cells, "split": split}, index.parent, where)
        if (first := seen.setdefault(clip.path.resolve(), row.line)) != row.line:
            raise UserError(f"{where} names {clip.path} once more: line {first} has it already")
        split, first = splits.setdefault(clip.group, (clip.split, row.line))
        if split != clip.split:
            raise UserError(
                f"{where} has the group {clip.group} in {clip.split or 'no split'}, but line "
                f"{first} in {split or 'no split'}: clips of one source must stay together"
            )
        yield clip


def _row(row: dict[str, str], folder: Path, where: str) -> Clip:
    if broken := next((name for name in _COLUMNS if "\n" in row.get(name, "")), None):
        raise UserError(f"{where}: the {broken} holds a line break: is a quote left open?")
    if not row.get("path"):
        raise UserError(f"{where} has no path")
    path = folder / Path(row["path"]).expanduser()
    if path.is_dir():
        frame_files(path)
    elif not path.is_file():
        raise UserError(f"{where}: there is no file {path}")
    if not row.get("label"):
        raise UserError(f"{where}: the label of {row['path']} is empty")
    split = split_written(row["split"], where)
    return Clip(path, row["label"], split, row.get("group") or group_of(row["path"]))


def group_of(path: str) -> str:
    """Return the group that a file's name tells, or the path itself.

    Example:
        >>> group_of("jump/v_Jump_g01_c02.avi"), group_of("jump/clip1.mp4")
        ('v_Jump_g01', 'jump/clip1.mp4')
    """
    match = _GROUP.fullmatch(Path(path).stem)
    return match[1] if match else path


def _together(clips: list[Clip], where: Path) -> list[Clip]:
    """Return the clips, those that are equal and of no other group in one, see `file_keys`."""
    counts = Counter(clip.group for clip in clips)
    free = [
        n
        for n, clip in enumerate(clips)
        if not clip.array and clip.split in ("", "train") and counts[clip.group] == 1
    ]
    keys = file_keys([clips[n].path for n in free], [clips[n].group for n in free], where)
    whole = [*clips]
    for n, key in zip(free, keys):
        whole[n] = clips[n]._replace(group=key)
    return whole


def _in_folders(folder: Path) -> list[Clip]:
    parts = parts_of(folder).items()
    classes = [(c, split) for part, split in parts for c in folders_in(part)]
    files = [(file, c, split) for c, split in classes for file in files_in(c)]
    wanted = {file.suffix.lower() for file, *_ in files} & _FILES
    framed = {}
    if not wanted & VIDEO_FILES:
        framed = {
            file.parent: (c, split)
            for file, c, split in files
            if is_frame(file) and file.parent != c
        }
    if framed or wanted & VIDEO_FILES:
        # Then texts are notes on them.
        wanted -= SEQUENCE_FILES
    clips = [
        Clip(file, c.name, split, group_of(str(file.relative_to(folder))))
        for file, c, split in files
        if file.suffix.lower() in wanted
    ]
    clips += [
        Clip(frames, c.name, split, _group_of_frames(frames, c, folder))
        for frames, (c, split) in framed.items()
    ]
    _check_groups(folder, clips)
    taken = {clip.path for clip in clips}
    others = [
        file
        for file, *_ in files
        if file not in taken and not (file.parent in taken and is_frame(file))
    ]
    # Pictures that lie loose in the folder of a class: frames of nobody knows which clip.
    left: dict[bool, list[str]] = {True: [], False: []}
    for file in others:
        left[not wanted & VIDEO_FILES and is_frame(file)].append(str(file.relative_to(folder)))
    left_out(folder, "file", "of another kind", left[False])
    left_out(folder, "picture", "loose in the folder of a class", left[True])
    loose = [f.name for f in sorted(folder.iterdir()) if f.is_file() and f.suffix.lower() in _FILES]
    loose = [name for name in loose if not name.startswith(".")]
    why = "beside the folders of classes (a table of clips has the columns path and label)"
    left_out(folder, "file", why, loose)
    if clips and (empty := sorted({c.name for c, _ in classes} - {clip.label for clip in clips})):
        print(f"{folder}: no clips in {', '.join(empty)}", file=sys.stderr)
    return clips


def _group_of_frames(frames: Path, folder: Path, root: Path) -> str:
    """Return the group that a folder of frames, or one between it and its class, tells."""
    parts = reversed(frames.relative_to(folder).parts)
    groups = (match[1] for part in parts if (match := _GROUP.fullmatch(part)))
    return next(groups, str(frames.relative_to(root)))


def _check_groups(folder: Path, clips: list[Clip]) -> None:
    first: dict[str, Clip] = {}
    for clip in clips:
        other = first.setdefault(clip.group, clip)
        if other.split != clip.split:
            raise UserError(
                f"{folder} has the group {clip.group} in {other.split} and in {clip.split}, such "
                f"as {other.path.relative_to(folder)} and {clip.path.relative_to(folder)}: clips "
                "of one source must stay together"
            )

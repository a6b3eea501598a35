"""Tables in several files, as the Hugging Face hub has them: `train-00000-of-00003.parquet`, ..."""

import re
from collections.abc import Iterable
from pathlib import Path

from zoo.errors import UserError

# Of old, the hub wrote a hash of each file behind.
_SHARD = re.compile(
    r"(?P<name>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]{16})?(?P<ending>\.parquet|\.pq)",
    re.IGNORECASE,
)


def shards_of(path: Path) -> list[Path]:
    """Return all files of the table that a file is of, in their order; itself, if it is whole.

    Raises:
        UserError: one is missing, or those of another table of the same name lie beside them.
    """
    own = _SHARD.fullmatch(path.name)
    if own is None or not path.is_file():
        return [path]
    count, shards = int(own["count"]), dict[int, Path]()
    for file in sorted(path.parent.iterdir()):
        other = _SHARD.fullmatch(file.name)
        if other is None or other["name"] != own["name"]:
            continue
        if int(other["count"]) != count or int(other["number"]) in shards:
            first = shards.get(int(other["number"]), path)
            raise UserError(
                f"{path.parent} has {first.name} and {file.name}, of two sets of shards: keep one"
            )
        shards[int(other["number"])] = file
    for number in range(count):
        if number not in shards:
            missing = f"{own['name']}-{number:05}-of-{count:05}{own['ending']}"
            raise UserError(
                f"{path.parent} has {path.name}, but no {missing}: put it there, or rename what is "
                "to be read without it"
            )
    return [shards[number] for number in sorted(shards)]


def first_shards(files: Iterable[Path]) -> list[Path]:
    """Return files, and of each table in shards the first only, which stands for all of it.

    Raises:
        UserError: a table is there in shards and in one file, too.

    Example:
        >>> names = ["test.csv", "train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]
        >>> [file.name for file in first_shards(map(Path, names))]
        ['test.csv', 'train-00000-of-00002.parquet']
    """
    tables: dict[Path, Path] = {}
    for file in files:
        first = tables.setdefault(whole := file.with_name(unsharded_name(file)), file)
        if first != file and whole in (first, file):
            raise UserError(
                f"{file.parent} has {first.name} and {file.name}, a table in shards and in one "
                "file: keep one"
            )
    return [*tables.values()]


def unsharded_name(path: Path) -> str:
    """Return the name that a table would have in one file.

    Example:
        >>> unsharded_name(Path("train-00001-of-00002.parquet")), unsharded_name(Path("a.csv"))
        ('train.parquet', 'a.csv')
    """
    shard = _SHARD.fullmatch(path.name)
    return f"{shard['name']}{shard['ending']}" if shard else path.name


def whole_table(path: Path) -> Path:
    """Return what to call the table that a file is of in messages.

    Example:
        >>> whole_table(Path("train-00001-of-00002.parquet")).name
        'train-*-of-00002.parquet'
        >>> whole_table(Path("train-00000-of-00001.parquet")).name
        'train-00000-of-00001.parquet'
    """
    shard = _SHARD.fullmatch(path.name)
    if shard is None or int(shard["count"]) == 1:
        return path
    return path.with_name(f"{shard['name']}-*-of-{shard['count']}{shard['ending']}")

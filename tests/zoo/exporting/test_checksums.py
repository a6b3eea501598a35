import json
import shutil

import pytest

from zoo.errors import UserError
from zoo.exporting.checksums import check_files, read_card


@pytest.fixture
def copy(export, tmp_path):
    return shutil.copytree(export, tmp_path / "copy")


def change(folder, **values):
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


def test_files_as_they_were_written_are_fine_and_a_note_in_the_readme_too(copy):
    (copy / "README.md").write_text("A note.")
    check_files(copy)


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing"):
        check_files(copy)


def test_one_changed_bit_is_found_and_named(copy):
    path = copy / "variables" / "variables.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"variables/variables.data-00000-of-00001 is not as it"):
        check_files(copy)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# A card", "card.json is damaged: Expecting value"),
        ("[1]", "card.json is damaged"),
        ("{}", "card.json is damaged: 'format'"),
        ('{"format": 1, "files": 3}', "lists no files"),
        ('{"format": "new"}', "card.json is damaged"),
        ('{"format": 2}', r"has the format 2, but .* knows 1: a newer one wrote it"),
        (b"\xff\xfe", "card.json is damaged"),
    ],
)
def test_what_is_no_card_is_told_in_one_line(tmp_path, content, message):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(UserError, match=message) as told:
        read_card(tmp_path)
    assert "\n" not in str(told.value)


def test_an_export_without_a_card_has_none(tmp_path):
    with pytest.raises(UserError, match=r"has no card.json"):
        check_files(tmp_path)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd"])
def test_a_card_cannot_speak_of_files_outside(copy, name):
    change(copy, files={name: "0"})
    with pytest.raises(UserError, match="outside of the export"):
        check_files(copy)

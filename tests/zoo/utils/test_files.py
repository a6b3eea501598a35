import stat

import pytest

from zoo.errors import UserError
from zoo.utils.files import as_texts, write_whole


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    write_whole(tmp_path / "file", "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "file", "new \udcff")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_is_as_readable_as_its_folder(tmp_path):
    tmp_path.chmod(0o755)
    write_whole(tmp_path / "file", "text")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_data_where_their_name_is_needed_are_refused_in_one_line():
    with pytest.raises(UserError, match=r"dataset is a list, but a name or a path is needed: save"):
        as_texts(dataset=[1, 2])

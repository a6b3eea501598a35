"""Archives of exports: what is harmless is unpacked, and nothing else is written anywhere."""

import gzip
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from zoo import UserError
from zoo.pretrained import find
from zoo.utils import archives
from zoo.utils.archives import check_zip, unpack

FILES = {"model/saved_model.pb": b"graph", "model/assets.extra/zoo.json": b"{}"}


def zipped(path, files, mode=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode or 0o100644) << 16
            packed.writestr(info, content)
    return path


def tarred(path, files, **about):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in about.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(content))
    return path


def packed(path, files):
    return (zipped if path.suffix == ".zip" else tarred)(path, files)


ENDINGS = ["a.zip", "a.tar", "a.tar.gz", "a.tgz"]


@pytest.mark.parametrize("name", ENDINGS)
def test_an_archive_is_a_folder(tmp_path, name):
    folder = unpack(packed(tmp_path / name, FILES))
    assert (folder / "saved_model.pb").read_bytes() == b"graph"
    assert (folder / "assets.extra" / "zoo.json").read_bytes() == b"{}"
    assert find(tmp_path / name) == folder
    bare = unpack(packed(tmp_path / f"bare-{name}", {"x.pb": b"1", "y/z": b"2"}))
    assert sorted(path.name for path in bare.iterdir()) == ["x.pb", "y"]


@pytest.mark.parametrize("make", ["zip", "tar", "gztar"])
def test_what_the_standard_library_packs_is_unpacked(tmp_path, make):
    (tmp_path / "in" / "model" / "empty").mkdir(parents=True)
    (tmp_path / "in" / "model" / "file").write_text("text")
    folder = unpack(Path(shutil.make_archive(tmp_path / "a", make, tmp_path / "in")))
    assert (folder / "file").read_text() == "text" and (folder / "empty").is_dir()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["/tmp/x", "../x", "a/../../x", "c:\\x", "..\\x"])
def test_a_path_out_of_the_folder_is_refused(tmp_path, ending, name):
    with pytest.raises(UserError, match="outside of its folder"):
        unpack(packed(tmp_path / ending, {name: b"bad"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == [ending]


def test_links_and_devices_are_refused(tmp_path):
    with pytest.raises(UserError, match="'x' is a link"):
        unpack(zipped(tmp_path / "link.zip", {"x": b"/etc/passwd"}, 0o120777))
    with pytest.raises(UserError, match="'x' is a device"):
        unpack(zipped(tmp_path / "pipe.zip", {"x": b""}, 0o010644))
    for kind, said in (
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.FIFOTYPE, "device"),
    ):
        path = tarred(tmp_path / f"{said}{kind!r}.tar", {"x": b""}, type=kind, linkname="/etc")
        with pytest.raises(UserError, match=f"'x' is a {said}"):
            unpack(path)


@pytest.mark.parametrize("ending", ["a.zip", "a.tar.gz"])
def test_a_blow_up_is_refused(tmp_path, ending):
    path = packed(tmp_path / ending, {"zeros": bytes(3 * 2**20)})
    assert path.stat().st_size * 100 < 3 * 2**20
    with pytest.raises(UserError, match="over 100 times"):
        unpack(path)


def test_a_blow_up_within_a_header_is_refused(tmp_path):
    tarred(tmp_path / "long.tar", {"n" * 2**22: b""})
    path = tmp_path / "long.tar.gz"
    path.write_bytes(gzip.compress((tmp_path / "long.tar").read_bytes()))
    with pytest.raises(UserError, match="over 100 times"):
        unpack(path)


def test_more_than_the_most_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 1000)
    noise = {"noise": os.urandom(2000)}
    for ending in ENDINGS:
        with pytest.raises(UserError, match="refused"):
            unpack(packed(tmp_path / ending, noise))
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(UserError, match="to over 1 files"):
        unpack(packed(tmp_path / "many.zip", FILES))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_damaged_archive_is_told(tmp_path, ending):
    path = packed(tmp_path / ending, {"noise": os.urandom(5000)})
    whole = path.read_bytes()
    for content in (whole[:3000], b"no archive at all"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is damaged"):
            unpack(path)
    if ending == "a.zip":
        path.write_bytes(whole[:2000] + bytes(100) + whole[2100:])
        with pytest.raises(UserError, match="is damaged"):
            unpack(path)
        with pytest.raises(UserError, match="is damaged"):
            check_zip(path)


def test_a_name_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "twice.tar", "w") as tar:
        for content in (b"one", b"two"):
            info = tarfile.TarInfo("x")
            info.size = 3
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(UserError, match="File exists"):
        unpack(tmp_path / "twice.tar")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.keras", "zoo.load"),
        ("model.h5", "zoo import keras"),
        ("model.pkl", "a pickle runs"),
        ("model.pt", "zoo import torch"),
        ("model.bin", "give the folder"),
    ],
)
def test_another_file_is_refused_with_what_to_do(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(UserError, match=said):
        find(tmp_path / name)

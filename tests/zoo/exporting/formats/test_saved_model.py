import errno
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import UserError


@pytest.fixture
def copy(export, tmp_path):
    return shutil.copytree(export, tmp_path / "exports" / "copy")


def _files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_serving_default_takes_names_and_gives_names(export):
    signature = tf.saved_model.load(str(export)).signatures["serving_default"]
    assert list(signature.structured_input_signature[1]) == ["images"]
    assert set(signature.structured_outputs) == {"text", "probability", "labels", "probabilities"}


def test_the_description_says_what_goes_in(export):
    said = json.loads((export / "assets.extra" / "zoo.json").read_text())
    assert (said["model"], said["input"], said["options"]) == ("digits-mlp", "image", {})
    assert said["endpoints"] == ["forward", "serve"]


def test_the_model_is_built_again_from_the_export_alone(run, copy):
    shutil.rmtree(copy / "assets.extra" / "examples")
    (copy / "saved_model.pb").unlink()
    # It has the checksums of what is missing now.
    (copy / "card.json").unlink()
    model, again = zoo.load(run), zoo.load(copy)
    assert len(again.weights) == len(model.weights)
    for one, other in zip(model.weights, again.weights):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_an_export_of_an_export_answers_the_same(export, tmp_path, assert_same_answers):
    second = zoo.export(export, tmp_path / "second", metrics=False)
    pictures = sorted(map(str, (export / "assets.extra" / "examples").iterdir()))
    assert_same_answers(zoo.predict(second, *pictures), zoo.predict(export, *pictures))


def test_what_a_newer_zoo_wrote_is_refused(copy):
    path = copy / "assets.extra" / "zoo.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    assert '"format": 2' in path.read_text()
    for use in (zoo.load, zoo.predict):
        with pytest.raises(UserError, match="newer than this one"):
            use(copy)


def test_an_export_that_fails_leaves_the_old_one_and_nothing_else(run, copy, monkeypatch):
    before = _files(copy)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(UserError, match="No space left on device"):
        zoo.export(run, copy, overwrite=True)
    assert _files(copy) == before
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_replaced_export_leaves_nothing_of_the_old_one(run, copy):
    (copy / "left-over").touch()
    zoo.export(run, copy, overwrite=True, metrics=False)
    assert not (copy / "left-over").exists()
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_link_is_not_replaced(run, copy, tmp_path):
    (tmp_path / "link").symlink_to(copy)
    with pytest.raises(UserError, match="choose another path"):
        zoo.export(run, tmp_path / "link", overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_came_to_the_target_meanwhile_is_kept(run, tmp_path, monkeypatch, overwrite):
    path = tmp_path / "new" / "x"
    save = tf.saved_model.save

    def meanwhile(*given):
        path.mkdir(exist_ok=True)
        (path / "precious").touch()
        return save(*given)

    monkeypatch.setattr(tf.saved_model, "save", meanwhile)
    with pytest.raises(UserError, match="exists"):
        zoo.export(run, path, overwrite=overwrite, metrics=False)
    assert [each.name for each in path.iterdir()] == ["precious"]
    assert [each.name for each in path.parent.iterdir()] == ["x"]


def test_an_export_that_fails_takes_the_folders_with_it_that_it_made(run, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="No space left on device"):
        zoo.export(run, tmp_path / "there" / "some" / "where" / "x")
    assert [each.name for each in tmp_path.rglob("*")] == ["there"]

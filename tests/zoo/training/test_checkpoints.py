"""A run that was stopped anywhere and resumed ends as the undisturbed one: bit by bit."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from filelock import FileLock

import zoo
from zoo.api.run import new_run, open_run
from zoo.errors import Interrupted, UserError
from zoo.training.checkpoints import Checkpoints

# What a stopped run is held to, bit by bit, is the training that users run.
pytestmark = pytest.mark.compiled

TINY = {
    "units": 12,
    "dropout": 0.3,
    "epochs": 3,
    "batch_size": 4,
    "window": 16,
    "save_steps": 3,
    "verbose": False,
}
compared_with_none = pytest.mark.usefixtures("plain_loop")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog. " * 40)
    return str(path)


@pytest.fixture(scope="module")
def undisturbed(text, tmp_path_factory):
    return zoo.fit("char-lstm", text, runs=tmp_path_factory.mktemp("whole"), **TINY)


def assert_same(run, other):
    newest, expected = (Checkpoints(r.checkpoints).newest()[0] for r in (run, other))
    assert newest.position.history == expected.position.history
    assert newest.position.epoch == expected.position.epoch == len(newest.position.history)
    for a, b in zip(newest.variables, expected.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    assert run.metrics_file.read_text() == other.metrics_file.read_text()
    weights = [zoo.load(r).get_weights() for r in (run, other)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def send_signal_after(monkeypatch, steps):
    """SIGTERM to this process, at the end of that step."""
    end, done = keras.callbacks.CallbackList.on_train_batch_end, []

    def counting(self, *arguments, **options):
        done.append(1)
        if len(done) == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return end(self, *arguments, **options)

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_train_batch_end", counting)


@pytest.mark.parametrize(
    "steps", [26, *(pytest.param(steps, marks=pytest.mark.slow) for steps in (1, 10, 30))]
)
def test_a_stopped_run_goes_on_as_if_nothing_had_been(
    text, undisturbed, tmp_path, monkeypatch, steps
):
    with monkeypatch.context() as patched, pytest.raises(Interrupted, match="zoo fit --resume"):
        send_signal_after(patched, steps)
        zoo.fit("char-lstm", text, runs=tmp_path, **TINY)
    run = zoo.resume(tmp_path / "char-lstm" / "1", verbose=False)
    assert_same(run, undisturbed)


@pytest.mark.slow
def test_drawn_pictures_and_drawn_glimpses_go_on_likewise(tmp_path, monkeypatch):
    tiny = {
        "units": 4, "glimpse_units": 4, "glimpse_size": 3, "glimpses": 3, "copies": 2,
        "jit_compile": False, "batch_size": 2048, "epochs": 2, "save_steps": 2, "verbose": False,
    }  # fmt: skip
    whole = zoo.fit("ram-scattered", runs=tmp_path / "whole", **tiny)
    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        send_signal_after(patched, 8)
        zoo.fit("ram-scattered", runs=tmp_path, **tiny)
    assert_same(zoo.resume(tmp_path / "ram-scattered" / "1", verbose=False), whole)


@pytest.mark.slow
def test_a_run_that_ended_within_an_epoch_goes_on_from_there(text, tmp_path):
    steady = {**TINY, "schedule": "constant"}
    whole = zoo.fit("char-lstm", text, runs=tmp_path / "whole", **steady)
    run = zoo.fit("char-lstm", text, runs=tmp_path, **steady, steps=14)
    assert Checkpoints(run.checkpoints).newest()[0].position.step == 14
    figures = run.metrics_file.read_text()
    zoo.resume(run, verbose=False)
    assert run.metrics_file.read_text() == figures and len(figures.splitlines()) == 1 + 1
    assert_same(zoo.resume(run, verbose=False, steps=0), whole)


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_starts_anew(text, undisturbed, tmp_path):
    run = new_run(tmp_path, undisturbed.config)
    assert_same(zoo.resume(run, verbose=False), undisturbed)


def test_a_run_that_has_ended_stays_as_it_is(undisturbed):
    before = undisturbed.metrics_file.read_text(), sorted(undisturbed.checkpoints.iterdir())
    zoo.resume(undisturbed.path, verbose=False)
    assert before == (
        undisturbed.metrics_file.read_text(),
        sorted(undisturbed.checkpoints.iterdir()),
    )


def test_three_are_kept_and_a_damaged_one_is_passed_over(undisturbed, tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    names = sorted(path.name for path in undisturbed.checkpoints.glob("step-*.npz"))
    assert len(names) == 3
    for name in names:
        (folder / name).write_bytes((undisturbed.checkpoints / name).read_bytes())
    whole, damaged = Checkpoints(folder).newest()
    assert whole.position.epoch == 3 and not damaged
    newest = folder / names[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 255
    newest.write_bytes(content)
    (folder / names[1]).write_bytes(b"")
    (folder / "saving.npz").write_bytes(b"half a checkpoint")
    before, damaged = Checkpoints(folder).newest()
    assert before.position.epoch < 3
    assert [names[-1] in damaged[0], names[1] in damaged[1]] == [True, True]
    for name in names:
        (folder / name).write_bytes(b"PK")
    assert Checkpoints(folder).newest()[0] is None


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path):
    path.write_bytes(b"")


def not_a_checkpoint(path):
    np.savez(path, position=np.zeros(3, "uint8"))


def another_position(path):
    """A position of JSON, but of none of its kinds."""
    with np.load(path) as file:
        arrays = dict(file)
    arrays["position"] = np.frombuffer(b'{"epoch": "two"}', "uint8")
    np.savez(path, **arrays)


@pytest.mark.parametrize("limits", [{}, {"epochs": 9}])
@pytest.mark.parametrize(
    "damage", [cut_off, empty, not_a_checkpoint, another_position, Path.unlink]
)
def test_a_run_without_a_checkpoint_to_read_is_refused_and_left_as_it_is(
    undisturbed, tmp_path, damage, limits
):
    run = open_run(shutil.copytree(undisturbed.path, tmp_path / "run"))
    for path in run.checkpoints.glob("step-*.npz"):
        damage(path)
    before = contents(run.path)
    with pytest.raises(UserError, match=r"cannot go on with the run .* left as it is") as error:
        zoo.resume(run, verbose=False, **limits)
    assert len(str(error.value).splitlines()) == 1
    assert contents(run.path) == before


def test_only_metrics_or_only_weights_are_not_overwritten_either(undisturbed, tmp_path):
    for number, name in enumerate(("metrics.csv", "checkpoints/best.weights.h5")):
        run = new_run(tmp_path / str(number), undisturbed.config)
        shutil.copy(undisturbed.path / name, run.path / name)
        before = contents(run.path)
        with pytest.raises(UserError, match="there is no checkpoint in"):
            zoo.resume(run, verbose=False)
        assert contents(run.path) == before


def test_a_run_in_use_is_refused(undisturbed):
    held, config = FileLock(undisturbed.path / "lock"), undisturbed.config_file.read_bytes()
    with held, pytest.raises(UserError, match="is being trained by another process"):
        zoo.resume(undisturbed, verbose=False, epochs=7)
    assert undisturbed.config_file.read_bytes() == config


def test_what_is_no_limit_of_a_run_is_refused(undisturbed):
    with pytest.raises(UserError, match="unknown limit of a run 'epoch': did you mean epochs"):
        zoo.resume(undisturbed, verbose=False, epoch=7)


def test_a_checkpoint_of_another_model_is_refused(text, undisturbed, tmp_path):
    options = {**undisturbed.config.options, "units": 5}
    run = new_run(tmp_path, replace(undisturbed.config, options=options))
    for path in undisturbed.checkpoints.glob("step-*.npz"):
        (run.checkpoints / path.name).write_bytes(path.read_bytes())
    before = run.config_file.read_bytes()
    with pytest.raises(UserError, match="of another model"):
        zoo.resume(run, verbose=False, epochs=9)
    assert run.config_file.read_bytes() == before


@pytest.fixture
def size_limit():
    """No file gets larger than so many bytes: what a full disk is to one who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
@compared_with_none
def test_a_full_disk_leaves_the_checkpoints_before(text, tmp_path, monkeypatch, size_limit):
    save = Checkpoints.save

    def limited(self, checkpoint, number):
        size_limit(10_000 if number > 6 else resource.RLIM_INFINITY)
        save(self, checkpoint, number)

    monkeypatch.setattr(Checkpoints, "save", limited)
    with pytest.raises(UserError, match=r"cannot save a checkpoint .* those before it stay good"):
        zoo.fit("char-lstm", text, runs=tmp_path, **TINY)
    folder = tmp_path / "char-lstm" / "1" / "checkpoints"
    assert len(list(folder.glob("step-*.npz"))) == 2 and not (folder / "saving.npz").exists()
    newest, damaged = Checkpoints(folder).newest()
    assert newest.position.step == 6 and not damaged


@compared_with_none
def test_a_loss_that_is_no_number_names_its_step(text, tmp_path):
    told = r"at step \d+ of epoch 1 the loss became .* and the gradient's norm .* try a smaller"
    wild = {**TINY, "optimizer": "sgd", "learning_rate": 1e38, "clip_norm": 0.0, "save_steps": 1}
    with pytest.raises(UserError, match=told):
        zoo.fit("char-lstm", text, runs=tmp_path, **wild)


@pytest.mark.slow
@compared_with_none
def test_the_last_good_checkpoint_outlives_a_loss_that_is_no_number(text, tmp_path):
    """The model breaks down at its fifth update, from one moment to the next."""
    schedule = {"boundaries": [3], "values": [0.01, 1e38]}
    broken = {**TINY, "optimizer": "sgd", "clip_norm": 0.0, "save_steps": 1}
    with pytest.raises(UserError, match=r"at step [56] of epoch 1"):
        zoo.fit("char-lstm", text, runs=tmp_path, **broken, schedule="PiecewiseConstantDecay",
                schedule_config=schedule)  # fmt: skip
    newest, damaged = Checkpoints(tmp_path / "char-lstm" / "1" / "checkpoints").newest()
    assert newest.position.updates in (4, 5) and not damaged
    assert newest.position.totals[0] < 1e4


@pytest.mark.slow
def test_twenty_kills_change_nothing(text, undisturbed, tmp_path):
    """SIGKILL at random moments, also within a save: each time the run is resumed."""
    random = np.random.default_rng(1)
    run = new_run(tmp_path, undisturbed.config)
    resume = (
        "import sys, time, numpy, zoo\n"
        "from zoo.training.trainer import Trainer\n"
        "check, savez = Trainer._check_finite, numpy.savez\n"
        "def slow(*a): print('step', flush=True); time.sleep(0.02); return check(*a)\n"
        "def slowly(file, **arrays):\n"
        "    file.write(b'x' * 999); file.flush(); time.sleep(0.03)\n"
        "    file.seek(0); file.truncate(); savez(file, **arrays)\n"
        "Trainer._check_finite, numpy.savez = slow, slowly\n"
        "zoo.resume(sys.argv[1], verbose=False)\n"
    )
    kills = 0
    while kills < 20:
        process = subprocess.Popen(
            [sys.executable, "-c", resume, str(run.path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "step\n", "the run ended before twenty kills"
        time.sleep(random.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    assert_same(zoo.resume(Path(run.path), verbose=False), undisturbed)

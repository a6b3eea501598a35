"""Replicas give what one device gives: two virtual devices, and two processes on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.api.run import Run
from zoo.errors import UserError
from zoo.training.checkpoints import Checkpoints
from zoo.training.replicas import Replicas, replicas

ROOT = Path(__file__).parents[3]
FIT = """
import sys, zoo
text, runs, devices, epochs, dropout, save_steps = sys.argv[1:]
run = zoo.fit("char-lstm", text, runs=runs, devices=int(devices), epochs=int(epochs), units=12,
    dropout=float(dropout), batch_size=4, window=16, save_steps=int(save_steps), learning_rate=0.01,
    clip_norm=0.5, jit_compile=False, verbose=False)
"""
RESUME = "import sys, zoo; zoo.resume(sys.argv[1], verbose=False)"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog. " * 40)
    return path


def start(code, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_workers(code, *arguments):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    return [
        start(code, *arguments, TF_CONFIG=json.dumps({"cluster": cluster, "task": task}))
        for task in ({"type": "worker", "index": n} for n in range(2))
    ]


def finish(*processes):
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0 and "AutoGraph" not in errors, errors


def assert_same_result(runs, other, text):
    run, expected = (Run(Path(folder) / "char-lstm" / "1") for folder in (runs, other))
    newest, reference = (Checkpoints(r.checkpoints).newest()[0] for r in (run, expected))
    assert newest.position.updates == reference.position.updates
    for a, b in zip(newest.variables, reference.variables, strict=True):
        # Sums are rounded in another order, and Adam magnifies that where a gradient is nearly 0; a
        # step of its own is a thousand times as large.
        np.testing.assert_allclose(a, b, atol=1e-5)
    figures = [zoo.evaluate(r)["perplexity"] for r in (run, expected)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-5)


@pytest.fixture(scope="module")
def alone(text, tmp_path_factory):
    runs = tmp_path_factory.mktemp("alone")
    finish(start(FIT, text, runs, 1, 2, 0, 7))
    return runs


@pytest.mark.slow
def test_two_devices_give_the_result_of_one(alone, text, tmp_path):
    finish(start(FIT, text, tmp_path, 2, 2, 0, 7))
    assert_same_result(tmp_path, alone, text)


@pytest.mark.slow
def test_two_workers_give_the_result_of_one_device(alone, text, tmp_path):
    finish(*start_workers(FIT, text, tmp_path, 1, 2, 0, 7))
    assert_same_result(tmp_path, alone, text)
    assert [path.name for path in (tmp_path / "char-lstm").iterdir()] == ["1"]


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_run_and_a_restart_resumes(alone, text, tmp_path):
    first, second = start_workers(FIT, text, tmp_path, 1, 2000, 0, 1)
    run = tmp_path / "char-lstm" / "1"
    waited = time.monotonic()
    while len(list(run.glob("checkpoints/step-*.npz"))) < 3:
        assert time.monotonic() < waited + 120 and first.poll() is None, first.communicate()
        time.sleep(0.1)
    second.send_signal(signal.SIGKILL)
    _, errors = first.communicate(timeout=120)
    assert first.returncode != 0
    assert "another of the 2 workers is gone" in errors and "--resume" in errors
    second.communicate()
    saved, _ = Checkpoints(run / "checkpoints").newest()
    config = json.loads((run / "config.json").read_text())
    config["training"]["epochs"] = saved.position.epoch + 2
    (run / "config.json").write_text(json.dumps(config))
    finish(*start_workers(RESUME, run))
    resumed, _ = Checkpoints(run / "checkpoints").newest()
    assert resumed.position.epoch == saved.position.epoch + 2
    assert resumed.position.updates > saved.position.updates


@pytest.mark.parametrize(
    "config, said",
    [
        ("{", "TF_CONFIG cannot be read"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "TF_CONFIG cannot be read"),
        ('{"cluster": {"worker": ["a:1", "b:1"], "chief": ["c:1"]}}', "names a chief"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            "TF_CONFIG cannot be read",
        ),
    ],
)
def test_a_cluster_that_makes_no_sense_is_told(monkeypatch, config, said):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match=said):
        replicas()


def test_rows_that_cannot_be_shared_are_told():
    two = Replicas()
    two.count = 2
    assert two.rows(6) == 3
    with pytest.raises(
        UserError, match="batch_size is 5, but 2 replicas share it: take a multiple"
    ):
        two.rows(5)


def test_devices_cannot_be_made_once_tensorflow_computes():
    tf.zeros(1)
    with pytest.raises(UserError, match="must be asked for before TensorFlow computes"):
        replicas(2)

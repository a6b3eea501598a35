"""A user's mistake is one line on stderr and exit code 2."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo as package
from zoo import UserError
from zoo.diagnostics.memory_tasks import TASKS


def assert_mistake(answer, *said):
    code, _, err = answer
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(lines) == 1 and "Traceback" not in err
    for words in said:
        assert words in lines[0]


@pytest.mark.parametrize("arguments", [["list"], ["show", "char-lstm"], ["list", "cells"]])
def test_listings_import_no_tensorflow(arguments):
    code = (
        "import sys; from zoo import cli; sys.argv = ['zoo', *sys.argv[1:]]\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)


def test_list_filters_and_prints_json(zoo):
    code, out, _ = zoo("list", "--topology", "seq2seq", "--json")
    assert code == 0
    assert {row["task"] for row in json.loads(out)} == {"translation"}


def test_show_names_the_defaults(zoo):
    _, out, _ = zoo("show", "char-lstm")
    assert "many_to_many" in out and "batch_size" in out and "vocab_size" in out
    options = out[out.index("\noptions:") : out.index("\ntask_options:")].splitlines()[2:]
    assert "  recurrent_dropout 0.0" in options
    assert len({line.rindex(" ") for line in options}) == 1


COMMANDS = ["list", "show", "fit", "evaluate", "predict", "plot", "generate", "stream", "export"]
COMMANDS += ["verify", "import torch", "import keras", "reproduce", "compare", "compare cells"]
COMMANDS += ["diagnose", "report", "compare runs"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(zoo, command):
    code, out, _ = zoo(*command.split(), "--help")
    assert code == 0 and f"zoo {command} " in out.split("Example")[1]


@pytest.mark.parametrize("command", ["plot", "report", "diagnose", "compare runs"])
def test_what_is_written_goes_where_output_says_and_out_once_said(zoo, command):
    _, text, _ = zoo(*command.split(), "--help")
    assert "--output FILE" in text and "--out " not in text and "--out," not in text
    for name in ("--output", "--out"):
        assert_mistake(zoo(*command.split(), "digits-mlp", name, ""), "--output is empty")


def test_the_help_of_compare_says_what_is_scored(zoo):
    _, out, _ = zoo("compare", "cells", "--help")
    for task in TASKS:
        assert any(line.split()[:1] == [task] for line in out.splitlines())
    assert "scored at every step but the first" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "char-lstmm"], ["char-lstmm", "char-lstm"]),
        (["fit", "char-lstmm"], ["char-lstmm", "char-lstm"]),
        (["fit", "char-lstm", "--cell", "lstmm"], ["lstmm", "did you mean lstm"]),
        (["fit", "char-lstm", "--epoch", "3"], ["--epochs"]),
        (["fit", "digits-mlp", "--dataset", "digit"], ["digit", "digits"]),
        (["fit", "digits-mlp", "--set", "unitss=3"], ["unitss", "units"]),
        (["fit", "digits-mlp", "--set", "units"], ["KEY=VALUE"]),
        (["fit", "digits-mlp", "--epochs", "0"], ["epochs is 0", "at least 1"]),
        (["fit", "digits-mlp", "--set", "batch_size=many"], ["batch_size", "int"]),
        (["fit", "digits-mlp", "--set", "optimizer=adan"], ["adan"]),
        (["fit", "digits-mlp", "--set", "units=many"], ["units", "int"]),
        (["fit", "digits-mlp", "--set", "units=true"], ["units", "int"]),
        (["fit", "digits-mlp", "--set", "dropout=much"], ["dropout", "float"]),
        (["fit", "digits-mlp", "--set", "seed=3"], ["seed", "zoo fit --help"]),
        (["fit", "digits-mlp", "--set", 'classes=["a"]'], ["classes", "knows a"]),
        (["fit", "char-lstm", "--set", "vocab_size=3"], ["vocab_size", "the data decide"]),
        (
            ["fit", "char-lstm", "--dataset", "~no-such-user/x.txt"],
            ["no file or folder ~no-such-user/x.txt"],
        ),
        (
            ["fit", "char-lstm", "--set", "tokens=[1, 2]"],
            ["tokens is [1, 2]", "list[str] or nothing is needed"],
        ),
        (
            ["fit", "char-lstm", "--set", 'tokens=["a", "a"]'],
            ["strings that differ"],
        ),
        (["fit", "char-lstm", "--set", "layers=0"], ["layers is 0", "at least 1"]),
        (["fit", "digits-mlp", "--seed", "-1"], ["--seed", "0<=x"]),
        (["fit", "video-gru", "--dataset", "digits"], ["image, label", "video"]),
        (["fit"], ["no model is named", "zoo list"]),
        (["lst"], ["lst", "list"]),
        (["list", "--topology", "seq2sec"], ["seq2sec", "seq2seq"]),
        (["evaluate", "runs/none"], ["runs/none", "zoo fit"]),
        (["evaluate", "digits-mlp", "--set", "beam_width=1"], ["digits-mlp writes no text"]),
        (["evaluate", "digits-mlp", "--set", "split=test"], ["split", "zoo evaluate --help"]),
        (["predict", "runs/none", "x"], ["runs/none", "zoo fit"]),
        (["export", "runs/none", "x"], ["runs/none", "zoo fit"]),
    ],
)
def test_a_mistake_gets_one_line(zoo, arguments, said, data_dir, tmp_path):
    if arguments[0] == "fit":
        arguments = [*arguments, "--data-dir", data_dir, "--runs", tmp_path]
    assert_mistake(zoo(*arguments), *said)


def test_a_run_folder_without_a_checkpoint(zoo, run, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(run.config.to_json()))
    assert_mistake(zoo("evaluate", tmp_path), "no checkpoint")


@pytest.mark.parametrize("change", [{"training": {"speed": 3}}, {"task_config": {"x": 1}}, None])
def test_a_run_folder_of_another_version(zoo, run, tmp_path, change):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    config = {**run.config.to_json(), **change} if change else {"model": "digits-mlp"}
    (copy / "config.json").write_text(json.dumps(config))
    assert_mistake(zoo("evaluate", copy), "config.json", "another version")


def test_a_folder_that_is_no_run(zoo, tmp_path):
    assert_mistake(zoo("export", tmp_path, tmp_path / "x"), "config.json")


def test_an_export_target_that_exists(zoo, run, tmp_path):
    assert_mistake(zoo("export", run.path, tmp_path), "--overwrite")


def test_an_export_target_that_is_empty(zoo, run):
    assert_mistake(zoo("export", run.path, ""), "is empty: name a folder")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_away_what_was_written_of_an_export(zoo, run, tmp_path, monkeypatch, number):
    def stopped(*_):
        os.kill(os.getpid(), number)

    monkeypatch.setattr("zoo.exporting.export.write_saved_model", stopped)
    code, out, err = zoo("export", run.path, tmp_path / "some" / "where" / "x", "--no-figures")
    assert (code, out) == (128 + number, "") and err.endswith("stopped\n")
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_export_target_that_is_somebody_elses(zoo, run, tmp_path):
    (tmp_path / "saved_model.pb").write_text("precious")
    answer = zoo("export", run.path, tmp_path, "--overwrite")
    assert_mistake(answer, "no export of the zoo")
    assert (tmp_path / "saved_model.pb").read_text() == "precious"


@pytest.mark.parametrize("file", ["saved_model.pb", "variables", "assets.extra/zoo.json"])
def test_an_export_that_is_damaged(zoo, export, tmp_path, file):
    copy = shutil.copytree(export, tmp_path / "copy")
    if file == "variables":
        shutil.rmtree(copy / file)
    else:
        (copy / file).write_bytes(b"damaged")
    picture = next((copy / "assets.extra" / "examples").iterdir())
    assert_mistake(zoo("predict", copy, picture), "damaged", "export the run again")


@pytest.mark.parametrize("left", ["saved_model.pb", "card.json", "assets.extra"])
def test_an_export_without_its_manifest_is_called_a_damaged_export(zoo, export, tmp_path, left):
    copy = tmp_path / "copy"
    if left == "saved_model.pb":
        shutil.copytree(export, copy)
        (copy / "assets.extra" / "zoo.json").unlink()
    elif left == "card.json":
        copy.mkdir()
        shutil.copy(export / left, copy)
    else:
        (copy / left).mkdir(parents=True)
    for arguments in (
        ["predict", copy, "x.png"],
        ["evaluate", copy],
        ["export", copy, tmp_path / "again"],
        ["fit", "digits-mlp", "--from", copy],
    ):
        answer = zoo(*arguments)
        assert_mistake(answer, f"the export {copy} is damaged: it lacks its manifest")


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "digits-mlp", "--dataset", ""],
        ["fit", "digits-mlp", "--dataset", " "],
        ["fit", "digits-mlp", "--from", ""],
        ["fit", "digits-mlp", "--data-dir", ""],
        ["fit", "digits-mlp", "--runs", ""],
        ["fit", "--resume", ""],
        ["evaluate", "digits-mlp", "--dataset", ""],
        ["evaluate", "digits-mlp", "--data-dir", ""],
        ["reproduce", "mnist-rows", "--dataset", ""],
        ["predict", "", "x.png"],
    ],
)
def test_a_variable_of_the_shell_that_is_not_set_is_refused(zoo, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_mistake(zoo(*arguments), "is empty")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argument", ["dataset", "data_dir", "runs", "start_from"])
def test_an_empty_name_is_refused_in_python_too(argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"{argument} is empty"):
        package.fit("digits-mlp", **{argument: ""})
    assert not list(tmp_path.iterdir())


def test_a_data_set_that_would_need_a_download(zoo, tmp_path):
    answer = zoo("fit", "digits-mlp", "--dataset", "mnist", "--data-dir", tmp_path)
    assert_mistake(answer, "tfds build mnist", "--data-dir")


def test_a_data_folder_that_cannot_be_written(zoo):
    # Nobody, not even root, makes folders there.
    assert_mistake(zoo("fit", "digits-mlp", "--data-dir", "/proc/data"), "--data-dir")


def test_a_data_folder_that_is_a_file(zoo, tmp_path):
    (tmp_path / "data").write_text("in the way")
    assert_mistake(zoo("fit", "digits-mlp", "--data-dir", tmp_path / "data"), "--data-dir")


def test_a_runs_folder_that_is_a_file(zoo, data_dir, tmp_path):
    (tmp_path / "runs").write_text("in the way")
    answer = zoo("fit", "digits-mlp", "--data-dir", data_dir, "--runs", tmp_path / "runs")
    assert_mistake(answer, "--runs")


def _bad_picture(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.png"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("not a picture")
    elif kind == "float":
        path = path.with_suffix(".npy")
        np.save(path, np.zeros((8, 8), "float32"))
    elif kind == "cut":
        Image.effect_noise((64, 64), 50).save(path)
        path.write_bytes(path.read_bytes()[:900])
    elif kind == "channels":
        path = path.with_suffix(".npy")
        np.save(path, np.zeros((8, 8, 2), "uint8"))
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "no file"),
        ("empty", "empty"),
        ("text", "not an image"),
        ("float", "uint8"),
        ("cut", "not an image"),
        ("channels", "1 or 3 channels"),
    ],
)
def test_a_picture_that_cannot_be_read(zoo, export, tmp_path, kind, said):
    assert_mistake(zoo("predict", export, _bad_picture(tmp_path, kind)), said)


def test_predict_prints_an_answer_for_each_input(zoo, export):
    pictures = sorted((export / "assets.extra" / "examples").iterdir())
    code, out, _ = zoo("predict", export, *pictures)
    assert code == 0 and len(out.splitlines()) == 3
    _, out, _ = zoo("predict", export, *pictures, "--json")
    first = json.loads(out)[0]
    assert {"input", "text", "probability", "labels", "probabilities"} == set(first)
    assert first["labels"][0] == first["text"] and len(first["labels"]) == 10


def test_a_text_file_that_is_not_utf8(zoo, run, tmp_path):
    (tmp_path / "text.txt").write_bytes(b"caf\xe9")
    answer = zoo("fit", "char-rnn", "--dataset", tmp_path / "text.txt")
    assert_mistake(answer, "text.txt", "UTF-8")


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "webp", "tiff"])
def test_pictures_of_every_kind_are_read(zoo, export, tmp_path, kind, mode):
    path = tmp_path / f"picture.{kind}"
    try:
        Image.new("RGB", (9, 7)).convert(mode).save(path)
    except (OSError, KeyError, ValueError):
        Image.new("RGB", (9, 7)).save(path)
    code, out, _ = zoo("predict", export, path)
    assert code == 0 and out.split()[0].isdigit()


def test_fit_prints_its_run_folder_and_nothing_else(zoo, tmp_path):
    # In an empty folder, so that the data are prepared on the way.
    code, out, err = zoo(
        "fit", "digits-linear", "--epochs", 1, "--data-dir", tmp_path / "data", "--runs", tmp_path
    )
    assert code == 0
    assert out.splitlines() == [str(tmp_path / "digits-linear" / "1")]
    assert "epoch 1/1" in err


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_saves_and_tells_what_goes_on(data_dir, tmp_path, number):
    command = "from zoo import cli; cli.main()"
    options = ["--epochs", "100000", "--data-dir", str(data_dir), "--runs", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-c", command, "fit", "digits-linear", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    metrics = tmp_path / "digits-linear" / "1" / "metrics.csv"
    while process.poll() is None and not metrics.is_file():
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 128 + number and out == "" and "Traceback" not in err
    assert f"stopped; continue with: zoo fit --resume {metrics.parent}" in " ".join(err.split())
    assert list((metrics.parent / "checkpoints").glob("step-*.npz"))


def test_fit_resumes_a_run_and_takes_no_other_settings(zoo, run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    answer = zoo("fit", "--resume", copy, "--runs", "elsewhere")
    assert_mistake(answer, "--resume goes on with the run as it was begun: leave out --runs")
    answer = zoo("fit", "--resume", copy, "--from", "digits-mlp")
    assert_mistake(answer, "leave out --from")
    assert_mistake(zoo("fit", "--resume", tmp_path / "none"), "there is no folder")
    code, out, _ = zoo("fit", "--resume", copy, "--json")
    assert code == 0 and json.loads(out) == {"run": str(copy)}


@pytest.mark.slow
def test_a_run_that_has_ended_can_be_made_longer(zoo, run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    code, _, _ = zoo("fit", "--resume", copy, "--epochs", "3")
    lines = (copy / "metrics.csv").read_text().splitlines()
    assert code == 0 and len(lines) == 1 + 3
    assert json.loads((copy / "config.json").read_text())["training"]["epochs"] == 3

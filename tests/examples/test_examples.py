import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.cli import zoo as command_line

EXAMPLES = Path(__file__).parents[2] / "examples"
README = EXAMPLES.parent / "README.md"


def _run(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_a_new_cell_works_in_a_catalog_model():
    done = _run(EXAMPLES / "new_cell.py")
    assert done.returncode == 0, done.stderr
    assert "logits (2, 7, 50)" in done.stdout


@pytest.mark.slow
def test_the_export_example_explains_itself():
    done = _run(EXAMPLES / "use_export.py")
    assert done.returncode == 1 and "saved_models/demo" in done.stderr


@pytest.mark.slow
def test_a_picture_is_read_glimpse_by_glimpse():
    done = _run(EXAMPLES / "glimpses.py")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.startswith("label") for line in lines] == [False, False, False, True] * 2
    named = " ".join(line.split()[-1] for line in lines if line.startswith("label"))
    picture = EXAMPLES.parent / "saved_models/dram-pairs/assets.extra/examples/0.png"
    assert zoo.predict("dram-pairs", picture)[0]["text"] == named


def python_of_the_readme():
    """Return the programs in the README, one a block, in their order."""
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_keras_model_of_the_readme_trains_by_either_import():
    program, *_ = python_of_the_readme()
    small = program.replace("(344, 64)", "(12, 5)").replace("(344,)", "(12,)")
    small = small.replace("epochs=3", "epochs=1, verbose=0")
    assert "from zoo.layers import LSTM" in small and "344" not in small
    models = []
    for module in ("zoo.layers", "keras.layers"):
        scope = {}
        exec(small.replace("from zoo.layers", f"from {module}"), scope)
        models.append(scope["model"])
        assert len(models[-1].history.history["loss"]) == 1
    ours, keras_own = models
    ours.set_weights(keras_own.get_weights())
    texts = np.random.default_rng(1).integers(1, 20_000, (3, 7))
    np.testing.assert_allclose(ours(texts), keras_own(texts), atol=1e-5)


def test_the_readme_quotes_what_was_measured():
    quoted = re.findall(r"Keras needs ([\d.]+) times as\s+long", README.read_text(encoding="utf-8"))
    measured = EXAMPLES.parent / "benchmarks" / "results" / "keras_fit.md"
    for ratio in quoted:
        assert f"| {ratio} |" in measured.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_text_of_ones_own_is_fitted_continued_and_written_on(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 60)
    done = _run(EXAMPLES / "own_text.py", text, tmp_path)
    assert done.returncode == 0, done.stderr
    figures, *written = done.stdout.split("\n")
    assert "'perplexity'" in figures and "\n".join(written).startswith("The ")
    assert len((tmp_path / "char-lstm/1/metrics.csv").read_text().splitlines()) == 1 + 2


def test_the_kubernetes_manifest_says_what_the_command_line_knows():
    manifest = (EXAMPLES / "tfjob.yaml").read_text()
    options = {name for option in command_line.commands["fit"].params for name in option.opts}
    used = re.findall(r"exec zoo fit (.*)", manifest)
    assert len(used) == 2
    assert {word for line in used for word in line.split() if word.startswith("--")} <= options


@pytest.mark.slow
def test_series_of_ones_own_are_learned_and_forecast(tmp_path):
    done = _run(EXAMPLES / "own_series.py", tmp_path)
    assert done.returncode == 0, done.stderr
    metrics, verdict, *forecasts = done.stdout.splitlines()
    assert "'naive/mase'" in metrics and verdict
    assert [line.split()[:2] for line in forecasts] == [
        [shop, "2024-10-27"] for shop in ("north", "south", "west")
    ]
    assert all("next 7 days: median" in line for line in forecasts)

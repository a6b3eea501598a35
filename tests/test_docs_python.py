"""The Python on the pages of docs/ runs: of each page block after block, in an empty folder."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SLOW = {"fine_tuning.md", "hub.md"}
"""Pages whose models are large; they are run with the slow tests."""
ELSEWHERE = {
    "forecasting.md": "of a model that one has trained oneself",
    "looking_and_drawing.md": "of models that one has trained oneself",
    "serving.md": "of a server",
}
"""Pages whose Python stands beside something else that has to be there."""


def blocks_of(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


PAGES = {
    path.name: blocks
    for path in sorted((ROOT / "docs").glob("*.md"))
    if path.name not in ELSEWHERE and (blocks := blocks_of(path))
}


@pytest.fixture
def on_the_hub(tmp_path, monkeypatch):
    """char-lstm as hf://user/my-model, downloaded before, and no network."""
    from huggingface_hub import constants

    from zoo.utils import hub

    folder = tmp_path / "cache" / "models--user--my-model"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("1" * 40)
    (folder / "snapshots").mkdir()
    copy(ROOT / "saved_models" / "char-lstm", folder / "snapshots" / ("1" * 40))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub._downloaded.cache_clear()
    yield
    hub._downloaded.cache_clear()


def copy(source, target):
    for path in source.rglob("*"):
        if path.is_file():
            file = target / path.relative_to(source)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(path.read_bytes())


@pytest.fixture
def files_of_torch(tmp_path):
    """A state dict as PyTorch wrote it, an input, and what PyTorch gave for it."""
    fixtures = ROOT / "tests" / "fixtures" / "torch_files"
    (tmp_path / "lstm.pt").write_bytes((fixtures / "lstm.pt").read_bytes())
    with np.load(fixtures / "outputs.npz") as arrays:
        np.save(tmp_path / "x.npy", arrays["x"])
        np.save(tmp_path / "outputs_of_torch.npy", arrays["lstm"])


PREPARED = {"from_torch.md": "files_of_torch", "hub.md": "on_the_hub"}


@pytest.mark.parametrize(
    "page", [pytest.param(p, marks=[pytest.mark.slow] if p in SLOW else []) for p in PAGES]
)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch, request, capsys):
    if page in PREPARED:
        request.getfixturevalue(PREPARED[page])
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page}
    for number, block in enumerate(PAGES[page], start=1):
        capsys.readouterr()
        exec(compile(block, f"docs/{page}, block {number}", "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        # What a comment after a `print` says is what was printed.
        for promised in re.findall(r"^print\(.*\)  # (.+)$", block, re.MULTILINE):
            assert promised.partition(":")[0] in printed, (promised, printed)


def test_every_page_left_out_is_there():
    assert {*ELSEWHERE, *SLOW, *PREPARED} <= {path.name for path in (ROOT / "docs").glob("*.md")}

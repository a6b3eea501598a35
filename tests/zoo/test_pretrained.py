import re
from pathlib import Path

import pytest

import zoo
from zoo.api.verify import verify
from zoo.exporting.card.markdown import metrics_of, readme
from zoo.exporting.checksums import check_files, read_card
from zoo.pretrained import find, ready_models

CARDS = {name: read_card(find(name)) for name in ready_models()}
# Whose answers are soon measured; the rest with the slow tests.
QUICK = ("digits-mlp",)
MODELS = [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in CARDS]


def test_there_is_one_of_each_topology_and_all_are_small():
    assert len(CARDS) >= 10
    topologies = {zoo.describe(name)["topology"] for name in zoo.list_models()}
    assert {card["topology"] for card in CARDS.values()} == topologies
    files = [path for name in CARDS for path in find(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 32_000_000


def test_a_folder_that_hides_a_ready_trained_model_is_told_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "char-lstm").mkdir()
    with pytest.raises(zoo.UserError, match="no run and no export, and hides the ready-trained"):
        find("char-lstm")
    (tmp_path / "char-lstm" / "config.json").touch()
    assert find("char-lstm") == Path("char-lstm")


@pytest.mark.parametrize("name", CARDS)
def test_a_ready_trained_model_is_whole_and_small(name):
    folder = find(name)
    check_files(folder)
    assert (folder / "README.md").read_text(encoding="utf-8") == readme(CARDS[name])
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 3_000_000


def row_of(name):
    """The row of a model in the table of docs/ready_models.md."""
    table = Path(__file__).parents[2] / "docs" / "ready_models.md"
    start = f"| [`{name}`](../saved_models/{name}/README.md) |"
    (row,) = [line for line in table.read_text("utf-8").splitlines() if line.startswith(start)]
    return row


@pytest.mark.parametrize("name", MODELS)
def test_the_card_of_a_ready_trained_model_holds(name, data_dir):
    checks = {check.name: check for check in verify(name, data_dir).checks}
    assert not [check for check in checks.values() if check.holds is False]
    # Cards of before do not say what is naive: the table is held to what is measured.
    ((told, naive),) = re.findall(r"\| ([a-z][a-z0-9 ]*) [\d.]+, [^|]* \| ([\d.]+)", row_of(name))
    metric = told.replace(" ", "_")
    measured = checks.get(f"naive/{metric}")
    # Of data of another Python it is another.
    if measured and checks[metric].holds:
        decimals = len(naive.partition(".")[2])
        assert naive == f"{float(measured.measured.split()[0]):.{decimals}f}"


@pytest.mark.parametrize("name", CARDS)
def test_the_table_tells_what_the_card_says(name):
    told = re.search(r"\| ([a-z][a-z0-9 ]*) ([\d.]+), ([\d.]+) to ([\d.]+) \|", row_of(name))
    card = metrics_of(CARDS[name])["values"][told[1].replace(" ", "_")]
    decimals = len(told[2].partition(".")[2])
    for said, part in zip(told.groups()[1:], ("value", "low", "high")):
        assert said == f"{card[part]:.{decimals}f}"

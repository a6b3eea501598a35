import pytest

from benchmarks import figures


def test_a_row_takes_the_place_of_an_older_one_of_the_same_command(tmp_path):
    results = tmp_path / "results" / "figures.md"
    for command, accuracy in (("zoo fit b", 0.5), ("zoo fit a", 0.25), ("zoo fit b", 0.75)):
        figures.keep(figures.Measured(command, {"loss": 1.0, "accuracy": accuracy}, 2.04), results)
    assert results.read_text().splitlines()[2:] == [
        "| `zoo fit a` | accuracy 0.2500 | 2.0 |",
        "| `zoo fit b` | accuracy 0.7500 | 2.0 |",
    ]


def test_what_lies_outside_of_its_new_interval_has_moved(tmp_path):
    results = tmp_path / "figures.md"
    before = figures.Measured("zoo fit a", {"accuracy": 0.75, "bleu4": 12.0, "perplexity": 4.0}, 1)
    figures.keep(before, results)
    figures.keep(figures.Measured("zoo fit b", {"accuracy": 0.1}, 1), results)
    now = {"accuracy": 0.8, "accuracy_low": 0.76, "accuracy_high": 0.84}
    now |= {"bleu4": 14.0, "bleu4_low": 11.0, "bleu4_high": 17.0, "perplexity": 5.0}
    assert figures.moved(figures.Measured("zoo fit a", now, 1), results) == [
        "accuracy moved from 0.7500 to 0.8000 (0.7600 to 0.8400)"
    ]
    assert not figures.moved(figures.Measured("zoo fit c", now, 1), results)


@pytest.mark.slow
def test_what_is_measured_has_an_interval_to_hold_older_figures_against(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measured = figures.measure("digits-linear")
    assert measured.figures["accuracy_low"] < measured.figures["accuracy"]
    before = figures.Measured(measured.command, {"accuracy": 0.5}, 1)
    figures.keep(before, tmp_path / "figures.md")
    (line,) = figures.moved(measured, tmp_path / "figures.md")
    assert line.startswith("accuracy moved from 0.5000 to ")

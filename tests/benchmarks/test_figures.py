from benchmarks import figures


def test_a_row_takes_the_place_of_an_older_one_of_the_same_command(tmp_path):
    results = tmp_path / "results" / "figures.md"
    for command, accuracy in (("zoo fit b", 0.5), ("zoo fit a", 0.25), ("zoo fit b", 0.75)):
        figures.keep(figures.Measured(command, {"loss": 1.0, "accuracy": accuracy}, 2.04), results)
    assert results.read_text().splitlines()[2:] == [
        "| `zoo fit a` | accuracy 0.2500 | 2.0 |",
        "| `zoo fit b` | accuracy 0.7500 | 2.0 |",
    ]

from zoo.cli.metrics import print_metrics


def printed(capsys, metrics, **how):
    print_metrics(metrics, **how)
    out, err = capsys.readouterr()
    return [line.split() for line in (err if how else out).splitlines() if line.strip(" ─")]


def test_metrics_stand_one_a_line_and_those_of_kinds_in_a_table(capsys):
    metrics = {"loss": 0.5, "how": "as the data say", "recall/cat": 1.0, "recall/dog": 0.25}
    assert printed(capsys, metrics | {"precision/dog": 0.125}) == [
        ["loss", "0.5000"],
        ["how", "as", "the", "data", "say"],
        ["recall", "precision"],
        ["cat", "1.0000"],
        ["dog", "0.2500", "0.1250"],
    ]


def test_what_is_naive_stands_beside_and_an_interval_behind(capsys):
    metrics = {
        "mase": 0.75, "crps": 0.1, "skill": 0.25, "skill_low": 0.2, "skill_high": 0.3,
        "naive/mase": 1.0, "naive/crps": 0.2, "coverage_80/1-6": 0.8, "verdict": "better",
    }  # fmt: skip
    lines = printed(capsys, metrics, stderr=True)
    assert lines == [
        ["model", "naive"],
        ["mase", "0.7500", "1.0000"],
        ["crps", "0.1000", "0.2000"],
        ["skill", "0.2500", "(0.2000", "to", "0.3000)"],
        ["verdict", "better"],
        ["coverage_80"],
        ["1-6", "0.8000"],
    ]


def test_a_metric_that_ends_like_an_interval_is_one_by_itself(capsys):
    assert printed(capsys, {"pass_low": 0.5}) == [["pass_low", "0.5000"]]

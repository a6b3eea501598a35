import csv

import pytest

from zoo.cli.forecasts import COLUMNS, check_output, forecast_rows, print_forecasts, write_forecasts
from zoo.errors import UserError


def answers(series, steps):
    """Forecasts that count on, a band of 4 and one of 8 around them."""
    return [
        {
            "unique_id": f"shop {place}",
            "ds": [f"2024-02-{step + 1:02}" for step in range(steps)],
            "forecast": [10.0 * place + step for step in range(steps)],
            **{
                f"{side}-{level}": [10.0 * place + step + sign * wide for step in range(steps)]
                for level, wide in ((80, 2), (95, 4))
                for side, sign in (("lo", -1), ("hi", 1))
            },
            "quantiles": [[0.0]] * steps,
            "text": "a sentence",
        }
        for place in range(series)
    ]


def printed(capsys, *arguments):
    print_forecasts(*arguments)
    out, err = capsys.readouterr()
    return [line.split() for line in out.splitlines() if line.strip(" ─")], err


def test_a_forecast_is_a_sentence_and_a_table(capsys):
    lines, err = printed(capsys, answers(1, 3), None)
    assert lines[:2] == [["shop", "0:", "a", "sentence"], COLUMNS[1:]]
    assert lines[2] == ["2024-02-01", "0.0", "-2.0", "2.0", "-4.0", "4.0"]
    assert len(lines) == 5 and not err


def test_of_many_the_first_are_printed_and_how_to_have_all(capsys):
    lines, err = printed(capsys, answers(9, 12), None)
    assert lines[5] == COLUMNS and len(lines) == 5 + 1 + 40
    assert err == "5 of 9 series and 8 of 12 steps are shown: --output FILE.csv writes all\n"
    assert "all are in here.csv" in printed(capsys, answers(9, 12), "here.csv")[1]


def test_a_row_a_step_is_written_with_all_digits(tmp_path):
    several = answers(2, 3)
    several[0]["forecast"][0] = 0.1 + 0.2
    for name, separator in (("all.csv", ","), ("all.TSV", "\t")):
        path = tmp_path / name
        check_output(str(path))
        write_forecasts(str(path), several)
        rows = list(csv.DictReader(path.open(), delimiter=separator))
        assert list(rows[0]) == COLUMNS and len(rows) == 6
        assert float(rows[0]["forecast"]) == 0.1 + 0.2
        assert [row["unique_id"] for row in rows] == ["shop 0"] * 3 + ["shop 1"] * 3
    assert [*map(str, forecast_rows(several)[5].values())] == [*rows[5].values()]


@pytest.mark.parametrize(("name", "message"), [("x.txt", "another ending"), ("no/x.csv", "folder")])
def test_a_file_that_cannot_be_written_is_refused_before(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        check_output(str(tmp_path / name))

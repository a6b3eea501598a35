from zoo.utils.progress import progress


def squares(count):
    return (n * n for n in range(count))


def test_the_bar_tells_its_title_and_how_many_of_all(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert list(progress(squares(3), "reading", 3)) == [0, 1, 4]
    out, err = capsys.readouterr()
    assert out == "" and "reading" in err and "100%" in err


def test_nothing_is_written_where_nobody_looks(capsys):
    assert list(progress(squares(3), "reading")) == [0, 1, 4]
    assert capsys.readouterr() == ("", "")

import shutil

from matplotlib import font_manager

from zoo.evaluation import fonts


def test_another_font_is_used_for_the_signs_that_it_alone_has(monkeypatch):
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    monkeypatch.setattr(
        fonts, "_signs", lambda path: frozenset("ab") if path.endswith("DejaVuSans.ttf") else {"走"}
    )
    families, missing = fonts.fonts_for("ab走る")
    assert families[0] == "DejaVu Sans" and len(families) == 2 and missing == "る"


def test_a_font_that_was_installed_after_matplotlib_made_its_list_is_found(monkeypatch, tmp_path):
    path = str(tmp_path / "new.ttf")
    shutil.copy(font_manager.findfont("DejaVu Serif"), path)
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [e for e in manager.ttflist if "Sans" in e.name][:1])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [path])
    assert ("DejaVu Serif", path) in list(fonts._families(every=True))


def test_signs_that_are_not_drawn_are_not_missing():
    assert fonts.fonts_for("a\n\t\u200d\ufe0f\u00a0") == (["DejaVu Sans"], "")


def test_a_file_that_is_no_font_has_no_signs(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert fonts._signs(str(tmp_path / "broken.ttf")) == frozenset()


def test_words_from_the_right_are_read_from_the_right():
    assert fonts.visual_order(["שלום", "12", "עולם"], "left") == [2, 1, 0]
    assert fonts.visual_order(["a", "12", "שלום"], "left") == [0, 1, 2]
    assert fonts.visual_order([], "right") == []

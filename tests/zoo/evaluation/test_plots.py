from itertools import pairwise

import numpy as np
import pytest

from zoo.evaluation import plots


def _written(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_an_alignment_has_a_row_for_each_token_written():
    weights = np.arange(6).reshape(2, 3) / 6
    figure = plots.alignment_figure(["un", "deux"], ["one", "two", "."], weights)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["one", "two", "."]
    assert axes.yaxis_inverted() and np.allclose(axes.images[0].get_array(), weights)


def test_an_image_is_lit_where_each_word_looked():
    maps = np.zeros((6, 2, 2))
    maps[:, 0, 1] = 1
    figure = plots.attention_over_image(np.full((8, 8, 1), 9), list("abcdef"), maps)
    assert [axes.get_title() for axes in figure.axes] == ["", *"abcdef"]
    lit = figure.axes[1].images[1]
    assert np.allclose(lit.get_array(), maps[0]) and [*lit.get_extent()] == [-0.5, 7.5, 7.5, -0.5]


def test_of_many_classes_the_likeliest_are_drawn():
    probabilities = np.full((3, 20), 0.01)
    probabilities[1, 7] = 0.8
    lines = plots.confidence_figure([str(n) for n in range(20)], probabilities).axes[0].lines
    assert len(lines) == 10 and lines[0].get_label() == "7"


@pytest.mark.parametrize("classes", [3, 40])
def test_a_large_confusion_matrix_has_no_numbers(classes):
    figure = plots.confusion_figure([str(n) for n in range(classes)], np.eye(classes, dtype=int))
    assert len(_written(figure)) == (9 if classes == 3 else 0)


def test_every_picture_can_be_written(tmp_path):
    made = [
        plots.alignment_figure(["日本", "ü"], ["x"], [[1], [0.5]]),
        plots.attention_over_image(np.zeros((4, 4, 3)), ["a"], np.ones((1, 2, 2))),
        plots.confidence_figure(["a"], [[1.0]]),
        plots.confusion_figure(["a", "b"], [[0, 0], [1, 2]]),
        plots.text_figure(["a", "b"], [0, 0.5], "title"),
    ]
    files = {tmp_path / f"{number}.png": figure for number, figure in enumerate(made)}
    plots.write_plots(files)
    assert all(path.stat().st_size > 1000 for path in files)


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (plots.alignment_figure([], ["a", "dog"], np.zeros((0, 2))), "no words"),
        (plots.alignment_figure(["a"], [], np.zeros((1, 0))), "no words"),
        (plots.attention_over_image(np.zeros((4, 4, 1)), [], np.zeros((0, 2, 2))), "no words"),
        (plots.attention_over_image(np.zeros((4, 4, 3)), [], np.zeros((0, 2, 2))), "no words"),
        (plots.confidence_figure(["a", "b"], np.zeros((0, 2))), "no time steps"),
        (plots.text_figure([], [], "no, 50%"), "no, 50%\nno words"),
        (plots.confusion_figure([], np.zeros((0, 0), int)), "no examples"),
        (plots.curves_figure([]), "no epochs"),
    ],
)
def test_nothing_is_drawn_as_a_picture_that_says_so(figure, message, tmp_path):
    assert figure.axes[0].get_title() == message
    plots.write_plots({tmp_path / "nothing.png": figure})
    assert (tmp_path / "nothing.png").stat().st_size > 500


def test_one_line_names_the_signs_that_no_font_has(tmp_path, capsys, recwarn):
    # Of the private use area, in which no font of a language has signs.
    signs = "\uf8f0\uf8f1"
    files = {
        tmp_path / "one.png": plots.alignment_figure([signs[0]], ["x"], [[1]]),
        tmp_path / "two.png": plots.confusion_figure([signs[1], "b"], [[1, 0], [0, 1]]),
    }
    missing = plots.fonts_for(signs)[1]
    plots.write_plots(files)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == bool(missing) and not recwarn.list
    if missing:
        assert lines[0].startswith(f"the plot shows boxes for {', '.join(missing)}: no font")


def _placed(figure):
    """Each word drawn on each line, with where it begins and ends, from the left to the right."""
    axes = figure.axes[0]
    return sorted(
        (ground.get_y(), ground.get_x(), ground.get_x() + ground.get_width(), text.get_text())
        for ground, text in zip(axes.patches, axes.texts)
    )


@pytest.mark.parametrize(
    ("text", "between"),
    [
        ("यह एक बहुत अच्छी फ़िल्म है " * 12, " "),
        ("זה סרט טוב מאוד " * 20, " "),
        ("走る猫を見た" * 30, ""),
        ("wide ＷＩＤＥ narrow il " * 20, " "),
    ],
)
def test_words_of_any_script_are_not_drawn_over_each_other(text, between):
    words = text.split() if between else list(text)
    placed = _placed(plots.text_figure(words, np.ones(len(words)), "title", between))
    assert len({line for line, *_ in placed}) > 1
    for (line, _, end, _), (next_line, begin, *_) in pairwise(placed):
        assert line != next_line or end <= begin + 0.01
    assert all(begin >= -0.01 and end <= 440 for _, begin, end, _ in placed)


def test_a_script_from_the_right_is_placed_from_the_right():
    placed = _placed(plots.text_figure(["שלום", "עולם", "12"], [1, 0, 0], "title"))
    assert [word for *_, word in placed] == ["12", "עולם", "שלום"]
    assert placed[-1][2] == pytest.approx(434, abs=0.1)


def test_a_mark_goes_with_its_letter_and_a_line_break_ends_the_line():
    words = ["न", "\u0947", "a", "\n", "b"]
    figure = plots.text_figure(words, [0.1, 0.4, 0.2, 0.0, 0.1], "title", between="")
    placed = _placed(figure)
    assert [word for *_, word in placed] == ["न\u0947", "a", "b"]
    assert placed[1][0] < placed[2][0] and figure.axes[0].patches[0].get_alpha() == 1

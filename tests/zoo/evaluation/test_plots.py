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


def test_every_picture_can_be_written(tmp_path, recwarn):
    figures = [
        plots.alignment_figure(["日本", "ü"], ["x"], [[1], [0.5]]),
        plots.attention_over_image(np.zeros((4, 4, 3)), ["a"], np.ones((1, 2, 2))),
        plots.confidence_figure(["a"], [[1.0]]),
        plots.confusion_figure(["a", "b"], [[0, 0], [1, 2]]),
    ]
    for number, figure in enumerate(figures):
        figure.savefig(tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 1000

"""Paintings as files: pixels, and strokes that stay sharp."""

from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from zoo.errors import UserError
from zoo.evaluation.paintings import Paintings, check_ending, svg_sheet, write_paintings

ONE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3" width="64" height="48">'
    '<path d="M1 1Q2 2 3 3"/></svg>'
)
CANVASES = np.random.default_rng(0).uniform(size=(3, 4, 3, 4, 1))


def test_the_ending_says_what_is_written(tmp_path):
    for name in ("a.svg", "a.PNG", "deep/er/a.gif"):
        path = tmp_path / name
        check_ending(path)
        assert write_paintings(path, Paintings(CANVASES, [ONE] * 3)) == path
    assert Image.open(tmp_path / "deep" / "er" / "a.gif").n_frames == 4
    assert Image.open(tmp_path / "a.PNG").mode == "L"
    with pytest.raises(UserError, match=r"\.png or \.gif, or \.svg of a model that paints"):
        check_ending(tmp_path / "a.pdf")
    with pytest.raises(UserError, match="paints pixels and no strokes"):
        write_paintings(tmp_path / "b.svg", Paintings(CANVASES))


def test_one_drawing_is_left_as_it_is_and_several_lie_apart(tmp_path):
    write_paintings(tmp_path / "one.svg", Paintings(CANVASES[:1], [ONE]))
    assert (tmp_path / "one.svg").read_text() == ONE
    whole = ElementTree.fromstring(svg_sheet([ONE] * 5))
    name = "{http://www.w3.org/2000/svg}svg"
    corners = [
        (int(each.attrib["x"]), int(each.attrib["y"]))
        for each in whole.iter(name)
        if each is not whole
    ]
    assert len({*corners}) == 5
    wide, high = (int(whole.attrib[side]) for side in ("width", "height"))
    assert all(x + 64 < wide and y + 48 < high for x, y in corners)
    assert len([*whole.iter("{http://www.w3.org/2000/svg}path")]) == 5

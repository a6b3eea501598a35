import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from zoo.readers.modality import modality
from zoo.utils import html

EVIL = '"><script>alert("1")</script>'


@pytest.mark.parametrize(
    "made",
    [
        html.element("p", title=EVIL),
        html.image(b"", "png", EVIL),
        html.lines(np.zeros((2, 1)), EVIL),
        html.table([EVIL], [[EVIL, EVIL]], EVIL),
        html.coloured([(EVIL, EVIL), (EVIL, "")]),
        html.alignment([EVIL], [EVIL], [[0.5]]),
        modality("text").show(EVIL),
    ],
)
def test_no_text_becomes_an_element(made):
    assert "<script" not in made and 'title="">' not in made and 'alt="">' not in made


def test_a_clip_moves():
    frames = np.random.default_rng(1).integers(0, 255, (4, 8, 8, 1)).astype("uint8")
    data = html.animation(frames, "a clip").partition("base64,")[2].partition('"')[0]
    gif = Image.open(io.BytesIO(b64decode(data)))
    assert gif.n_frames == 4 and gif.size == (128, 128)


def test_each_label_has_one_colour_and_is_named():
    text = html.coloured([("a", "x"), ("b", "y"), ("c", "x")])
    assert text.count('class="label0" title="x"') == 2 and 'class="label1" title="y"' in text


def test_a_modality_shows_what_it_is_given():
    picture = io.BytesIO()
    Image.new("RGB", (900, 30), "red").save(picture, "png")
    shown = modality("image").show(picture.getvalue())
    data = shown.partition("base64,")[2].partition('"')[0]
    assert Image.open(io.BytesIO(b64decode(data))).size == (512, 17) and "alt=" in shown
    assert modality("sequence").show(np.zeros((5, 3))).count("<polyline") == 3
    assert "image/gif" in modality("video").show(np.zeros((3, 4, 4, 3), "uint8"))


def test_the_map_of_a_word_is_as_large_as_its_grid_and_clearest_where_it_weighs_most():
    maps = np.array([[[0.0, 0.5], [0.25, 0.25], [0.0, 0.0]]])
    shown = html.looked('<img alt="it">', 2.0, ["cat"], maps)
    (encoded,) = re.findall(r'base64,([^"]*)"', shown)
    picture = Image.open(io.BytesIO(b64decode(encoded)))
    alpha = np.asarray(picture)[..., 3]
    assert picture.size == (2, 3) and alpha[0, 1] == alpha.max()
    assert alpha[1, 0] == alpha[1, 1] == round(int(alpha.max()) / 2) and not alpha[2].any()
    assert "--form:2.0000" in shown and 'tabindex="0"' in shown
    assert html.looked('<img alt="it">', 2.0, [], np.zeros((0, 2, 2))) == '<img alt="it">'

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from zoo.errors import UserError
from zoo.readers import images
from zoo.readers.images import read_picture
from zoo.readers.modality import modality

RED = (200, 30, 40)


def encoded(picture, kind="png", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def colour(data, place=(0, 0), mode="RGB"):
    picture = read_picture(data, "a picture")
    assert picture.mode == mode
    return np.array(picture.getpixel(place))


def palette_with_a_hole():
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, *RED])
    picture.putpixel((0, 0), 0)
    return encoded(picture, transparency=0)


def animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, "blue")]
    return encoded(frames[0], "gif", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("data", "place", "expected"),
    [
        (encoded(Image.new("RGB", (8, 8), RED)), (0, 0), RED),
        (encoded(Image.new("RGB", (8, 8), RED).convert("CMYK"), "jpeg"), (4, 4), RED),
        (encoded(Image.new("RGBA", (8, 8), (*RED, 255))), (0, 0), RED),
        (encoded(Image.new("RGBA", (8, 8), (*RED, 0))), (0, 0), (255, 255, 255)),
        (encoded(Image.new("LA", (8, 8), (0, 128))), (0, 0), (127, 127, 127)),
        (palette_with_a_hole(), (0, 0), (255, 255, 255)),
        (palette_with_a_hole(), (1, 1), RED),
        (animation(), (0, 0), RED),
    ],
    ids=["rgb", "cmyk", "rgba", "clear", "half", "hole", "palette", "gif"],
)
def test_colours_are_what_a_person_sees(data, place, expected):
    assert np.abs(colour(data, place) - expected).max() <= 4


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (Image.new("L", (4, 4), 100), "png"),
        (Image.fromarray(np.full((4, 4), 100 * 257, "uint16")), "png"),
        (Image.fromarray(np.full((4, 4), 100 * 257, "int32")), "tiff"),
        (Image.fromarray(np.full((4, 4), 100 / 255, "float32")), "tiff"),
        (Image.fromarray(np.full((4, 4), 100, "float32")), "tiff"),
    ],
)
def test_grey_of_any_depth_is_grey_of_eight_bits(picture, kind):
    assert colour(encoded(picture, kind), mode="L") == 100


def with_range(values, **tags):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in tags.items():
        info[int(name[1:])] = value
    return encoded(Image.fromarray(values), "tiff", tiffinfo=info)


def test_grey_is_scaled_by_the_range_that_its_file_says():
    steps = np.array([[0, 1000, 2000, 4000]] * 2)
    twelve = with_range(steps.astype("uint16"), t281=4000)
    assert np.asarray(read_picture(twelve, "a.tif"))[0].tolist() == [0, 64, 128, 255]
    real = with_range((steps / 1000 - 2).astype("float32"), t340=-2.0, t341=2.0)
    assert np.asarray(read_picture(real, "a.tif"))[0].tolist() == [0, 64, 128, 255]


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (np.full((4, 4), 4095, "uint16"), "png", "values are from 4095 to 4095, where 16 bits"),
        (np.full((4, 4), 200, "uint16"), "tiff", "from 200 to 200, where 16 bits"),
        (np.full((4, 4), 1e6, "int32"), "tiff", "to 1e.06, where 16 bits, 0 to 65535 are needed"),
        (np.full((4, 4), 4.5, "float32"), "tiff", "to 4.5, where real numbers, 0 to 1 or 0 to 255"),
        (np.full((4, 4), -1, "float32"), "tiff", "from -1 to -1, where real numbers"),
    ],
)
def test_grey_of_a_range_that_is_not_known_is_refused(values, kind, message):
    with pytest.raises(UserError, match=rf"a.png is not an image that can be read: .*{message}"):
        read_picture(encoded(Image.fromarray(values), kind), "a.png")


def test_black_is_black_at_any_depth():
    for values in (np.zeros((4, 4), "uint16"), np.zeros((4, 4), "float32")):
        assert colour(encoded(Image.fromarray(values), "tiff"), mode="L") == 0


def test_a_picture_taken_upright_is_upright():
    picture = Image.new("RGB", (16, 8), "white")
    picture.paste(RED, (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right: what is on the left comes to the top
    turned = read_picture(encoded(picture, "jpeg", exif=exif, quality=95), "phone.jpg")
    assert turned.size == (8, 16)
    assert np.abs(np.array(turned.getpixel((4, 2))) - RED).max() < 12


def test_a_large_jpeg_is_decoded_smaller_but_not_too_small():
    data = encoded(Image.new("RGB", (1600, 1200), RED), "jpeg")
    assert read_picture(data, "a.jpg", side=200).size == (400, 300)
    assert read_picture(data, "a.jpg").size == (1600, 1200)


def damaged(kind):
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype="uint8")
    return encoded(Image.fromarray(noise), kind)[:900]


@pytest.mark.parametrize("data", [b"no picture", b"\x89PNG\r\n", damaged("jpeg"), damaged("png")])
def test_what_is_no_picture_is_named_in_one_line(data, tmp_path):
    path = tmp_path / "bad.jpg"
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"^\S+bad.jpg is not an image that can be read: .+$"):
        modality("image").read(str(path))


def test_a_huge_picture_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(images, "MOST_PIXELS", 99)
    with pytest.raises(UserError, match=r"huge.png is too large: 10x10 pixels"):
        read_picture(encoded(Image.new("L", (10, 10))), "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    with pytest.raises(UserError, match=r"huge.png is too large: .*decompression bomb"):
        read_picture(encoded(Image.new("L", (10, 10))), "huge.png")


def test_predict_takes_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (16, 8)).save(tmp_path / "phone.jpg", exif=exif)
    png = Image.open(io.BytesIO(modality("image").read(str(tmp_path / "phone.jpg"))))
    assert png.size == (8, 16)

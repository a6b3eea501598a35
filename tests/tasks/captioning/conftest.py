import io

import pytest
from PIL import Image

COLOURS = {"red": (220, 30, 40), "green": (30, 200, 60), "blue": (40, 60, 230)}


def jpeg(colour, size=(48, 32), kind="jpeg", **options):
    """A picture of one colour, as a file's bytes."""
    file = io.BytesIO()
    Image.new("RGB", size, COLOURS[colour]).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def photos():
    """Writes `count` different images of one colour each; gives two captions of each, by name."""

    def write(folder, count=12, prefix="photo"):
        folder.mkdir(parents=True, exist_ok=True)
        captions = {}
        for index in range(count):
            colour = [*COLOURS][index % 3]
            name = f"{prefix}{index}.jpg"
            (folder / name).write_bytes(jpeg(colour, comment=name))
            captions[name] = [f"A {colour} picture, number {index}.", f"All of it is {colour}"]
        return captions

    return write


@pytest.fixture
def kaggle(tmp_path, photos):
    """A folder in the form of Flickr8k on Kaggle, and its captions."""
    return write_kaggle(tmp_path / "flickr", photos)


@pytest.fixture(scope="module")
def shared_kaggle(tmp_path_factory, photos):
    """The same for all tests of a module, which leave it as it is."""
    return write_kaggle(tmp_path_factory.mktemp("shared") / "flickr", photos)


def write_kaggle(folder, photos):
    captions = photos(folder / "Images")
    lines = [f'{name},"{text}"' for name, texts in captions.items() for text in texts]
    (folder / "captions.txt").write_text("\n".join(["image,caption", *lines]), encoding="utf-8")
    return folder, captions

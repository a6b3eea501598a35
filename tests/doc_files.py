"""Small files of the kinds that README.md and docs/ name, under the names that they have there."""

import csv
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
PARTS = {"train": 40, "validation": 10, "test": 10}


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _sentences(count, seed=0):
    """Return sentences, one a line."""
    random = np.random.default_rng(seed)
    who, did = ["a dog", "the cat", "one man", "Anna"], ["sees", "hears", "likes"]
    return [
        f"{random.choice(who)} {random.choice(did)} {random.choice(who)} ." for _ in range(count)
    ]


def pairs(path):
    """A folder of sentence pairs, a file for each language and part."""
    for part, count in PARTS.items():
        lines = _sentences(count, len(part))
        _write(path / f"en.{part}.txt", "\n".join(lines) + "\n")
        _write(path / f"de.{part}.txt", "\n".join(line.upper() for line in lines) + "\n")


def captions(path):
    """Pictures and captions in the form of Flickr8k on Kaggle."""
    lines = ["image,caption"]
    for n in range(24):
        colour = n % 3
        pixels = np.zeros((24, 24, 3), "uint8")
        pixels[..., colour] = 100 + 6 * n
        file = path / "Images" / f"{n}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
        name = ["red", "green", "blue"][colour]
        lines += [f"{n}.jpg,A {name} picture .", f"{n}.jpg,All of it is {name} ."]
    _write(path / "captions.txt", "\n".join(lines))


def _picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    ink = np.random.default_rng(seed).random((16, 16)) > 0.7
    Image.fromarray((ink * 255).astype("uint8")).save(path)


def pictures(path):
    """A folder of black and white pictures for each of two classes."""
    shutil.rmtree(path, ignore_errors=True)
    for seed in range(30):
        _picture(path / "ab"[seed % 2] / f"{seed}.png", seed)


def labelled_pictures(path):
    """A table of pictures and the labels that each has, in order."""
    lines = ["picture,labels"]
    for seed in range(30):
        _picture(path.parent / f"{seed}.png", seed)
        lines.append(f"{seed}.png,{seed % 3} {seed % 2}")
    _write(path, "\n".join(lines))


def reviews(path):
    """A table of texts and their classes."""
    rows = [
        (f"the {what} is {how} {n}", "good" if how == "fine" else "bad")
        for n in range(8)
        for what in ("soup", "fish", "cake")
        for how in ("fine", "stale")
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def names(path):
    """A table of surnames of two languages, each another one."""
    endings = {"Russian": ("ov", "in", "sky"), "Italian": ("ini", "etti", "ucci")}
    rows = [
        f"{first}{middle}{ending}\t{language}"
        for language, those in endings.items()
        for first in ("Mar", "Pol", "Ver", "Kor")
        for middle in ("an", "el", "os")
        for ending in those
    ]
    path.write_text("\n".join(["text\tlabel", *rows]), encoding="utf-8")


def sentiments(path):
    """A table of texts for each part."""
    for part, count in PARTS.items():
        rows = [f"{text} {n}\t{n % 2}" for n, text in enumerate(_sentences(count))]
        _write(path / f"{part}.tsv", "\n".join(["text\tlabel", *rows]) + "\n")


def entities(path):
    """Files of four columns, as those of CoNLL-2003."""
    for part, count in (("train", 40), ("valid", 10), ("test", 10)):
        lines = []
        for sentence in _sentences(count, len(part)):
            for word in sentence.split():
                tag = "B-PER" if word == "Anna" else "O"
                lines.append(f"{word} NN I-NP {tag}")
            lines.append("")
        _write(path / f"{part}.txt", "\n".join(["-DOCSTART- -X- -X- O", "", *lines]))


def universal(path):
    """Files of ten columns, as those of Universal Dependencies."""
    for part, count in (("train", 40), ("dev", 10), ("test", 10)):
        lines = []
        for sentence in _sentences(count, len(part)):
            for n, word in enumerate(sentence.split(), 1):
                tag = "PUNCT" if word == "." else "X"
                lines.append(f"{n}\t{word}\t{word}\t{tag}\t_\t_\t0\troot\t_\t_")
            lines.append("")
        _write(path / f"en_toy-ud-{part}.conllu", "\n".join(lines) + "\n")


def _tokens(path, files):
    for name, count in zip(files, PARTS.values()):
        _write(path / name, "\n".join(_sentences(20 * count, count)) + "\n")


def _series(count, seed=0):
    random = np.random.default_rng(seed)
    return 10 + 3 * np.sin(np.arange(count) * 2 * np.pi / 7) + random.normal(0, 0.3, count)


def sales(path):
    """A series of days."""
    start = datetime(2022, 1, 1)
    rows = [
        f"{start + timedelta(days=n):%Y-%m-%d},{value:.2f}" for n, value in enumerate(_series(500))
    ]
    _write(path, "\n".join(["date,sales", *rows]) + "\n")


def sensor(path):
    """Some more days."""
    start = datetime(2023, 6, 1)
    rows = [
        f"{start + timedelta(days=n):%Y-%m-%d},{value:.2f}" for n, value in enumerate(_series(20))
    ]
    _write(path, "\n".join(rows) + "\n")


def transformer(path):
    """Seven columns of as many hours as the months of the published split hold."""
    start, values = datetime(2016, 7, 1), np.random.default_rng(0).normal(size=(14_400, 7))
    values = values.round(2).tolist()
    rows = [
        f"{start + timedelta(hours=n)},{','.join(map(str, row))}" for n, row in enumerate(values)
    ]
    _write(path, "\n".join(["date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT", *rows]) + "\n")


def _competition(path, name, horizon):
    """The files of one frequency of M4: a series a line."""
    for part, length in (("train", 20 * horizon), ("test", horizon)):
        columns = ",".join(f'"V{n + 1}"' for n in range(length + 1))
        rows = [
            f'"{name[0]}{n}",{",".join(map(str, _series(length, n).round(2)))}' for n in range(4)
        ]
        _write(path / f"{name}-{part}.csv", "\n".join([columns, *rows]) + "\n")


def keras_model(path):
    """A model with a layer of Keras."""
    import keras

    layers = [keras.Input((None, 3)), keras.layers.LSTM(4), keras.layers.Dense(1)]
    keras.Sequential(layers).save(path)


def _copy(name):
    """Return what copies a file of the project."""
    return lambda path: shutil.copy(ROOT / name, path)


MAKERS = {
    "multi30k/": pairs,
    "Flickr8k/": captions,
    "my-pictures/": pictures,
    "my-pictures/index.csv": labelled_pictures,
    "reviews.csv": reviews,
    "names.tsv": names,
    "sst2/": sentiments,
    "conll2003/": entities,
    "ud-english-ewt/": universal,
    "my-notes/": lambda path: _tokens(path, ["spring.txt", "summer.txt", "autumn.txt"]),
    "wikitext-2/train.txt": lambda path: _tokens(
        path.parent, ["train.txt", "validation.txt", "test.txt"]
    ),
    "ptb/ptb.train.txt": lambda path: _tokens(
        path.parent, ["ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"]
    ),
    "sales.csv": sales,
    "sensor.csv": sensor,
    "ETT/ETTh2.csv": transformer,
    "M4/weekly": lambda path: _competition(path, "Weekly", 13),
    "M4/hourly": lambda path: _competition(path, "Hourly", 48),
    "my-pairs/": pairs,
    "lstm.pt": _copy("tests/fixtures/torch_files/lstm.pt"),
    "old.keras": keras_model,
    "picture.png": _copy("saved_models/dram-pairs/examples/1.png"),
    "seven.png": _copy("saved_models/spiral-digits/examples/1.png"),
}
"""By the name in the pages, what writes it at a path."""

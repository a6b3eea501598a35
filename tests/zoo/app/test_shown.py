"""A model on the page answers as `zoo.predict` does, and tells nothing of the machine."""

import json
from pathlib import Path

import pytest

import zoo
from zoo.app.shown import LONGEST_TEXT, Shown
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError


@pytest.fixture(scope="module")
def digits():
    return Shown("digits-mlp")


def test_a_picture_is_answered_as_predict_answers_it(digits):
    about = digits.about()
    assert (about["name"], about["input"], about["writes"]) == ("digits-mlp", "image", False)
    name, content = digits.example(0)
    assert digits.answer(content, name) == zoo.predict("digits-mlp", content)[0]


def test_errors_name_no_path(digits):
    for raw, name in ((b"no picture", "a.png"), (b"", "../../etc/passwd"), (b"x", "a." + "b" * 99)):
        with pytest.raises(UserError) as told:
            digits.answer(raw, name)
        assert "the file" in str(told.value) and "/" not in str(told.value)
    with pytest.raises(UserError, match="no example 99"):
        digits.example(99)


@pytest.mark.slow
def test_a_text_that_names_a_file_is_a_text(tmp_path):
    (tmp_path / "secret.txt").write_text("de enero y de febrero, también")
    model = Shown("text-lstm")
    path = str(tmp_path / "secret.txt")
    assert model.answer(path.encode()) != zoo.predict("text-lstm", Path(path))[0]


@pytest.mark.slow
def test_what_is_written_is_what_generate_writes():
    model, options = Shown("char-lstm"), {"length": 20, "temperature": 0.9, "seed": 5}
    sampling = SamplingOptions(**options)
    lines = list(model.write("The fun", sampling))
    tokens = [json.loads(line) for line in lines]
    written = "".join(zoo.generate("char-lstm", "The fun", **options))
    assert "".join(token["text"] for token in tokens) == written
    assert [token["added"] for token in tokens] == [False] * 7 + [True] * 20
    assert all(0 < sum(share for _, share in token["likely"]) <= 1.001 for token in tokens)
    with pytest.raises(UserError, match="at most"):
        next(model.write("", SamplingOptions(length=LONGEST_TEXT + 1)))

"""`zoo stream`: what comes piece by piece is answered as if it had come as a whole."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import zoo as public
from tasks.adding.task import Adding
from tasks.common.images import encode_png
from tasks.image_classification.task import ImageClassification
from tasks.language_modelling.task import LanguageModelling
from tasks.tagging.task import Tagging
from tasks.text_classification.task import TextClassification
from tasks.video_classification.task import VideoClassification
from zoo import UserError
from zoo.api.stream import Stream, open_stream
from zoo.exporting.endpoints import numeric_endpoints
from zoo.exporting.formats.saved_model import load_saved_model
from zoo.readers import video
from zoo.readers.modality import modality
from zoo.readers.numbers import number_pieces
from zoo.readers.text import text_pieces

PROGRAM = 'def f(x):\n\treturn "ä\n" + 10  # zehn\n'


def small(name, task, **options):
    """The endpoints of a small model that was never trained."""
    model = public.create(name, units=8, **task.model_options(), **options)
    return SimpleNamespace(**task.endpoints(model), **numeric_endpoints(model, task.prepared))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("streaming")


@pytest.fixture(scope="module")
def tagger(folder, export_small):
    task = Tagging(characters=sorted(set(PROGRAM)), delay=3)
    return export_small("highlight-gru", task, folder, units=8)


WORDS = ["The", "cat", "sat", "on", "the", "mat", "dog", "red", "br"]


@pytest.fixture(scope="module")
def writing():
    return LanguageModelling(unit="word", tokens=WORDS)


@pytest.fixture(scope="module")
def writer(writing):
    return small("word-lstm", writing, layers=1, embedding=8)


@pytest.fixture(scope="module")
def reader():
    task = TextClassification(tokens=["cat", "dog", "red", "<br />"], classes=["a", "b"])
    return small("text-lstm", task, embedding=8)


@pytest.fixture(scope="module")
def watcher(folder, export_small):
    task = VideoClassification(classes=["dark", "light"], frame_shape=[16, 16, 3])
    return export_small("video-gru", task, folder, units=8)


@pytest.fixture(scope="module")
def sensor():
    sizes = {"frame_shape": [2], "mean": [1.0, 2.0], "deviation": [1.0, 3.0]}
    return small("sequence-gru", VideoClassification(classes=["a", "b"], **sizes))


@pytest.fixture(scope="module")
def adder():
    return small("adding-lstm", Adding())


@pytest.fixture(scope="module")
def rows():
    task = ImageClassification(classes=["a", "b"], image_shape=[8, 8, 1], sequence="rows")
    return small("rows-lstm", task)


def whole(endpoints, raw):
    """What `serve` answers to the whole."""
    return {key: value.numpy()[0] for key, value in endpoints.serve(tf.constant(raw)).items()}


@pytest.mark.parametrize("cut", [1, 7])
def test_each_character_has_the_class_that_the_whole_gives_it(tagger, cut):
    pieces = [PROGRAM[at : at + cut] for at in range(0, len(PROGRAM), cut)]
    told = list(open_stream(tagger).predict(pieces))
    assert "".join(row["input"] for row in told) == PROGRAM
    assert [row["step"] for row in told] == list(range(1, len(PROGRAM) + 1))
    classes = [name.decode() for name in whole(load_saved_model(tagger)[0], [PROGRAM])["classes"]]
    assert [row["text"] for row in told] == classes
    assert all(0 < row["probability"] <= 1 for row in told)


def test_what_is_printed_of_a_tagger_is_what_predict_prints(zoo, tagger, tmp_path, readings):
    (tmp_path / "program.py").write_text(PROGRAM)
    code, out, err = zoo("stream", tagger, "--input", tmp_path / "program.py")
    assert readings.count("zoo.json") == 1
    assert (code, err) == (0, "")
    assert out == public.predict(tagger, PROGRAM)[0]["text"] + "\n"


def test_a_class_is_told_when_the_delay_is_over_and_not_later(tagger):
    asked = []

    def pieces():
        for character in "abcdef":
            asked.append(character)
            yield character

    told = open_stream(tagger).predict(pieces())
    assert next(told)["input"] == "a" and len(asked) == 4
    assert next(told)["input"] == "b" and len(asked) == 5


def test_watched_steps_are_those_of_the_stream_each_with_the_state_after_it(writer, tagger):
    pieces = ["The c", "at sa", "t ", "on the"]
    steps = list(Stream(writer).watch(pieces))
    rows = [{"step": n, **step.answer} for n, step in enumerate(steps, 1)]
    assert rows == list(Stream(writer).predict(pieces))
    assert [step.reads for step in steps] == ["The", "cat", "sat", "on", "the"]
    ids = [[2, *(int(step.x) for step in steps)]]
    _, after = writer.forward(tf.constant(ids), writer.initial_state(1))
    for part, whole in zip(steps[-1].state, after, strict=True):
        np.testing.assert_allclose(part, whole[0], atol=1e-6)
    # Of a delay: a class is told three characters after its own was read.
    late = list(open_stream(tagger).watch(["abcde"]))
    assert [step.reads for step in late] == [*"abcde", "", "", ""]
    assert [step.answer.get("input") for step in late] == [None] * 3 + [*"abcde"]


def test_the_next_word_is_what_the_model_says_after_the_words_so_far(writer, writing):
    told = list(Stream(writer).predict(["The c", "at sa", "t ", "on the"]))
    assert [row["input"] for row in told] == ["The", "cat", "sat", "on", "the"]
    start, ids = [[2]], writing.vocabulary.encode(["The cat sat on the"]).to_tensor()
    logits, _ = writer.forward(tf.concat([start, ids], axis=1), writer.initial_state(1))
    chances = tf.nn.softmax(logits[0, 1:]).numpy()[:, 4:]
    assert [row["text"] for row in told] == [WORDS[n] for n in chances.argmax(axis=1)]
    np.testing.assert_allclose([row["probability"] for row in told], chances.max(axis=1), rtol=1e-4)
    assert all(row["next"][0] == row["text"] and len(row["next"]) == 5 for row in told)


def test_the_probabilities_are_those_of_the_whole_vocabulary(writer):
    logits = np.random.default_rng(1).normal(size=(2, 4 + len(WORDS))).astype("float32")
    told = writer.tell(logits)
    chances = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))[:, 4:]
    best = np.sort(chances, axis=1)[:, :-6:-1]
    np.testing.assert_allclose(told["probabilities"], best, rtol=1e-5)
    np.testing.assert_allclose(told["probability"], best[:, 0], rtol=1e-5)
    assert told["text"].numpy()[0].decode() == WORDS[chances[0].argmax()]


def test_a_word_that_never_ends_does_not_fill_the_memory(writer):
    told = Stream(writer).predict("x" * 1000 for _ in range(25))
    assert max(len(row["input"]) for row in told) < 12_000


@pytest.mark.parametrize("cut", [1, 5])
def test_a_text_is_of_the_class_that_the_whole_has(reader, cut):
    text = "cat <br /> dog\nred cat"
    pieces = [text[at : at + cut] for at in range(0, len(text), cut)]
    told = list(Stream(reader).predict(pieces))
    assert [row["input"] for row in told] == ["cat", "<br />", "dog", "red", "cat"]
    assert told[-1]["probability"] == pytest.approx(whole(reader, [text])["probability"], rel=1e-5)
    first = whole(reader, ["cat <br />"])
    assert told[1]["probability"] == pytest.approx(first["probability"], rel=1e-5)


@pytest.mark.slow
def test_frames_of_a_file_are_told_one_by_one(zoo, watcher, write_video, tmp_path):
    path = write_video(tmp_path / "clip.mp4", [0, 30, 60, 200, 230])
    code, out, _ = zoo("stream", watcher, "--input", path, "--json")
    told = [json.loads(line) for line in out.splitlines()]
    loaded, said = load_saved_model(watcher)
    clip = modality("video").read(path, **said["options"])
    confidence = whole(loaded, clip[None])["confidence"]
    assert code == 0 and [row["step"] for row in told] == [1, 2, 3, 4, 5]
    chances = [row["probability"] for row in told]
    np.testing.assert_allclose(chances, confidence.max(axis=1), rtol=1e-4)
    _, out, _ = zoo("stream", watcher, "--input", path)
    assert [line.split()[:2] for line in out.splitlines()][2] == ["frame", "3"]


@pytest.mark.slow
def test_a_camera_is_read_frame_by_frame(watcher, write_video, tmp_path, monkeypatch):
    # No camera is here: a file is opened in the same way, by the name of its format.
    monkeypatch.setattr(video, "_CAMERA", "mp4")
    path = write_video(tmp_path / "clip.mp4", [0, 30, 60])
    pieces = list(modality("video").camera(str(path), frame_size=[8, 8]))
    assert [piece.shape for piece in pieces] == [(1, 8, 8, 3)] * 3
    assert len(list(open_stream(watcher).predict(pieces))) == 3
    with pytest.raises(UserError, match="no camera"):
        modality("video").camera("/dev/no-video")


def test_pieces_of_nothing_are_told_nothing_of(sensor, reader):
    none, row = np.zeros((0, 2), "float32"), np.ones((1, 2), "float32")
    assert list(Stream(sensor).predict([none])) == []
    assert [told["step"] for told in Stream(sensor).predict([none, row, none])] == [1]
    assert list(Stream(reader).predict(["", " ", ""])) == []


@pytest.mark.slow
def test_lines_of_numbers_are_time_steps(sensor):
    lines = text_pieces(io.BytesIO(b"x;y\n0,5;1\n\n2;3\n4;5"))
    told = list(Stream(sensor).predict(number_pieces(lines, "here")))
    confidence = whole(sensor, np.float32([[[0.5, 1], [2, 3], [4, 5]]]))["confidence"]
    assert len(told) == 3
    chances = [row["probability"] for row in told]
    np.testing.assert_allclose(chances, confidence.max(axis=1), rtol=1e-4)


def test_the_sum_so_far_is_told_after_each_number(adder):
    rows = np.float32([[0.5, 1], [0.2, 0], [0.3, 1]])
    told = list(Stream(adder).predict([rows[:1], rows[1:]]))
    for count, row in enumerate(told, 1):
        assert row["value"] == pytest.approx(whole(adder, rows[None, :count])["value"], abs=1e-5)


def test_an_image_is_read_row_by_row(rows, tmp_path):
    pixels = np.arange(64, dtype="uint8").reshape(8, 8, 1)
    (tmp_path / "picture.png").write_bytes(encode_png(pixels))
    pieces = modality("image").pieces(tmp_path / "picture.png")
    told = list(Stream(rows).predict(pieces))
    last = whole(rows, [encode_png(pixels)])["probability"]
    assert len(told) == 8 and told[-1]["probability"] == pytest.approx(last, rel=1e-5)


def test_bytes_are_decoded_across_pieces_and_a_wrong_one_is_replaced():
    class Slow(io.BytesIO):
        def read1(self, size):
            return super().read1(1)

    pieces = list(text_pieces(Slow("\ufeffä€😀\r\n".encode() + b"\xff.\xe2\x82")))
    assert "".join(pieces) == "ä€😀\n\ufffd.\ufffd"
    assert all(pieces)


def test_a_pipe_that_stays_open_is_answered_at_once(tagger):
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:
        told = open_stream(tagger).predict(text_pieces(pipe))
        os.write(writing, b"abcde\xc3")
        timer = threading.Timer(60, os.close, [writing])
        timer.start()
        # Three characters of delay: the others must not wait for the end.
        assert [next(told)["input"] for _ in range(2)] == ["a", "b"]
        os.write(writing, b"\xa4")
        assert next(told)["input"] == "c"
        assert timer.is_alive()
        timer.cancel()
        os.close(writing)
        assert [row["input"] for row in told] == ["d", "e", "ä"]


def test_numbers_come_in_pieces_that_are_cut_anywhere():
    pieces = list(number_pieces(["1 2", "\n3 ", "4\n5 6\n7", " 8"], "here"))
    assert [rows.tolist() for rows in pieces] == [[[1, 2]], [[3, 4], [5, 6]], [[7, 8]]]
    with pytest.raises(UserError, match="line 2 has 'x'"):
        list(number_pieces(["1 2\nx 4\n"], "here"))


def test_numbers_of_another_width_are_refused(sensor):
    with pytest.raises(UserError, match=r"shape \[3\], but the model takes \[2\]"):
        list(Stream(sensor).predict([np.zeros((1, 3), "float32")]))


def last_value():
    """Endpoints that forecast the last value, give or take 1; less the first value, inside."""
    sizes = tf.TensorSpec([1, None, 2], tf.float64), tf.TensorSpec([1], tf.float64)
    state = [tf.TensorSpec([None, 1], tf.float32)]
    outputs = tf.TensorSpec([None, 1, 3], tf.float32), tf.TensorSpec([None, 1], tf.float32)

    @tf.function(input_signature=sizes)
    def read(steps, origin):
        value = steps[0, :, 1]
        first = tf.boolean_mask(value, value == value)[:1]
        origin = tf.where(tf.math.is_nan(origin), tf.concat([first, origin], 0)[:1], origin)
        return {"x": tf.cast((value - origin)[:, None], tf.float32), "origin": origin}

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32), state])
    def step(x, state):
        x = tf.where(tf.math.is_nan(x), state[0], x)
        return x[:, None] + [-1.0, 0.0, 1.0], [x]

    @tf.function(input_signature=[*outputs, sizes[1]])
    def tell(outputs, x, origin):
        fan = tf.cast(outputs, tf.float64)[:, 0] + origin
        return {"from": fan[:-1, 1], "to": fan[1:, 1], "miss": x[1:, 0] - outputs[:-1, 0, 1]}

    start = tf.function(
        lambda size: [tf.zeros([1, 1])], input_signature=[tf.TensorSpec([], tf.int32)]
    )
    return SimpleNamespace(read=read, step=step, tell=tell, initial_state=start)


@pytest.mark.parametrize("cut", [1, 2, 6])
def test_each_value_of_a_series_is_held_against_the_forecast_before_it(cut):
    # Of float32 nothing would be left behind the point.
    level = 1e9
    values = level + np.array([np.nan, 0.5, 2.0, np.nan, -1.0, 0.25])
    steps = np.stack([np.full(6, np.nan), values], axis=1)
    rows = list(Stream(last_value()).predict(steps[at : at + cut] for at in range(0, 6, cut)))
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    ahead = [row["to"] for row in rows]
    assert ahead[1:] == [level + each for each in (0.5, 2, 2, -1, 0.25)]
    assert [row["from"] for row in rows][2:] == ahead[1:-1] and rows[0]["from"] is None
    assert [row["miss"] for row in rows] == [None, 0.0, 1.5, None, -3.0, 1.25]


def test_a_file_that_is_missing(zoo, watcher, tagger, tmp_path):
    for model, kind in ((watcher, "video"), (tagger, "text")):
        code, out, err = zoo("stream", model, "--input", tmp_path / "none")
        assert (code, out) == (2, "") and f"none: --input takes the path of a {kind} file" in err


def refused(answer, *said):
    code, out, err = answer
    assert code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1
    for words in said:
        assert words in err


def test_what_cannot_be_streamed_to_is_told_in_a_line(zoo, run, export, tagger, watcher, tmp_path):
    refused(zoo("stream", export), "digits-mlp", "no time steps")
    refused(zoo("stream", run.path), "zoo export")
    refused(zoo("stream", "highlight-gruu"), "highlight-gru")
    refused(zoo("stream", watcher), "--input FILE or --camera DEVICE")
    refused(zoo("stream", tagger, "--camera", "/dev/video0"), "takes text")
    refused(zoo("stream", watcher, "--input", "x", "--camera", "y"), "exclude")
    (tmp_path / "text.mp4").write_text("no video")
    refused(zoo("stream", watcher, "--input", tmp_path / "text.mp4"), "not a video")


@pytest.mark.slow
def test_control_c_ends_it_quietly(tagger):
    command = "from zoo import cli; cli.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "stream", str(tagger)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdin.write(b"if x:\n  y\n")
    process.stdin.flush()
    assert process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, b"")

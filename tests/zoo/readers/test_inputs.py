import gzip

import numpy as np
import pytest
from PIL import Image

from zoo import UserError
from zoo.readers import inputs, text
from zoo.readers.inputs import read_beginning, read_clip_parts, read_input
from zoo.readers.streams import file_pieces
from zoo.readers.text import read_pieces, read_text_file


def test_text_is_itself_or_a_utf8_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("naïve café", encoding="utf-8")
    assert read_input("text", "a prompt. with/slashes") == "a prompt. with/slashes"
    assert read_input("text", str(path)) == "naïve café"


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no file"), (b"", "empty"), (b"caf\xe9 \xff", "UTF-8")]
)
def test_text_files_that_cannot_be_read(tmp_path, content, said):
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_input("text", str(path))


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "words.txt").write_bytes(b"\xef\xbb\xbfwords")
    assert read_input("text", str(tmp_path / "words.txt")) == "words"


TEXT = "\ufeffnaïve café\r\n\r\nthe 我们 mat\rand so on, and on\n"
SAID = "naïve café\n\nthe 我们 mat\nand so on, and on\n"


@pytest.mark.parametrize("size", [3, 4, 7, 1000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_text_read_in_pieces_is_the_whole_text(tmp_path, monkeypatch, size, pack):
    monkeypatch.setattr(text, "_PIECE", size)
    path = tmp_path / "words.anything"
    path.write_bytes(pack(TEXT.encode()))
    pieces = list(read_pieces(path))
    assert "".join(pieces) == read_text_file(path) == SAID
    assert all(piece.endswith((" ", "\n")) or size < 9 for piece in pieces)


def test_pieces_end_with_a_line_or_else_with_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "_PIECE", 8)
    path = tmp_path / "words.txt"
    path.write_text("ab cd\nef gh ijkl mn\nop")
    assert list(read_pieces(path)) == ["ab cd\n", "ef gh ", "ijkl mn\n", "op"]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("before", ["", "\ufeff", "naïve\r\n"])
def test_the_byte_that_is_not_utf8_is_counted_from_the_beginning(
    tmp_path, monkeypatch, size, before
):
    monkeypatch.setattr(text, "_PIECE", size)
    path = tmp_path / "words.txt"
    path.write_bytes(before.encode() + b"caf\xe9 au lait")
    place = len(before.encode()) + 3
    with pytest.raises(UserError, match=rf"words.txt is not UTF-8 text \(byte {place}\)"):
        read_text_file(path)


@pytest.mark.parametrize(
    "damage", [lambda gz: gz[:-9], lambda gz: gz[:40] + b"\0" * 20 + gz[60:], lambda gz: gz[:5]]
)
def test_a_damaged_gz_file_is_named(tmp_path, damage):
    path = tmp_path / "words.gz"
    path.write_bytes(damage(gzip.compress(np.random.default_rng(1).bytes(300).hex().encode())))
    with pytest.raises(UserError, match=r"words.gz is a damaged gz file: \w"):
        read_text_file(path)


def test_long_text_in_any_script_is_itself():
    assert read_input("text", "我" * 200) == "我" * 200


def test_frames_of_several_sizes_are_refused(tmp_path, monkeypatch):
    frames = [np.zeros((32, 32, 3), "uint8"), np.zeros((16, 16, 3), "uint8")]
    monkeypatch.setattr(inputs, "read_frames", lambda *_: iter(frames))
    (tmp_path / "clip.ts").write_bytes(b"x")
    with pytest.raises(UserError, match="several sizes"):
        read_input("video", str(tmp_path / "clip.ts"))


def test_a_video_is_read_whole_or_in_parts(tmp_path, monkeypatch, write_video):
    path = write_video(tmp_path / "clip.mp4", range(0, 250, 25), size=(48, 32))
    clip = read_input("video", str(path))
    assert clip.shape == (10, 48, 32, 3) and clip.dtype == np.uint8
    assert np.allclose(clip.mean(axis=(1, 2, 3)), range(0, 250, 25), atol=4)
    monkeypatch.setattr(inputs, "_CLIP_PART", 4)
    parts = list(read_clip_parts(str(path)))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert np.array_equal(np.concatenate(parts), clip)


def test_a_folder_of_numbered_pictures_is_a_video(tmp_path):
    for n, ending in ((1, "png"), (2, "bmp"), (10, "tif")):
        Image.fromarray(np.full((6, 8), n, "uint8")).save(tmp_path / f"frame_{n}.{ending}")
    (tmp_path / "notes.txt").write_text("no frame")
    clip = read_input("video", str(tmp_path))
    assert clip.shape == (3, 6, 8, 3) and clip[:, 0, 0, 0].tolist() == [1, 2, 10]
    [part] = file_pieces("video", str(tmp_path), frames_per_second=8.0, frame_size=[4, 4])
    assert part.shape == (3, 4, 4, 3)
    Image.fromarray(np.zeros((5, 8), "uint8")).save(tmp_path / "frame_11.png")
    with pytest.raises(UserError, match="frames of several sizes"):
        read_input("video", str(tmp_path))
    with pytest.raises(UserError, match=r"there is no file .*: image input is a path"):
        read_input("image", str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty has no pictures: a folder is a clip if"):
        read_input("video", str(tmp_path / "empty"))


def test_only_parts_may_be_of_any_length(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "_LONGEST_CLIP", 200)
    np.save(tmp_path / "clip.npy", np.zeros((300, 4, 4, 1), "uint8"))
    with pytest.raises(UserError, match="more than 200 frames"):
        read_input("video", str(tmp_path / "clip.npy"))
    clip, more = read_beginning(str(tmp_path / "clip.npy"))
    assert clip.shape == (200, 4, 4, 3) and more
    parts = list(read_clip_parts(str(tmp_path / "clip.npy"), 8.0, [2, 2]))
    assert [part.shape for part in parts] == [(128, 2, 2, 3), (128, 2, 2, 3), (44, 2, 2, 3)]


def test_an_array_clip_becomes_rgb(tmp_path):
    np.save(tmp_path / "clip.npy", np.arange(2 * 4 * 4, dtype="uint8").reshape(2, 4, 4))
    clip = read_input("video", str(tmp_path / "clip.npy"))
    assert clip.shape == (2, 4, 4, 3) and np.array_equal(clip[..., 0], clip[..., 2])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("clip.mp4", b"not a video", "not a video"),
        ("clip.npy", b"not an array", "not a .npy"),
        ("clip.mp4", b"", "empty"),
    ],
)
def test_videos_that_cannot_be_read(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_input("video", str(tmp_path / name))


def test_a_sequence_is_an_array_or_lines_of_numbers(tmp_path):
    expected = np.array([[0.5, 1], [0.25, 0], [-2, 0]], "float32")
    np.save(tmp_path / "numbers.npy", expected.astype("float64"))
    (tmp_path / "numbers.csv").write_text("0.5,1\n0.25, 0\n-2,0\n")
    (tmp_path / "numbers.txt").write_text("0.5 1\n0.25 0\n-2 0")
    (tmp_path / "names.csv").write_text("x;y\n0.5;1\n\n.25;0\n-2;0\n")
    (tmp_path / "commas.csv").write_text("zeit;y\n0,5;1\n0,25;0\n-2;0,0\n")
    (tmp_path / "bare.csv").write_text("0,5;1,0\n0,25;0\n-2;0,0\n")
    (tmp_path / "tabs.tsv").write_text("\tx\n0,5\t1\n0.25\t0\n-2\t0\n")
    for name in ("numbers.npy", "numbers.csv", "numbers.txt", "names.csv", "commas.csv",
                 "bare.csv", "tabs.tsv"):  # fmt: skip
        found = read_input("sequence", str(tmp_path / name))
        assert found.dtype == np.float32 and np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("0.5 1\n0.25", "as many numbers are needed on each line"),
        ("one two", "no sequence"),
        ("x,y\n0,1\n0,nan", "line 3 has 'nan', which is no number"),
        ("nan,1\n0,1", "line 1 has 'nan'"),
        ("0,1\n0,,1", "line 2 has ''"),
        ("x,y,z\n0,1\n2,3", "line 2 has 2, and line 1 has 3 names"),
        ("x\n0,1,2", "line 2 has '0,1,2', which is no number"),
        ("x,y\n0,1e300", "line 2 has '1e300', which is .* too large"),
        ("x,y", "no line of numbers"),
        ("\n", "empty"),
    ],
)
def test_sequences_that_cannot_be_read(tmp_path, content, said):
    (tmp_path / "numbers.csv").write_text(content)
    with pytest.raises(UserError, match=said):
        read_input("sequence", str(tmp_path / "numbers.csv"))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        ([[1.0], [np.inf]], "no number at time step 1"),
        ([["a"]], "numbers"),
        ([[1e300]], "too large"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_arrays_without_numbers_are_refused(tmp_path, array, said):
    np.save(tmp_path / "steps.npy", np.array(array))
    with pytest.raises(UserError, match=said):
        read_input("sequence", str(tmp_path / "steps.npy"))


@pytest.mark.parametrize("array", [[1.0, 2.0, 3.0], [[[1.0], [2.0], [3.0]]]])
def test_one_value_a_step_and_a_batch_of_one_are_sequences(tmp_path, array):
    np.save(tmp_path / "steps.npy", np.array(array))
    assert read_input("sequence", str(tmp_path / "steps.npy")).tolist() == [[1.0], [2.0], [3.0]]


def test_a_sequence_of_more_axes_is_refused(tmp_path):
    np.save(tmp_path / "clip.npy", np.ones((2, 3, 4)))
    with pytest.raises(UserError, match=r"shape \[2, 3, 4\], not \[T, D\]"):
        read_input("sequence", str(tmp_path / "clip.npy"))

import numpy as np
import pytest
from PIL import Image

from zoo import UserError
from zoo.readers import video
from zoo.readers.modality import modality
from zoo.readers.video import fit_clip, read_frames

VIDEO = modality("video")
LEVELS = list(range(10, 250, 10))


def levels(path, **options):
    """The mean of each frame, to the nearest that was written."""
    return [round(frame.mean() / 10) * 10 for frame in read_frames(path, **options)]


@pytest.mark.parametrize("ending", sorted({*video.VIDEO_FILES} - {".mpg", ".mpeg", ".m4v"}))
def test_each_format_is_read_at_any_rate(tmp_path, write_video, ending):
    path = write_video(tmp_path / f"clip{ending}", LEVELS, rate=12)
    assert levels(path) == LEVELS
    assert levels(path, rate=12) == LEVELS
    assert levels(path, rate=6) == LEVELS[::2]
    assert levels(path, rate=24) == np.repeat(LEVELS, 2).tolist()


def test_a_frame_is_shown_as_often_as_it_is_due(tmp_path):
    timed = [(5.0, 0.75, "a"), (5.75, 0.1, "b"), (5.85, 0.4, "c")]
    assert "".join(video._at_rate(timed, 4)) == "aaabc"
    after_a_jump = [(5.0, 0.5, "a"), (9000.0, 0.5, "b"), (1.0, 0.5, "c")]
    assert "".join(video._at_rate(after_a_jump, 2)) == "abc"


def test_only_the_middle_of_a_longer_video_is_read(tmp_path, write_video):
    path = write_video(tmp_path / "clip.mp4", LEVELS, rate=12)
    assert levels(path, rate=12, middle=0.5) == LEVELS[9:15]
    assert levels(path, rate=12, middle=99) == LEVELS


def test_the_middle_is_kept_where_the_proportion_is_another():
    clip = np.zeros((2, 40, 80, 3), "uint8")
    clip[:, :, 20:60] = 200
    assert (fit_clip(clip, (20, 20, 3))[:, :, 1:-1] == 200).all()
    assert fit_clip(clip, (20, 40, 1)).shape == (2, 20, 40, 1)
    assert np.array_equal(fit_clip(clip, (40, 80, 3)), clip)


def test_a_turned_camera_is_turned_back(tmp_path, write_video, monkeypatch):
    class Turned:
        rotation, height, width = 90, 2, 4

        def to_ndarray(self, format, height=2, width=4):
            return np.arange(24, dtype="uint8").reshape(2, 4, 3)

    upright = video._picture(Turned(), (4, 2))
    assert np.array_equal(upright, np.rot90(Turned().to_ndarray("rgb24")))


def test_sound_alone_has_no_frames(tmp_path, write_sound):
    with pytest.raises(UserError, match=r"sound.mp4 has no video: only sound"):
        list(read_frames(write_sound(tmp_path / "sound.mp4")))


@pytest.mark.parametrize(
    ("ending", "said"),
    [(".mp4", "no video: it may be cut off"), (".gif", "is not a video that can be read: \\w")],
)
def test_a_damaged_file_is_named(tmp_path, write_video, ending, said):
    whole = write_video(tmp_path / f"clip{ending}", LEVELS).read_bytes()
    cut = tmp_path / f"cut{ending}"
    cut.write_bytes(whole[: len(whole) // 2 if ending == ".mp4" else 6])
    with pytest.raises(UserError, match=f"cut{ending} .*{said}"):
        list(read_frames(cut))


@pytest.mark.parametrize("ending", [".txt", ".nfo", ".asc"])
def test_a_text_is_not_watched(tmp_path, ending):
    path = tmp_path / f"words{ending}"
    path.write_text("words, words, words\n" * 200)
    with pytest.raises(UserError, match="not a video"):
        next(read_frames(path))


def test_frames_of_several_sizes_are_refused(tmp_path, monkeypatch):
    frames = [np.zeros((32, 32, 3), "uint8"), np.zeros((16, 16, 3), "uint8")]
    monkeypatch.setattr(video, "read_frames", lambda *_: iter(frames))
    (tmp_path / "clip.ts").write_bytes(b"x")
    with pytest.raises(UserError, match="several sizes"):
        VIDEO.read(str(tmp_path / "clip.ts"))


def test_a_video_is_read_whole_or_in_parts(tmp_path, monkeypatch, write_video):
    path = write_video(tmp_path / "clip.mp4", range(0, 250, 25), size=(48, 32))
    clip = VIDEO.read(str(path))
    assert clip.shape == (10, 48, 32, 3) and clip.dtype == np.uint8
    assert np.allclose(clip.mean(axis=(1, 2, 3)), range(0, 250, 25), atol=4)
    monkeypatch.setattr(video, "_CLIP_PART", 4)
    parts = list(VIDEO.parts(str(path)))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert np.array_equal(np.concatenate(parts), clip)


def test_a_folder_of_numbered_pictures_is_a_video(tmp_path):
    for n, ending in ((1, "png"), (2, "bmp"), (10, "tif")):
        Image.fromarray(np.full((6, 8), n, "uint8")).save(tmp_path / f"frame_{n}.{ending}")
    (tmp_path / "notes.txt").write_text("no frame")
    clip = VIDEO.read(str(tmp_path))
    assert clip.shape == (3, 6, 8, 3) and clip[:, 0, 0, 0].tolist() == [1, 2, 10]
    [part] = VIDEO.pieces(tmp_path, frames_per_second=8.0, frame_size=[4, 4])
    assert part.shape == (3, 4, 4, 3)
    Image.fromarray(np.zeros((5, 8), "uint8")).save(tmp_path / "frame_11.png")
    with pytest.raises(UserError, match="frames of several sizes"):
        VIDEO.read(str(tmp_path))
    with pytest.raises(UserError, match=r"there is no file .*: image input is a path"):
        modality("image").read(str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty has no pictures: a folder is a clip if"):
        VIDEO.read(str(tmp_path / "empty"))


def test_only_parts_may_be_of_any_length(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "_LONGEST_CLIP", 200)
    np.save(tmp_path / "clip.npy", np.zeros((300, 4, 4, 1), "uint8"))
    with pytest.raises(UserError, match="more than 200 frames"):
        VIDEO.read(str(tmp_path / "clip.npy"))
    clip, message = VIDEO.beginning(str(tmp_path / "clip.npy"))
    assert clip.shape == (200, 4, 4, 3) and "only its first 200 frames" in message
    parts = list(VIDEO.parts(tmp_path / "clip.npy", frames_per_second=8.0, frame_size=[2, 2]))
    assert [part.shape for part in parts] == [(128, 2, 2, 3), (128, 2, 2, 3), (44, 2, 2, 3)]


def test_an_array_clip_becomes_rgb(tmp_path):
    np.save(tmp_path / "clip.npy", np.arange(2 * 4 * 4, dtype="uint8").reshape(2, 4, 4))
    clip = VIDEO.read(str(tmp_path / "clip.npy"))
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
        VIDEO.read(str(tmp_path / name))


def test_arrays_and_bytes_are_videos_like_files(tmp_path, write_video):
    path = write_video(tmp_path / "clip.mp4", range(0, 250, 25))
    clip = VIDEO.read(path)
    assert np.array_equal(VIDEO.read(path.read_bytes()), clip)
    assert np.array_equal(VIDEO.read(clip), clip)
    assert np.array_equal(VIDEO.read(clip[..., 0])[..., 2], clip[..., 0])
    assert VIDEO.read(clip, frame_size=[4, 6]).shape == (len(clip), 4, 6, 3)
    with pytest.raises(UserError, match="uint8"):
        VIDEO.read(clip.astype("float32"))
    with pytest.raises(UserError, match="int is no video that can be read"):
        VIDEO.read(3)
    with pytest.raises(UserError, match="the video is not a video"):
        VIDEO.read(b"none")

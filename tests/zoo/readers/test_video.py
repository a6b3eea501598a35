import numpy as np
import pytest

from zoo import UserError
from zoo.readers import video
from zoo.readers.video import fit_clip, read_frames

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

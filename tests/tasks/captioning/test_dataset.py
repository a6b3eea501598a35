from random import Random

import pytest

from tasks.captioning import dataset
from tasks.captioning.checking import count_claims, holds, truth_rate
from tasks.captioning.scene_captions import write_captions
from tasks.captioning.scenes import (
    COLOURS,
    DIGITS,
    SHAPES,
    TEST_ONLY,
    Object,
    sample_scene,
    scene_objects,
)

SCENE = [
    Object("circle", "red", "small", 16, 14),
    Object("circle", "red", "large", 48, 15),
    Object("7", "blue", "large", 17, 47),
]


@pytest.mark.parametrize(
    "caption",
    [
        "a small red circle above a large blue 7",
        "a small red circle to the left of a large red circle",
        "the blue 7 is below the small circle",
        "there are two red circles",
        "two shapes and one digit",
        "both circles are red",
        "the large 7 is blue",
        "at the bottom left is a large blue 7",
    ],
)
def test_a_caption_whose_every_claim_is_true_holds(caption):
    assert holds(caption, SCENE)


@pytest.mark.parametrize(
    "caption",
    [
        "a small red circle below a large blue 7",
        "a small green circle above a large blue 7",
        "a small red circle above a small blue 7",
        "a small red square above a large blue 7",
        "a small red circle above a large blue 1",
        "there are three red circles",
        "there is one red circle",
        "both circles are small",
        "only a red circle and a blue 7",
        "at the top left is a large blue 7",
        "the red circle is above the blue 7",
        "a scene",
        "circle",
        "",
        "a small red circle above a large blue 7 a",
    ],
)
def test_a_caption_with_one_wrong_word_or_none_that_says_anything_does_not(caption):
    assert not holds(caption, SCENE)


def test_every_written_caption_is_distinct_true_and_says_something():
    rng = Random(1)
    for _ in range(300):
        scene = sample_scene(rng, novel=True)
        captions = write_captions(scene, rng)
        assert len(set(captions)) == 5
        for caption in captions:
            assert holds(caption, scene), (caption, scene)
            assert count_claims(caption) >= 3


def test_truth_rate_is_a_share():
    assert truth_rate(["only a red 7", "there are two red circles"], [SCENE, SCENE]) == 0.5


@pytest.fixture(scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SCENES", {"train": 300, "validation": 40, "test": 200})
        yield


def _prepare(folder):
    builder = dataset.CaptionedScenes(data_dir=str(folder))
    builder.download_and_prepare()
    return builder


def test_two_preparations_are_byte_identical(small, tmp_path):
    def records(folder):
        return {p.name: p.read_bytes() for p in _prepare(folder).data_path.glob("*.tfrecord*")}

    first = records(tmp_path / "a")
    assert len(first) == 3 and first == records(tmp_path / "b")


def test_captions_of_the_records_hold_in_the_scenes_of_the_records(small, tmp_path):
    for example in _prepare(tmp_path).as_dataset(split="test").as_numpy_iterator():
        assert example["image"].shape == (64, 64, 3)
        scene = scene_objects(example["objects"])
        assert 1 <= len(scene) <= 4
        assert all(holds(caption.decode(), scene) for caption in example["captions"])


def test_no_layout_is_in_two_splits_and_some_pairs_are_for_the_test_only(small):
    layouts = dataset._distinct_layouts()
    everything = [layout for split in layouts.values() for layout in split]
    assert len(set(everything)) == len(everything)
    pairs = {
        split: {(item.colour, item.kind) for layout in some for item in layout}
        for split, some in layouts.items()
    }
    assert not TEST_ONLY & (pairs["train"] | pairs["validation"])
    assert pairs["test"] >= TEST_ONLY
    assert {colour for colour, _ in pairs["train"]} == set(COLOURS)
    assert {kind for _, kind in pairs["train"]} == set(SHAPES + DIGITS)

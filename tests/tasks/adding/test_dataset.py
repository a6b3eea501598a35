import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks.adding import dataset


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    """Each split of a small preparation, as sequences `[N, T, 2]` and targets `[N]`."""
    folder = tmp_path_factory.mktemp("adding")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SIZES", {"train": 60, "validation": 20, "test": 30})
        builder = tfds.builder("adding/20", data_dir=folder)
        builder.download_and_prepare()
    found = {}
    for split in builder.info.splits:
        rows = list(tfds.as_numpy(builder.as_dataset(split)))
        found[split] = (
            np.stack([r["sequence"] for r in rows]),
            np.array([r["target"] for r in rows]),
        )
    return found


def test_a_target_is_the_sum_of_the_marked_number_of_each_half(splits):
    assert {split: len(targets) for split, (_, targets) in splits.items()} == {
        "train": 60, "validation": 20, "test": 30,
    }  # fmt: skip
    for sequences, targets in splits.values():
        assert sequences.shape[1:] == (20, 2) and sequences.dtype == np.float32
        numbers, marks = sequences[..., 0], sequences[..., 1]
        assert (marks[:, :10].sum(axis=1) == 1).all() and (marks[:, 10:].sum(axis=1) == 1).all()
        assert ((numbers >= 0) & (numbers < 1)).all()
        np.testing.assert_allclose((numbers * marks).sum(axis=1), targets, rtol=1e-6)


def test_no_sequence_of_a_split_is_in_another(splits):
    rows = [row.tobytes() for sequences, _ in splits.values() for row in sequences]
    assert len(set(rows)) == len(rows)

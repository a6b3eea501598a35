import numpy as np
import pytest

from zoo.layers.stack import RecurrentStack


@pytest.fixture
def ones_through_dropout():
    """What the first layer is given for inputs of one, in training."""
    stack = RecurrentStack("vanilla_rnn", units=4, dropout=0.5)
    return np.array(stack.dropout(np.ones((8, 5, 16), "float32"), training=True))


def test_dropout_spares_or_drops_an_entry_at_all_time_steps(ones_through_dropout):
    assert set(np.unique(ones_through_dropout)) == {0, 2}
    assert np.array_equal(ones_through_dropout, ones_through_dropout[:, :1].repeat(5, axis=1))


def test_dropout_draws_for_each_row_anew(ones_through_dropout):
    assert len(np.unique(ones_through_dropout[:, 0], axis=0)) == 8

import numpy as np
import pytest

import zoo
from zoo.training.settings import Settings


@pytest.fixture
def model():
    return zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)


@pytest.fixture
def random_text():
    """Sequences of tokens, each with the next one as its target, all of weight one."""

    def draw(length, count=1, seed=1):
        rows = np.random.default_rng(seed).integers(0, 9, (count, length + 1))
        return [(row[:-1], row[1:], np.ones(length)) for row in rows]

    return draw


@pytest.fixture
def plain_settings():
    """One epoch of plain descent, unless changed."""

    def settings(**changes):
        plain = {"epochs": 1, "optimizer": "sgd", "schedule": "constant", "clip_norm": 0.0}
        return Settings(**{**plain, **changes})

    return settings

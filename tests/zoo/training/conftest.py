import pytest

import zoo


@pytest.fixture
def model():
    return zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)

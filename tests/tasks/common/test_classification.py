import numpy as np
import tensorflow as tf

from tasks.common.classification import Classification


class Signs(Classification):
    """Names the sign of a number."""

    default_dataset = "signs"

    def __init__(self):
        self.classes = ["minus", "plus"]

    def windows(self, split, settings, seed=None):
        raise NotImplementedError

    def endpoints(self, model):
        return {"tell": self.tell()}

    def model_options(self):
        return {"classes": 2}

    def examples(self):
        return []


def test_what_a_stream_tells_is_what_serve_would_say():
    told = Signs().endpoints(None)["tell"](tf.constant([[2.0, -2.0], [-3.0, 3.0]]))
    assert [text.decode() for text in told["text"].numpy()] == ["minus", "plus"]
    alike = Signs().likeliest(tf.constant([[2.0, -2.0], [-3.0, 3.0]]))
    np.testing.assert_array_equal(told["probabilities"], alike["probabilities"])
    assert alike["labels"].numpy()[1].tolist() == [b"plus", b"minus"]

import tensorflow as tf

from tasks.video_classification.over_time import logits_over_time


def test_a_model_without_steps_is_asked_about_some_beginnings():
    class Lengths:
        steppable = False

        def __call__(self, inputs):
            return tf.cast(inputs["lengths"], tf.float32)[:, None]

    for time, expected in ((3, [1, 2, 3]), (20, [2, 2, 3, 4, 5, 5, 7, 8, 9, 10])):
        logits, _ = logits_over_time(Lengths(), tf.zeros([2, time, 1]))
        assert logits[0, :10, 0].numpy().tolist() == expected
        assert logits[1, -1, 0] == time
    assert logits_over_time(Lengths(), tf.zeros([2, 0, 1]))[0].shape == (2, 1, 1)

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from zoo.exporting.formats.graph_pruning import shrink


class Long(tf.Module):
    """Arguments with names that short nodes would have, many nodes, a loop, a check."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([], tf.int32)])
    def told(self, a, b):
        checked = tf.debugging.Assert(b >= 0, ["b is negative", b])
        with tf.control_dependencies([checked]):
            a = tf.identity(a)
        for n in range(40):
            a = a * self.weight + float(n % 3) - a
        count, total = tf.while_loop(
            lambda count, _: count < b,
            lambda count, total: (
                count + 1,
                total + tf.reduce_mean(a[:2]),
            ),
            (0, 0.0),
        )
        return {"a": a, "count": count, "total": total}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same model as it is saved, and shrunk."""
    folders = [tmp_path_factory.mktemp(name) for name in ("long", "short")]
    model = Long()
    for folder in folders:
        tf.saved_model.save(model, str(folder))
    shrink(folders[1])
    return folders


def test_a_shrunk_model_says_the_same(both):
    long, short = (tf.saved_model.load(str(folder)) for folder in both)
    for a, b in (([1.0, 2.0, 3.0], 4), ([5.0], 0)):
        for way in (lambda model: model.told, lambda model: model.signatures["serving_default"]):
            given = {"a": tf.constant(a), "b": tf.constant(b)}
            one, other = way(long)(**given), way(short)(**given)
            assert one.keys() == other.keys() == {"a", "count", "total"}
            for key, value in one.items():
                np.testing.assert_array_equal(other[key], value)
    with pytest.raises(tf.errors.InvalidArgumentError, match="b is negative"):
        short.told([1.0], -1)


def test_it_takes_two_thirds_of_the_bytes_and_each_constant_is_there_once(both):
    long, short = ((folder / "saved_model.pb").read_bytes() for folder in both)
    assert len(short) < len(long) * 2 / 3
    for function in SavedModel.FromString(short).meta_graphs[0].graph_def.library.function:
        constants = [
            node.attr["value"].SerializeToString()
            for node in function.node_def
            if node.op == "Const"
        ]
        assert len({*constants}) == len(constants)

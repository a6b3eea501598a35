import pytest
import tensorflow as tf

from zoo.errors import UserError
from zoo.exporting.formats.graph_safety import check_graph
from zoo.pretrained import FOLDER, ready_models


def saved(folder, function, **objects):
    """A SavedModel that serves with a function of one text."""
    module = tf.Module()
    for name, value in objects.items():
        setattr(module, name, value)
    module.serve = tf.function(function, input_signature=[tf.TensorSpec([], tf.string)])
    tf.saved_model.save(module, str(folder), signatures={"serve": module.serve})
    return folder


@pytest.mark.parametrize("name", ready_models())
def test_what_the_zoo_exports_is_harmless(name):
    check_graph(FOLDER / name)


def test_variables_tables_loops_and_chance_are_harmless(tmp_path):
    keys, values = tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 0)
    count = tf.Variable(0, dtype=tf.int64)

    def serve(text):
        step = table.lookup(text) + tf.random.uniform([], 0, 3, tf.int64)
        count.assign(tf.while_loop(lambda n: n < 9, lambda n: (n + 1,), [step])[0])
        return tf.cond(count > 3, lambda: text, lambda: tf.strings.upper(text))

    check_graph(saved(tmp_path / "model", serve, table=table, count=count))


def in_a_branch(text):
    return tf.cond(text == "now", lambda: tf.io.read_file(text), lambda: text)


def in_a_map(text):
    return tf.map_fn(lambda name: tf.io.read_file(name), tf.strings.split(text))[0]


def written(text):
    with tf.control_dependencies([tf.io.write_file(text, "...")]):
        return tf.identity(text)


def printed(text):
    with tf.control_dependencies([tf.print(text, output_stream="file:///tmp/there")]):
        return tf.identity(text)


def restored(text):
    return tf.raw_ops.RestoreV2(
        prefix=text, tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.string]
    )[0]


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        (tf.io.read_file, "ReadFile"),
        (tf.io.matching_files, "MatchingFiles"),
        (in_a_branch, "ReadFile"),
        (in_a_map, "ReadFile"),
        (written, "WriteFile"),
        (restored, "RestoreV2"),
        (lambda text: tf.py_function(lambda name: name, [text], tf.string), "EagerPyFunc"),
        (printed, "PrintV2"),
    ],
)
def test_what_reaches_outside_is_refused_wherever_it_stands(tmp_path, function, operator):
    folder = saved(tmp_path / "model", function)
    with pytest.raises(UserError, match=f"refused: its graph has the operator '{operator}'"):
        check_graph(folder)


def test_a_table_from_a_file_is_refused(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("a\nb\n")
    read = tf.lookup.TextFileInitializer(
        str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
    )  # fmt: skip
    table = tf.lookup.StaticHashTable(read, -1)
    folder = saved(tmp_path / "model", table.lookup, table=table)
    with pytest.raises(UserError, match="InitializeTableFromTextFileV2"):
        check_graph(folder)


def test_what_is_no_saved_model_is_told_in_one_line(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 20)
    with pytest.raises(UserError, match="its graph cannot be read; export the run again"):
        check_graph(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(UserError, match="its graph cannot be read"):
        check_graph(tmp_path)

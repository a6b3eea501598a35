"""Every private hook of Keras and TensorFlow that the project needs, and why.

Nothing else may reach into either (a test forbids it), and each hook has a test of what must hold,
so that a new version that breaks one is seen there first.
"""

import functools
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.typing import Tensor


def autocast_scope(dtype: str) -> AbstractContextManager:
    """Return a scope in which variables of floating type read as `dtype`.

    `Layer.__call__` opens one. The engine calls `project` and `update` without it, and without
    this scope a cell of policy mixed_float16 would see its float32 weights. It has no public name.
    """
    return keras.src.backend.AutocastScope(dtype)


def mask_of(tensor: Tensor) -> Tensor | None:
    """Return the mask that Keras' layers attached to a tensor, or None.

    Keras hands a mask on by itself only where a layer is called with one tensor: with `lengths` or
    a state beside the inputs it is dropped in silence. The attribute has no public name.
    """
    return keras.src.backend.get_keras_mask(tensor)


def layers_within(layer: keras.Layer) -> list[keras.Layer]:
    """Return a layer and all layers inside of it, at any depth.

    `Model.layers` is public and gives the outermost ones of a model only.
    """
    return list(layer._flatten_layers())


def is_functional(model: keras.Model) -> bool:
    """Return whether a model is a graph of layers, which can be cloned, and no program of its own.

    The class of `keras.Model(inputs, outputs)` has no public name; `Sequential` is not one of it.
    """
    return isinstance(model, keras.Sequential | keras.src.models.functional.Functional)


def is_conv_lstm_cell(cell: Any) -> bool:
    """Return whether a cell is that of Keras' ConvLSTM layers, whose class has no public name."""
    return type(cell) is keras.src.layers.rnn.conv_lstm.ConvLSTMCell


def cudnn_serves(layer: keras.layers.RNN) -> bool:
    """Return whether an LSTM or GRU layer of Keras runs by cuDNN here: a GPU, and its options.

    Which options cuDNN takes is written nowhere public.
    """
    options = [getattr(layer.cell, name) for name in ("activation", "recurrent_activation")]
    after = {"reset_after": layer.reset_after} if isinstance(layer, keras.layers.GRU) else {}
    no_drop = not layer.recurrent_dropout
    backend = keras.src.backend
    return no_drop and backend.cudnn_ok(*options, layer.unroll, layer.use_bias, **after)


def set_before_init(layer: keras.Layer, name: str, value: Any) -> None:
    """Set an attribute of a layer whose constructor has not run.

    `Layer.__setattr__` tracks what is set, and refuses to before `Layer.__init__` has run; this
    passes it by. Only for plain values, which there is nothing to track in.
    """
    object.__setattr__(layer, name, value)


def before_a_class_is_sought(call: Callable[[Any, Any], None]) -> None:
    """Call a function with registered name and module before Keras looks for a class in a file.

    Keras imports the module that a file names for packages of its own alone. Without the hook, as
    in a version of Keras that looks elsewhere, classes are found once they were imported.
    """
    library = keras.src.saving.serialization_lib
    plain = getattr(library, "_retrieve_class_or_fn", None)
    if plain is None or hasattr(plain, "_zoo_hook"):
        return

    @functools.wraps(plain)
    def retrieve(name: str, registered_name: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        call(registered_name, module)
        return plain(name, registered_name, module, *args, **kwargs)

    retrieve._zoo_hook = True  # type: ignore[attr-defined]
    library._retrieve_class_or_fn = retrieve


def take_gradients_as_summed(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer apply gradients that the replicas have summed up already.

    Keras' optimizers sum gradients over all replicas themselves. The training step has to sum
    before, for the norm that it clips at, and twice would be wrong; with one replica, the sum of
    `tf.distribute` would keep the step's graph for ever, see `release_with_graph`. The public
    `apply_gradients(..., skip_gradients_aggregation)` went with Keras 2.
    """
    for applying in (optimizer, getattr(optimizer, "inner_optimizer", optimizer)):
        applying._all_reduce_sum_gradients = list


def scratch_graph(name: str) -> tf.Graph:
    """Return a graph to trace into and throw away, in which variables can be read.

    A public `tf.Graph` refuses variables that were made eagerly, such as the seeds of random
    numbers; the graph of a `tf.function` captures them, but is public only once it is traced.
    """
    return tf.__internal__.FuncGraph(name)


@tf.autograph.experimental.do_not_convert
def release_with_graph(results: Any) -> Any:
    """Return what a `tf.custom_gradient` has computed, and let its graph be freed.

    In a graph TensorFlow registers each gradient for ever, by a name of its own, and with it the
    graph whose tensors it uses, and all functions in there. From here on the graph holds the
    gradient, and the entry goes when the graph does. Eager results are left as they are.
    """
    from tensorflow.python.framework import ops

    registry = ops.gradient_registry._registry
    for tensor in tf.nest.flatten(results):
        if not tf.is_symbolic_tensor(tensor) or tensor.op.type != "IdentityN":
            continue
        name, graph = tensor.op.get_attr("_gradient_op_type").decode(), tensor.graph
        entry = registry[name]
        if not isinstance(entry["type"], _Weak):
            graph._zoo_gradients = [*getattr(graph, "_zoo_gradients", ()), entry["type"]]
            entry["type"] = _Weak(entry["type"])
            weakref.finalize(graph, registry.pop, name, None).atexit = False
    return results


class _Weak:
    """A function that somebody else holds."""

    def __init__(self, function: Any) -> None:
        self.function = weakref.ref(function)

    def __call__(self, *arguments: Any) -> Any:
        function = self.function()
        assert function, "its graph is gone"
        return function(*arguments)


def function_in(graph: tf.Graph, name: str) -> Any | None:
    """Return the function of that name in a graph's library, with its `graph`; None if unknown.

    The body of a loop is one, and its operations cannot be read otherwise.
    """
    return graph._get_function(name)


def in_keras_step() -> bool:
    """Return whether a step of `Model.fit`, `evaluate` or `predict` is being traced.

    Not so where Keras traces a model to save it: that graph leaves the process, and what it holds
    must be known elsewhere. Steps tell themselves apart only by the names of their graphs.
    """
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        if getattr(graph, "name", "").startswith("one_step_on_data"):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def in_xla() -> bool:
    """Return whether what is being traced is compiled by XLA as a whole.

    Operations such as tables cannot be. It has no public name.
    """
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def devices_are_made() -> bool:
    """Return whether TensorFlow has taken its devices; asking the public way makes it take them.

    A processor can be cut into virtual devices only before.
    """
    from tensorflow.python.eager import context

    return context.context()._initialized


def write_fingerprint(folder: Path) -> None:
    """Write `fingerprint.pb` of a SavedModel whose `saved_model.pb` was rewritten.

    With the one of before, `tf.saved_model.experimental.read_fingerprint` would tell of another
    graph. Only reading is public.
    """
    from tensorflow.python.saved_model import fingerprinting_utils

    fingerprinting_utils.write_fingerprint(str(folder))


def has_state(operator: str) -> bool | None:
    """Return whether an operator of TensorFlow keeps or changes a state; None if there is none.

    Example:
        >>> has_state("MatMul"), has_state("WriteFile"), has_state("Elsewhere")
        (False, True, None)
    """
    from tensorflow.python.framework import op_def_registry

    known = op_def_registry.get(operator)
    return None if known is None else known.is_stateful

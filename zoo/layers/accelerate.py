"""Keras models whose recurrent layers are run by the engine."""

from typing import Any

import keras

from zoo.errors import UserError
from zoo.layers.keras_loop import left_to_keras, make_loop, run_inner_loop
from zoo.typing import State, Tensor
from zoo.utils.keras_internals import layers_within


def accelerate(model: Any, summary: bool = False) -> Any:
    """Let the recurrent layers of a Keras model be run by the engine from now on.

    Their classes, weights and names stay, and so does the `.keras` file of the model: a model that
    is loaded is accelerated again. What the engine cannot run is left to Keras. Layers may stand in
    models and wrappers inside of the model, such as `Bidirectional`. The functions that `fit`,
    `evaluate` and `predict` have compiled are made anew; a model around this one that has compiled
    its own is to be passed itself.

    Args:
        model: a model, or a layer: sequential, functional or subclassed, compiled or not.
        summary: print a line for each recurrent layer: whether it is run by the engine, or why not.

    Returns:
        The model.

    Raises:
        UserError: it is no model and no layer of Keras.

    Example:
        >>> from keras import layers
        >>> model = keras.Sequential([keras.Input((None, 3)), layers.LSTM(4, name="reads")])
        >>> accelerate(model, summary=True) is model
        reads (LSTM): run by the engine
        True
    """
    if not isinstance(model, keras.Layer):
        raise UserError(
            f"zoo.accelerate takes a Keras model or layer, but {type(model).__name__} was passed"
        )
    for layer in layers_within(model):
        if isinstance(layer, keras.layers.RNN):
            reason = take_over(layer)
            if summary:
                what = f"left to Keras: {reason}" if reason else "run by the engine"
                print(f"{layer.name} ({type(layer).__name__}): {what}")
    for layer in layers_within(model):
        if isinstance(layer, keras.Model):
            _forget_functions(layer)
    return model


class EngineLoop:
    """What stands in place of a layer's `inner_loop`.

    Args:
        layer: a layer of Keras whose class has Keras' own loop.
    """

    def __init__(self, layer: keras.layers.RNN) -> None:
        self.layer = layer

    def __call__(
        self, sequences: Tensor, initial_state: State, mask: Any, training: bool | None = False
    ) -> tuple[Tensor, Tensor, State]:
        """Return what `RNN.inner_loop` does."""
        layer = self.layer
        otherwise = type(layer).inner_loop.__get__(layer)
        return run_inner_loop(layer, otherwise, sequences, initial_state, mask, training)


def take_over(layer: Any) -> str | None:
    """Let a layer's loop be run by the engine; return why it is not, None if it is.

    Example:
        >>> take_over(keras.layers.GRU(4)) is None
        True
        >>> take_over(keras.layers.GRU(4, unroll=True))
        'unroll=True asks for another loop'
    """
    if not isinstance(layer, keras.layers.RNN):
        return "it is no RNN"
    made_by = type(layer).inner_loop.__module__.partition(".")[0]
    if made_by not in ("keras", "zoo"):
        return "its class has a loop of its own"
    reason = left_to_keras(layer) or _untraceable(layer)
    if reason is None and made_by == "keras":
        layer.inner_loop = EngineLoop(layer)
        layer.supports_jit = False
    return reason


def _untraceable(layer: keras.layers.RNN) -> str | None:
    """Return why the engine has no place for the layer's cells; of a layer not built, None."""
    config = (layer.built and layer.get_build_config()) or {}
    # Keras notes one shape by itself, and several, as with an initial state, by their names.
    shapes = config.get("shapes_dict", config)
    shape = shapes.get("sequences_shape", shapes.get("input_shape"))
    loop = None if shape is None else make_loop(layer, shape)
    return loop if isinstance(loop, str) else None


def _forget_functions(model: keras.Model) -> None:
    """Let Keras compile a model's functions anew, around the engine's and not through them."""
    model.train_function = model.test_function = model.predict_function = None
    if model.compiled and not all(layer.supports_jit for layer in layers_within(model)):
        model.jit_compile = False

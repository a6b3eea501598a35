"""What an export answers to beside its task: the network itself, on numbers."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from zoo.topologies.base import SequenceModel
from zoo.utils.validation import checked, named_function, not_empty, of_one_batch


def numeric_endpoints(
    model: SequenceModel, prepared: Callable[[Any], Any] | None = None
) -> dict[str, Any]:
    """Make a model's endpoints that take and give numbers, of any batch size and length.

    A state is one flat list of tensors `[N, ...]`: the named tuples of the cells are not known
    where an export is loaded.

    - `forward(...)`, named as the model's inputs, gives `outputs`. Of a model that can carry its
      state, `forward(..., state)` gives `outputs, state`.
    - `step(x, state)`, of a model that has steps, gives `outputs, state`: the one after the other
      as `forward` gives all at once.
    - `initial_state(batch_size)` gives the state before the first step; that of a conditional
      model depends on what is given to `encode(...)`, which is there in its place.

    Args:
        model: a built model.
        prepared: brings time steps `[..., D]`, as `forward` and `step` take them, to what the
            model takes, such as a sensor's own numbers to normalised ones; None leaves them.

    Returns:
        `tf.function`s with an input signature, by name. Where they are given what does not fit,
        such as a state of another batch, they raise `tf.errors.InvalidArgumentError`.
    """
    prepared = prepared or tf.identity
    endpoints = {"forward": _forward(model, prepared)}
    if model.recurrent and model.steppable:
        stepping = _conditional if model.conditional else _stepping
        endpoints |= stepping(model, prepared)
    return endpoints


def concrete(endpoint: Any) -> Any:
    """Return the one graph of an endpoint, of one that was just made or of a loaded export."""
    if hasattr(endpoint, "concrete_functions"):
        return endpoint.concrete_functions[0]
    return endpoint.get_concrete_function()


def signature_of(endpoint: Any) -> Any:
    """Return an endpoint as a signature: a state is `state_0` and so on, what else comes is named.

    It calls the endpoint's own graph. What the endpoint has defaults for may be left out where
    a server or client reads defaults from the signature.
    """
    parameters = inspect.signature(endpoint.python_function).parameters.values()
    signature = endpoint.input_signature
    flat: dict[str, tf.TensorSpec] = {}
    defaults: dict[str, tf.Tensor] = {}
    for parameter, spec in zip(parameters, signature):
        name, default = parameter.name, parameter.default
        flat |= _numbered(name, spec) if isinstance(spec, list) else {name: spec}
        if default is not parameter.empty:
            defaults[name] = tf.constant(default, spec.dtype)

    def call(*parts: Any) -> dict[str, Any]:
        outputs = endpoint(*tf.nest.pack_sequence_as(signature, parts))
        first, *more = outputs if isinstance(outputs, tuple) else (outputs,)
        if isinstance(first, list):
            return _numbered("state", first)
        named = dict(first) if isinstance(first, Mapping) else {"outputs": first}
        return named | (_numbered("state", more[0]) if more else {})

    return named_function(call, flat, defaults)


def state_signature(model: SequenceModel) -> list[tf.TensorSpec]:
    """Return what an endpoint takes and gives for a state, of any batch size: its parts."""
    return _specs(tf.nest.flatten(model.initial_state(1)), tf.nest.flatten(model.initial_state(2)))


def _numbered(name: str, parts: Any) -> dict[str, Any]:
    return {f"{name}_{index}": part for index, part in enumerate(parts)}


def _specs(one: Any, other: Any) -> Any:
    """Return what fits two examples: a dimension in which they differ may be of any size."""

    def fitting(a: Any, b: Any) -> tf.TensorSpec:
        shape = [m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)]
        return tf.TensorSpec(shape, a.dtype)

    return tf.nest.map_structure(fitting, one, other)


def input_specs(model: SequenceModel) -> dict[str, tf.TensorSpec]:
    """Return what a model takes, each by its name."""
    specs = _specs(model.example_inputs(1, 2), model.example_inputs(2, 3))
    return model.named_inputs(specs)


def _forward(model: SequenceModel, prepared: Callable[[Any], Any]) -> Any:
    names = input_specs(model)
    carried = bool(model.recurrent and model.steppable and not model.conditional)
    states = {"state": state_signature(model)} if carried else {}
    structure = model.initial_state(1)

    def forward(*arguments: Any) -> Any:
        flat = of_one_batch(tf.nest.flatten(arguments))
        inputs: Any = dict(zip(names, flat))
        # A model that reads from both ends may have several inputs and no steps.
        if model.steps_on in inputs:
            inputs[model.steps_on] = prepared(inputs[model.steps_on])
        if "lengths" in inputs:
            inputs["lengths"] = _within(inputs["lengths"], flat[0])
        inputs = model.inputs_from(inputs)
        if not carried:
            return model(inputs)
        state = tf.nest.pack_sequence_as(structure, flat[len(names) :])
        outputs, state = model(inputs, state=state, return_state=True)
        return outputs, tf.nest.flatten(state)

    return named_function(forward, {**names, **states})


def _within(lengths: Any, sequence: Any) -> Any:
    """Keep lengths to those that a sequence `[N, T, ...]` may have."""
    time = tf.shape(sequence)[1]
    fit = (lengths >= 1) & (lengths <= time)
    return checked(lengths, fit, "lengths must be 1 to the time steps that are given, but are")


def _stepping(model: SequenceModel, prepared: Callable[[Any], Any]) -> dict[str, Any]:
    def initial_state(batch_size: Any) -> Any:
        some = checked(batch_size, batch_size > 0, "batch_size must be 1 or more, but is")
        return tf.nest.flatten(model.initial_state(some))

    steps = input_specs(model)[model.steps_on]
    specs, structure = state_signature(model), model.initial_state(1)
    size = {"batch_size": tf.TensorSpec([], tf.int32)}
    return {
        "initial_state": named_function(initial_state, size),
        "step": _step(model, prepared, steps, specs, structure),
    }


def _conditional(model: SequenceModel, prepared: Callable[[Any], Any]) -> dict[str, Any]:
    names = input_specs(model)

    def encode(condition: Any) -> Any:
        return tf.nest.flatten(model.encode(not_empty(condition)))

    endpoint = named_function(encode, {model.condition: names[model.condition]})
    structure = model.encode(model.example_inputs(1)[model.condition])
    outputs = endpoint.get_concrete_function().structured_outputs
    specs = [tf.TensorSpec([None, *part.shape[1:]], part.dtype) for part in outputs]
    step = _step(model, prepared, names[model.steps_on], specs, structure)
    return {"encode": endpoint, "step": step}


def _step(
    model: SequenceModel,
    prepared: Callable[[Any], Any],
    steps: tf.TensorSpec,
    specs: Any,
    structure: Any,
) -> Any:
    """Return the endpoint `step`, of one of `steps` `[N, T, ...]` and a state."""

    def step(x: Any, state: Any) -> Any:
        x, *flat = of_one_batch([x, *tf.nest.flatten(state)])
        outputs, state = model.step(prepared(x), tf.nest.pack_sequence_as(structure, flat))
        return outputs, tf.nest.flatten(state)

    x = tf.TensorSpec([None, *steps.shape[2:]], steps.dtype)
    return named_function(step, {"x": x, "state": specs})

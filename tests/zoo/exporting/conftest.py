"""A small export of each topology, with what its model answers written down."""

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from filelock import FileLock

import zoo
from tasks.captioning.task import Captioning
from tasks.common.images import encode_png
from tasks.image_classification.task import ImageClassification
from tasks.language_modelling.task import LanguageModelling
from tasks.sequence_labelling.task import SequenceLabelling
from tasks.text_classification.task import TextClassification
from tasks.translation.task import Translation
from tasks.video_classification.task import VideoClassification
from zoo.catalog.config import RunConfig
from zoo.exporting.endpoints import numeric_endpoints
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained

WORDS = ["a", "dog", "sees", "Rome"]
TEXTS = ["a dog", "Rome sees a dog"]
RANDOM = np.random.default_rng(1)


def _pictures(*shape):
    return [RANDOM.integers(0, 255, shape, "uint8") for _ in range(2)]


def _tasks():
    """Of each topology a model's name, its sizes, its task, and raw inputs."""
    png = [encode_png(picture) for picture in _pictures(12, 12, 3)]
    grey = [encode_png(picture) for picture in _pictures(6, 6, 1)]
    small = {"units": 6, "embedding": 6}
    classes = ["one", "two", "three"]
    return {
        "digits-linear": ({}, ImageClassification(classes=classes, image_shape=[6, 6, 1]), grey),
        "caption-lstm-attention": (
            {**small, "features": 6, "filters": (4, 4), "attention_units": 6},
            Captioning(words=WORDS, image_shape=[12, 12, 3], max_length=4),
            png,
        ),
        "video-gru": (
            {"units": 6, "features": 6, "filters": (4,), "changes": False},
            VideoClassification(classes=classes, frame_shape=[8, 8, 1]),
            _pictures(3, 9, 9, 3),
        ),
        "char-lstm": (small, LanguageModelling(tokens=sorted({*"".join(TEXTS)})), TEXTS),
        "tagger-bilstm": (
            {**small, "character_embedding": 4, "character_filters": 4},
            SequenceLabelling(tags=["O", "B-X", "I-X"], words=WORDS, characters=list("adg")),
            TEXTS,
        ),
        "text-lstm": (small, TextClassification(classes=classes, tokens=WORDS), TEXTS),
        "translate-gru-attention": (
            {**small, "attention_units": 6},
            Translation(source_tokens=WORDS, target_tokens=WORDS, max_length=4),
            TEXTS,
        ),
    }


class SmallExports(Mapping):
    """By the model's name: the folder, the raw inputs, and a file of what each endpoint is asked
    and has to answer: arrays named `endpoint|in|argument` and `endpoint|out|output`.

    Each is written when it is first asked for, by whichever process comes first, and must be left
    as it is.
    """

    def __init__(self, folder):
        self.folder, self.tasks = folder, _tasks()

    def __iter__(self):
        return iter(self.tasks)

    def __len__(self):
        return len(self.tasks)

    def __getitem__(self, name):
        _, task, raw = self.tasks[name]
        folder = self.folder / name / "1"
        told = self.folder / name / "told.npz"
        with FileLock(f"{self.folder / name}.lock"):
            if not told.exists():
                self.write(name, folder, told)
        return SimpleNamespace(folder=folder, told=told, raw=raw, task=task)

    def write(self, name, folder, told):
        sizes, task, raw = self.tasks[name]
        options = {**sizes, **task.model_options()}
        model = zoo.create(name, **options)
        # Strong opinions, so that nothing hangs on a rounding.
        model.set_weights([3 * weight for weight in model.get_weights()])
        task.examples = lambda: raw
        config = RunConfig(name, zoo.describe(name)["task"], options, task.get_config())
        write_saved_model(Trained(model, task, config), folder)
        np.savez(told, **_readable(task, model, raw), **_numbers(model))


@pytest.fixture(scope="session")
def small_exports(shared_folder):
    (shared_folder / "models").mkdir(exist_ok=True)
    return SmallExports(shared_folder / "models")


def _readable(task, model, raw):
    endpoints = task.served(model)
    serve = endpoints["serve"]
    (given,) = serve.function_spec.arg_names
    batch = tf.stack([tf.constant(one) for one in raw])
    told = _noted("serve", {given: batch}, serve(batch))
    if "generate" in endpoints:
        # Some write by beams, the others draw.
        width, temperature = (2, 0.0) if model.conditional else (1, 0.7)
        how = {"max_length": 3, "temperature": temperature, "top_k": 3, "top_p": 0.9}
        how = {**how, "beam_width": width, "seed": [1, 2]}
        told |= _noted("generate", {given: batch, **how}, endpoints["generate"](batch, **how))
    if "serve_part" in endpoints:
        state = tf.nest.flatten(model.initial_state(2))
        outputs, after = endpoints["serve_part"](batch, state)
        asked = {given: batch, **_states(state)}
        told |= _noted("serve_part", asked, {**outputs, **_states(after)})
    if "tell" in endpoints:
        read, tell = endpoints["read"], endpoints["tell"]
        # A text also says whether it is the last part.
        asked = dict(zip(read.function_spec.arg_names, (batch[:1], True)))
        told |= _noted("read", asked, _named(read(**asked)))
        outputs = RANDOM.normal(size=[2, tell.input_signature[0].shape[-1]]).astype("float32")
        told |= _noted("tell", {tell.function_spec.arg_names[0]: outputs}, _named(tell(outputs)))
    if "margins" in endpoints:
        told |= _noted("margins", {}, endpoints["margins"]())
    return told


def _named(outputs):
    return outputs if isinstance(outputs, dict) else {"outputs": outputs}


def _numbers(model):
    """By the model's own methods, not its endpoints."""
    inputs = model.example_inputs(2, 3)
    inputs = model.named_inputs(inputs)
    for key, value in inputs.items():
        inputs[key] = RANDOM.integers(1, 5, value.shape).astype(value.dtype)
    if "lengths" in inputs:
        inputs["lengths"] = np.array([3, 2], "int32")
    whole = model.inputs_from(inputs)
    if not numeric_endpoints(model).keys() & {"step"}:
        return _noted("forward", inputs, {"outputs": model(whole)})
    x = inputs[model.steps_on][:, 0]
    if model.conditional:
        condition = inputs[model.condition]
        before = model.encode(condition)
        told = _noted("encode", {model.condition: condition}, _states(before))
        told |= _noted("forward", inputs, {"outputs": model(whole)})
    else:
        start = model.initial_state(2)
        before = model.step(x, start)[1]
        outputs, after = model(whole, state=before, return_state=True)
        told = _noted("initial_state", {"batch_size": 2}, _states(start))
        asked = {**inputs, **_states(before)}
        told |= _noted("forward", asked, {"outputs": outputs, **_states(after)})
    outputs, after = model.step(x, before)
    asked = {"x": x, **_states(before)}
    return told | _noted("step", asked, {"outputs": outputs, **_states(after)})


def _states(state):
    return {f"state_{index}": part for index, part in enumerate(tf.nest.flatten(state))}


def _noted(endpoint, given, outputs):
    """Strings as bytes: a file of objects would need pickle."""
    sides = {"in": given, "out": outputs}
    return {
        f"{endpoint}|{side}|{key}": _array(tf.convert_to_tensor(value))
        for side, named in sides.items()
        for key, value in named.items()
    }


def _array(tensor):
    return tensor.numpy().astype("S") if tensor.dtype == tf.string else tensor.numpy()

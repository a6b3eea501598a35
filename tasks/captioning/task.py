"""Captioning: an image in, a sentence about it out."""

from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy as np
import sacrebleu
import tensorflow as tf
from rich.console import Console
from rich.progress import track

import tasks.captioning.dataset  # noqa: F401  makes `captioned_scenes` known by name
from tasks.captioning.checking import truth_rate
from tasks.captioning.scenes import Object, has_test_only_pair, scene_objects
from tasks.data import load_split
from tasks.images import decode_images, encode_png, stack_images
from tasks.text import END, PADDING, START, UNKNOWN, Vocabulary, most_common
from zoo.decoding import generate
from zoo.errors import UserError
from zoo.registry import register
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows

WORD = r"[\p{L}\p{N}']+"
"""RE2: a word of a caption; punctuation is left out."""

_ROWS = 250


class _Example(NamedTuple):
    image: np.ndarray
    captions: list[str]
    scene: list[Object] | None


@register("task", "captioning", topology="one_to_many", dataset="captioned_scenes", input="image")
class Captioning(Task):
    """Says in words what an image shows.

    Any tensorflow-datasets set with `image`, and `captions` or `caption`, will do. Captions are
    read in lower case and without punctuation.

    Args:
        dataset: its name.
        data_dir: folder of prepared data sets.
        captions_per_image: how many of an image's captions an epoch of training shows, drawn
            anew each time; at least 1.
        max_length: words of the longest caption: what comes after them is cut off in training,
            and no caption that is written gets longer; at least 1.
        minimum_count: a word that occurs less often in the training data is `<unk>`.
        words: the vocabulary; read from the training data if not given.
        image_shape: height, width and channels that images are brought to; the size of the
            training data's first image if not given.

    Raises:
        UserError: `captions_per_image` or `max_length` is too small, or the data set cannot be
            read.
    """

    input_kind = "image"
    default_dataset = "captioned_scenes"

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        captions_per_image: int = 2,
        max_length: int = 40,
        minimum_count: int = 2,
        words: list[str] | None = None,
        image_shape: list[int] | None = None,
    ) -> None:
        super().__init__(dataset, data_dir)
        for name, value in (("captions_per_image", captions_per_image), ("max_length", max_length)):
            if value < 1:
                raise UserError(f"{name} is {value}, but at least 1 is needed")
        self.captions_per_image = captions_per_image
        self.max_length, self.minimum_count = max_length, minimum_count
        if words is None or image_shape is None:
            examples = self._examples("train")
            captions = [caption for example in examples for caption in example.captions]
            words = words or most_common(captions, WORD, minimum_count)
            image_shape = image_shape or list(examples[0].image.shape)
        self.vocabulary = Vocabulary(words, WORD, joiner=" ")
        self.image_shape = image_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "captions_per_image": self.captions_per_image,
            "max_length": self.max_length,
            "minimum_count": self.minimum_count,
            "words": self.vocabulary.tokens,
            "image_shape": self.image_shape,
        }

    def model_options(self) -> dict[str, Any]:
        """Size of the vocabulary and of the images."""
        return {"vocab_size": self.vocabulary.size, "image_shape": self.image_shape}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """`image` `[B, h, w, c]`, uint8, and `tokens` `[B, k, T]`, captions from `<start>` on.

        The next words, up to `<end>`, are the targets. For training, k is `captions_per_image`,
        drawn from all; for evaluation, k is the most that an image has. Where an image has fewer,
        its own come again.
        """
        examples = self._examples(split)
        most = max(len(example.captions) for example in examples)
        rows = [row for e in examples for row in islice(cycle(e.captions), most)]
        ids = self.vocabulary.encode(rows)[:, : self.max_length]
        border = tf.ones_like(ids[:, :1])
        starts, ends = (
            tf.concat(parts, axis=1).to_tensor(PADDING).numpy().reshape(len(examples), most, -1)
            for parts in ([border * START, ids], [ids, border * END])
        )
        inputs = {"image": self._images(examples), "tokens": starts}
        windows = example_windows(inputs, ends, ends != PADDING, settings.batch_size, seed)
        if seed is None:
            return windows
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
        return tf.data.Dataset.zip(windows, seeds).map(self._draw)

    def score(self, model: SequenceModel, split: str, settings: Settings) -> dict[str, float]:
        """`loss` and `accuracy` a word, given all right ones before it; then, of the greedy
        captions, `bleu4` in 0..100 and, where the data set says what its images show,
        `truth_rate`: the share of captions that say nothing wrong, also of the images with a
        colour and kind that were never together in training.
        """
        examples = self._examples(split)
        written = self._write(model, self._images(examples))
        figures = super().score(model, split, settings) | {"bleu4": _bleu(written, examples)}
        told = [(text, e.scene) for text, e in zip(written, examples) if e.scene is not None]
        unseen = [(text, scene) for text, scene in told if has_test_only_pair(scene)]
        for name, share in (("truth_rate", told), ("truth_rate/unseen_pairs", unseen)):
            if share:
                figures[name] = truth_rate(*zip(*share))
        return figures

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """`serve`: image bytes `[N]` to `text`, the greedy captions; `generate`: others, too.

        `generate(images, temperature, seed)` takes a temperature (0 for the most likely word each
        time), and two integers; the draws of an image depend on them and on its place in the
        batch.
        """
        images = tf.TensorSpec([None], tf.string, name="images")

        @tf.function(
            input_signature=[
                images,
                tf.TensorSpec([], tf.float32, name="temperature"),
                tf.TensorSpec([2], tf.int32, name="seed"),
            ]
        )
        def generate(images: Any, temperature: Any, seed: Any) -> dict[str, Any]:
            pixels = decode_images(images, self.image_shape)
            return {"text": self._captions(model, pixels, temperature, seed)}

        @tf.function(input_signature=[images])
        def serve(images: Any) -> dict[str, Any]:
            return generate(images, 0.0, tf.constant([0, 0]))

        return {"serve": serve, "generate": generate}

    def resources(self) -> list[Any]:
        """The vocabulary."""
        return [self.vocabulary]

    def examples(self) -> list[bytes]:
        """Three test images as PNG."""
        return [encode_png(image) for image in self._images(self._examples("test[:3]"))]

    def _draw(self, window: dict[str, Any], seed: Any) -> dict[str, Any]:
        """A window with some captions of each image, each at most once where there are enough."""
        tokens = window["inputs"]["tokens"]
        order = tf.argsort(tf.random.stateless_uniform(tf.shape(tokens)[:2], seed), axis=1)
        drawn = order[:, : self.captions_per_image]
        tokens, targets, weights = (
            tf.gather(part, drawn, axis=1, batch_dims=1)
            for part in (tokens, window["targets"], window["weights"])
        )
        inputs = {**window["inputs"], "tokens": tokens}
        return {**window, "inputs": inputs, "targets": targets, "weights": weights}

    def _captions(self, model: SequenceModel, images: Any, temperature: Any, seed: Any) -> Any:
        """Images `[N, h, w, c]` to strings `[N]`."""
        told = generate(
            model,
            images,
            START,
            self.max_length,
            END,
            temperature=temperature,
            seed=seed,
            banned=(PADDING, UNKNOWN, START),
            watched=False,
        )
        return self.vocabulary.decode(told.tokens, told.lengths)

    def _write(self, model: SequenceModel, images: np.ndarray) -> list[str]:
        """The greedy caption of each image."""
        greedy = tf.function(
            lambda batch: self._captions(model, batch, 0.0, (0, 0)), reduce_retracing=True
        )
        batches = [images[start : start + _ROWS] for start in range(0, len(images), _ROWS)]
        console = Console(stderr=True)
        return [
            text.decode()
            for batch in track(batches, "writing captions", console=console, transient=True)
            for text in greedy(tf.constant(batch)).numpy()
        ]

    def _examples(self, split: str) -> list[_Example]:
        examples = [
            _example(raw, self.dataset) for raw in load_split(self.dataset, split, self.data_dir)
        ]
        captioned = [example for example in examples if example.captions]
        if not captioned:
            raise UserError(f"the data set {self.dataset} has no captions in {split}")
        return captioned

    def _images(self, examples: list[_Example]) -> np.ndarray:
        """All images in one size, `[N, h, w, c]`, uint8."""
        return stack_images([example.image for example in examples], self.image_shape)


def _example(raw: dict[str, Any], dataset: str) -> _Example:
    """What a data set gives for one image."""
    captions = raw.get("captions", raw.get("caption"))
    if "image" not in raw or captions is None:
        raise UserError(
            f"the data set {dataset} has {', '.join(raw)}: choose one with `image` and `captions`"
        )
    texts = captions["text"] if isinstance(captions, dict) else np.atleast_1d(captions)
    objects = raw.get("objects")
    return _Example(
        raw["image"],
        [text.decode().lower() for text in texts],
        scene_objects(objects) if isinstance(objects, dict) else None,
    )


def _bleu(written: list[str], examples: list[_Example]) -> float:
    """BLEU-4 against all captions of each image (Papineni et al. 2002), words as in `WORD`."""
    most = max(len(example.captions) for example in examples)
    references = zip(*(islice(cycle(example.captions), most) for example in examples))
    return sacrebleu.corpus_bleu(written, [list(r) for r in references], lowercase=True).score

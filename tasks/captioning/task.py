"""Captioning: an image in, a sentence about it out."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

import tasks.captioning.dataset  # noqa: F401  makes `captioned_scenes` known by name
from tasks.captioning.captioner import Captioner
from tasks.captioning.checking import truth_rate
from tasks.captioning.looking import words_and_maps
from tasks.captioning.metrics import (
    EXTRA,
    NextImages,
    caption_metrics,
    has_extra,
    picture_gap,
    usual_caption,
)
from tasks.captioning.photographs import photograph_options
from tasks.captioning.sources import Captioned, Source, open_source
from tasks.captioning.windows import caption_windows, draw_captions
from tasks.common.base import DataTask, rule_of, spread
from tasks.common.images import decode_images, encode_png, is_shape
from tasks.common.naive import beside_learned
from tasks.common.networks import SIDE, open_network
from tasks.common.searching import Search, faults, shortest_run
from tasks.common.tokenizers import Words
from tasks.common.units import tokenizer_of
from tasks.common.words import cut_rule
from tasks.common.writing import written_answer
from zoo.decoding import generating
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.loop import RowSums
from zoo.evaluation.plots import attention_over_image
from zoo.readers.images import read_picture
from zoo.readers.modality import modality
from zoo.registry import register
from zoo.task import Case, Written
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import SelfCritical
from zoo.training.settings import Settings
from zoo.utils.html import looked
from zoo.utils.validation import not_empty

UNITS = ("word", "character")
_LEAST = {"word": 3, "character": 12}
"""Tokens of the shortest run that may be barred from coming twice."""
COUNTED = 5000
"""Images for training whose captions say which is usual."""


@register(
    "task",
    "captioning",
    topology="one_to_many",
    dataset="captioned_scenes",
    input="image",
    objective="self_critical",
    baseline="naive",
)
class Captioning(DataTask):
    """Says in words what an image shows.

    Any tensorflow-datasets set with `image`, and `captions` or `caption`, will do, such as
    `coco_captions`; and so does a folder of images and captions in the form of Flickr8k, Flickr30k
    or COCO, see `tasks.captioning.folders.read_folder`, or a table in Parquet that holds both, see
    `tasks.captioning.tables`. Captions are read in lower case and without punctuation; those
    without a word are left out, and all after the first 20 of an image.

    Images are decoded once, resized whole to one size (what is not of its form gets stretched),
    and kept on disk, see `tasks.common.cache`. With a `network`, its last convolution takes their
    place.

    Args:
        dataset: its name, or the path of a folder or a table.
        data_dir: folder of prepared data sets, where decoded images are kept, too.
        unit: "word", of any script, or "character": what a token is.
        captions_per_image: how many of an image's captions an epoch of training shows, drawn
            anew each time; at least 1.
        max_length: tokens of the longest caption: what comes after them is cut off in training,
            and no caption that is written gets longer; at least 1.
        minimum_count: a token that occurs less often in the training data is `<unk>`; where none
            is as common, all are kept.
        beam_width: hypotheses of the beam search that writes captions; 1 takes the likeliest token
            each time.
        length_penalty: the exponent by which it favours longer captions, see
            `zoo.decoding.beams.beam_search`.
        no_repeat_ngram: a run of so many tokens comes once in a caption at most; 0 for any number
            of times. If not given, the shortest of 3 words (12 characters) or more that at most one
            in 100 of the training captions holds twice; and 0 where words are given.
        image_size: height and width that images are brought to; 0 for that of the training data's
            first image, but no side over 128; for a `network`, 224.
        network: name of a network in `keras.applications`, such as "MobileNetV2", that looks at
            the images, in the place of a model's own encoder.
        weights: file of its weights; nothing is downloaded.
        tokenizer: the rule that words are cut by, see `tasks.common.words.word_pattern`; 0 for the
            newest, and for the first where words are given.
        words: the vocabulary; read from the training data if not given.
        image_shape: height, width and channels of the images; as `image_size` says if not given.
        split_rule: see `DataTask`.

    Raises:
        UserError: an option is out of its range, or the data set or the weights cannot be read.
    """

    input_kind = "image"
    default_dataset = "captioned_scenes"
    objective_class = SelfCritical
    counted = "images"
    optional = ("rouge_l", "cider")
    pipeline_tag = "image-to-text"
    data_languages: ClassVar[dict[str, tuple[str, ...]]] = {"captioned_scenes": ("en",)}
    limits = (
        "It knows only pictures like those of its data set, and says something of any other one, "
        "too. Its captions may be wrong without a sign of it."
    )
    vocabularies = ("words",)
    learned = (*DataTask.learned, "image_shape", "no_repeat_ngram")
    searching = ("beam_width", "length_penalty", "no_repeat_ngram")
    once: ClassVar[dict[str, Any]] = {"length_penalty": 1.0}

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        unit: str = "word",
        captions_per_image: int = 2,
        max_length: int = 40,
        minimum_count: int = 2,
        beam_width: int = 5,
        length_penalty: float = 1.2,
        no_repeat_ngram: int | None = None,
        image_size: int = 0,
        network: str = "",
        weights: str = "",
        tokenizer: int = 0,
        words: list[str] | None = None,
        image_shape: list[int] | None = None,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, words))
        for name, value, least in (
            ("captions_per_image", captions_per_image, 1),
            ("max_length", max_length, 1),
            ("image_size", image_size, 0),
        ):
            if value < least:
                raise UserError(f"{name} is {value}, but at least {least} is needed")
        if image_shape is not None and not is_shape(image_shape):
            raise UserError(
                f"image_shape is {image_shape}, but [height, width, 1 or 3] is needed, such as "
                "[96, 96, 3]"
            )
        self.unit, self.tokenizer = unit, cut_rule(tokenizer, known=words is not None)
        make = tokenizer_of(unit, UNITS, "words", rule=self.tokenizer)
        self._words = Words(kind="words", rule=self.tokenizer)
        self.captions_per_image = captions_per_image
        self.max_length, self.minimum_count = max_length, minimum_count
        self.search = Search(beam_width, length_penalty, no_repeat_ngram or 0)
        self._sources: dict[Any, Source] = {}
        if network:
            image_shape = image_shape or [image_size or SIDE, image_size or SIDE, 3]
        self.image_shape = image_shape or self._source().shape(image_size)
        # Before the data are read, which takes longer.
        self.network = open_network(network, weights, self.image_shape)
        if words is None:
            captions = self._plain([c for image in self._data("train").captions for c in image])
            words = make().learn(captions, minimum=minimum_count) or make().learn(captions)
            if no_repeat_ngram is None:
                longest = shortest_run(make(words).encode(captions).to_list(), _LEAST[unit])
                self.search = replace(self.search, no_repeat_ngram=longest)
        self.vocabulary = make(words)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            **super().get_config(),
            "unit": self.unit,
            "captions_per_image": self.captions_per_image,
            "max_length": self.max_length,
            "minimum_count": self.minimum_count,
            **asdict(self.search),
            "network": self.network.name if self.network else "",
            "weights": self.network.weights if self.network else "",
            "tokenizer": self.tokenizer,
            "words": self.vocabulary.tokens,
            "image_shape": self.image_shape,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the size of the vocabulary, and of the images or of the network's features."""
        if self.network:
            seen = {"image_shape": self.network.shape, "encoder": "none"}
        else:
            seen = {"image_shape": self.image_shape}
        return {"vocab_size": self.vocabulary.size, **seen}

    def suited_options(self) -> dict[str, Any]:
        """Return what suits photographs, see `photograph_options`.

        Photographs are all but the bundled scenes, whose captions tell left from right and which
        are as many as a model needs.
        """
        data = self._data("train")
        if all(scene is not None for scene in data.scenes):
            return {}
        return photograph_options(len(data.captions), None if self.network else self.image_shape)

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of `image` `[B, h, w, c]`, uint8, and `tokens` `[B, k, T]`, int32.

        Tokens begin with `<start>`, and the next words, up to `<end>`, are the targets. Of a
        network, `image` is its features, float16. For training, k is `captions_per_image`, drawn
        from all; for evaluation, k is the most that an image has. Where an image has fewer, its
        own come again, with weight 0.
        """
        data = self._data(split)
        windows = self._windows(data, self._images(split, data), settings, seed)
        if seed is None:
            return windows
        return draw_captions(windows, self.captions_per_image, seed)

    def _windows(
        self, data: Captioned, images: Any, settings: Settings, seed: int | None = None
    ) -> tf.data.Dataset:
        """Return windows with as many captions of each image as any of them has."""

        def encode(captions: list[str]) -> tf.RaggedTensor:
            return self.vocabulary.encode(self._plain(captions))[:, : self.max_length]

        return caption_windows(images, data.captions, encode, settings.batch_size, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `loss` and `accuracy` a word after all right ones, and the metrics of captions.

        Those of the captions that the model writes are in `tasks.captioning.metrics`; beside them
        stand those of `naive`.

        `picture_gap` says how many nats a word the captions of people are less likely for the
        next image of the split than for their own: near 0, the model does not look.

        Where the data set says what its images show, `truth_rate` is the share of captions that
        say nothing wrong, also of the images with a colour and kind that were never together in
        training.
        """
        data = self._data(split)
        images = self._images(split, data)
        written, ended = self._captioner(model).caption_all(images)
        objective = self.objective()
        rows = RowSums(model, objective)
        own = rows(self._windows(data, images, settings), self.shown)
        metrics = Evaluation([MetricSums(own, objective.results)])
        metrics += caption_metrics(written, data, self.tokenizer)
        if not has_extra():
            print(EXTRA, file=sys.stderr)
        if len(images) > 1:
            others = self._windows(data, NextImages(images), settings)
            metrics += picture_gap(own, rows(self.shown(others, "showing others")))
        metrics += faults(written, ended, self.tokenizer)
        return beside_learned(metrics, partial(self.naive, split))

    def naive(self, split: str) -> Evaluation:
        """Return the metrics of one caption for all images, the most usual for training.

        It is that of `tasks.captioning.metrics.usual_caption`, of the first `COUNTED` images.
        """
        data = self._data(split)
        caption = usual_caption(self._source().captions("train", COUNTED), self.tokenizer)
        return caption_metrics([caption] * len(data.captions), data, self.tokenizer)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: image bytes `[N]` to `text`, the captions; `generate`: others, too.

        Where the model attends, both also give `tokens` `[N, T]`, the words, "" after the last
        one, and `alignment` `[N, T, S]`: how much each word looked at each of S places, row by
        row of a grid over the image.

        See `zoo.decoding.generating` for what `generate` takes beside the images. Images are taken
        as their bytes are: what EXIF says of a turn is not read here.
        """
        images = tf.TensorSpec([None], tf.string, name="images")

        def answer(images: Any, **options: Any) -> dict[str, Any]:
            seen = self._seen(decode_images(not_empty(images), self.image_shape))
            return self._captioner(model).answer(seen, **options)

        generate = generating(images, answer, self.max_length)

        @tf.function(input_signature=[images], autograph=False)
        def serve(images: Any) -> dict[str, Any]:
            return generate(images, beam_width=self.search.beam_width)

        return {"serve": serve, "generate": generate}

    def plot(self, model: SequenceModel, raw: bytes) -> Figure:
        """Draw the image, lit for each word where the model looked as it wrote it.

        Raises:
            UserError: the model does not attend.
        """
        if not model.attends:
            return super().plot(model, raw)
        words, maps = self._looked(model, raw)
        shown = np.asarray(read_picture(raw, "the image"))
        return attention_over_image(shown[..., None] if shown.ndim == 2 else shown, words, maps)

    def show(self, model: SequenceModel, raw: bytes) -> str:
        """Return the image and its caption: over a word one sees where the model looked at it."""
        shown = modality(self.input_kind).show(raw)
        if not model.attends:
            return shown
        width, height = read_picture(raw, "the image").size
        return looked(shown, width / height, *self._looked(model, raw))

    def written_answer(self, model: SequenceModel, raw: bytes) -> Iterator[Written]:
        """Yield the words of a caption one by one."""
        seen = self._seen(decode_images(tf.constant([raw]), self.image_shape))
        answers = self._captioner(model).likeliest(seen)
        return written_answer(model, seen, answers, self.vocabulary)

    def _looked(self, model: SequenceModel, raw: bytes) -> tuple[list[str], np.ndarray]:
        """Return the T words of a caption, and where the model looked: `[T, rows, columns]`."""
        answers = self.served(model)["serve"](tf.constant([raw]))
        form = self.image_shape[0] / self.image_shape[1]
        return words_and_maps(answers["tokens"][0].numpy(), answers["alignment"][0].numpy(), form)

    def decoding(self) -> str:
        """Say how `serve` looks for its answer."""
        return self.search.sentence(f"{self.unit}s")

    def resources(self) -> list[Any]:
        """Return the vocabulary, and the network's weights."""
        return [self.vocabulary, *(self.network.variables() if self.network else [])]

    def examples(self) -> list[bytes]:
        """Return three test images as PNG."""
        return [encode_png(image) for image in self._source().some("test", self.image_shape, 3)]

    def cases(self, count: int) -> list[Case]:
        """Return test images and a caption of each; right is another of theirs, or a true one."""
        data = self._data("test")

        def is_right(place: int, text: str) -> bool:
            scene = data.scenes[place]
            true = scene is not None and truth_rate([text], [scene]) == 1
            return true or text in data.captions[place]

        return [
            Case(encode_png(data.images[n]), data.captions[n][0], partial(is_right, n))
            for n in spread(len(data.captions), count)
        ]

    def _plain(self, captions: Sequence[str]) -> list[str]:
        """Return captions whose characters are tokens without punctuation, others as they are."""
        if self.unit == "word":
            return list(captions)
        words = self._words.spell(self._words.join(self._words.split(captions)))
        return [caption.decode() for caption in words.numpy()]

    def _captioner(self, model: SequenceModel) -> Captioner:
        return Captioner(model, self.vocabulary, self.search, self.max_length)

    def _source(self) -> Source:
        """Return the source of the current data set, which an evaluation may change."""
        key = (self.dataset, self.data_dir)
        if key not in self._sources:
            self._sources[key] = open_source(*key, self.split_rule)
        return self._sources[key]

    def _data(self, split: str) -> Captioned:
        return self._source().read(split, self.image_shape)

    def _seen(self, images: Any) -> Any:
        """Return the input for images `[N, h, w, c]`: themselves, or the network's features."""
        return self.network.features(images) if self.network else images

    def _images(self, split: str, data: Captioned) -> np.ndarray:
        """Return the inputs for all images of a split; features are computed once."""
        if not self.network:
            return data.images
        return self.network.cached(data.images, [data.key], split, self.data_dir)

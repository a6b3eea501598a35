"""A model that writes captions: from what its encoder takes to tokens and texts."""

from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.searching import Search
from tasks.common.text import END, PADDING, START, UNKNOWN
from tasks.common.tokenizers import Tokenizer
from zoo.decoding import Decoded, generate
from zoo.topologies.base import SequenceModel
from zoo.typing import Tensor
from zoo.utils.progress import progress

_ROWS = 250


class Captioner:
    """Writes captions with a model.

    Args:
        model: a built one.
        vocabulary: of its tokens.
        search: how it looks for the likeliest caption.
        max_length: tokens of the longest caption.
    """

    def __init__(
        self, model: SequenceModel, vocabulary: Tokenizer, search: Search, max_length: int
    ) -> None:
        self.model, self.vocabulary = model, vocabulary
        self.search, self.max_length = search, max_length

    def decoded(self, seen: Tensor, **options: Any) -> Decoded:
        """Return captions as tokens, in the graph.

        Args:
            seen: what the model's encoder takes, `[N, ...]`.
            **options: those of `zoo.decoding.generate`, `max_length` among them.
        """
        options = {"banned": (PADDING, UNKNOWN, START), **self.search.rules(), **options}
        return generate(self.model, seen, START, end=END, **options)

    def likeliest(self, seen: Tensor) -> Decoded:
        """Return the captions that the search comes to, but not where the model looked."""
        return self.decoded(
            seen, max_length=self.max_length, beam_width=self.search.beam_width, watched=False
        )

    def answer(self, seen: Tensor, **options: Any) -> dict[str, Tensor]:
        """Return what an endpoint answers: see `decoded` for what it takes.

        Returns:
            `text` `[N]`; where the model attends, also `tokens` `[N, T]` and `alignment`
            `[N, T, S]`.
        """
        answers = self.decoded(seen, **options)
        text = self._texts(answers)
        if answers.watched is None:
            return {"text": text}
        longest = tf.maximum(tf.reduce_max(answers.lengths), 0)
        inside = tf.sequence_mask(answers.lengths, longest)
        tokens = tf.where(inside, self.vocabulary.words(answers.tokens[:, :longest]), "")
        return {"text": text, "tokens": tokens, "alignment": answers.watched[:, :longest]}

    def caption_all(self, images: np.ndarray) -> tuple[list[str], list[bool]]:
        """Return the likeliest caption of each image, and whether the model ended it itself.

        Args:
            images: what the model's encoder takes, `[N, ...]`; it may lie on disk.
        """

        @tf.function(reduce_retracing=True, autograph=False)
        def write(seen: Tensor) -> tuple[Tensor, Tensor]:
            answers = self.likeliest(seen)
            return self._texts(answers), answers.lengths < self.max_length

        texts: list[str] = []
        ended: list[bool] = []
        starts = range(0, len(images), _ROWS)
        for start in progress(starts, "writing captions"):
            some, ends = write(tf.constant(np.asarray(images[start : start + _ROWS])))
            texts += [text.decode() for text in some.numpy()]
            ended += ends.numpy().tolist()
        return texts, ended

    def _texts(self, answers: Decoded) -> Tensor:
        return self.vocabulary.decode(answers.tokens, answers.lengths)

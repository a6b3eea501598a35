"""What tasks that paint have in common: pictures of a data set, or of a person's own."""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

import tasks.image_generation.dataset  # noqa: F401  makes `binary_digits` known by name
from tasks.common.base import DataTask, rule_of, spread
from tasks.common.images import encode_png
from tasks.common.sources import own_path
from tasks.image_classification.sources import Labelled, NamedPictures, OwnPictures
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.evaluation.paintings import Paintings
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.utils.validation import MOST_PICTURES, checked, named_function


class PaintingTask(DataTask):
    """A task whose data are grey pictures of one size.

    Any tensorflow-datasets set with `image` and `label` will do, or pictures of one's own, see
    `tasks.image_classification.pictures`; colours are read as grey.

    Args:
        dataset: its name, or the path of a folder or a table.
        data_dir: folder of prepared data sets, where decoded pictures are kept, too.
        image_shape: height, width and channels; read from the data set if not given.
        image_size: height and width that pictures are brought to; 0 for their own, or for 64, see
            `tasks.image_classification.task`.
        split_rule: see `DataTask`.

    Raises:
        UserError: an option is out of range, or the data set cannot be read.
    """

    input_kind = "image"
    default_dataset = "binary_digits"
    counted = "pictures"
    draws_examples = True
    learned = (*DataTask.learned, "image_shape")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        image_shape: list[int] | None = None,
        image_size: int = 0,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, image_shape))
        if image_size < 0:
            raise UserError(f"image_size is {image_size}, but 0 or more is needed")
        self.image_size = image_size
        self._opened: dict[tuple[str, str | None], NamedPictures | OwnPictures] = {}
        self.image_shape = image_shape or [*self._source.image_shape(image_size)[:2], 1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        shape = {"image_shape": self.image_shape, "image_size": self.image_size}
        return {**super().get_config(), **shape}

    def model_options(self) -> dict[str, Any]:
        """Return the size of the pictures."""
        return {"image_shape": self.image_shape}

    def examples(self) -> list[Any]:
        """Return three test pictures as PNG."""
        return [case.raw for case in self.cases(3)]

    def cases(self, count: int) -> list[Case]:
        """Return test pictures; no answer is right or wrong."""
        images, _ = self.pictures("test")
        return [Case(encode_png(images[place]), "") for place in spread(len(images), count)]

    def pictures(self, split: str) -> Labelled:
        """Return the pictures of a split, uint8 `[N, h, w, 1]`, and their classes."""
        source = self._source
        return Labelled(*source.read(split, self.image_shape, source.classes))

    @property
    def _source(self) -> NamedPictures | OwnPictures:
        """Return the data set, which an evaluation may change."""
        at = (self.dataset, self.data_dir)
        if at not in self._opened:
            path = own_path(self.dataset, self.default_dataset)
            self._opened[at] = (
                OwnPictures(path, self.data_dir, self.split_rule) if path else NamedPictures(*at)
            )
        return self._opened[at]


class NewPicturesTask(PaintingTask):
    """A task whose models paint new pictures, each from noise of its own.

    Its endpoint `generate` is made by `generating`.
    """

    def generating(self, painted: Callable[[Any, Any], dict[str, Any]]) -> Any:
        """Return an endpoint that takes a `count` and a `seed` of two integers.

        Args:
            painted: of both, to `canvases` `[count, T, h, w, 1]`, 0..1, to `text`, SVGs `[count]`,
                of a model that paints with strokes, and to whatever else it gives.
        """
        how = {"count": tf.TensorSpec([], tf.int32), "seed": tf.TensorSpec([2], tf.int32)}

        def generate(count: Any, seed: Any) -> dict[str, Any]:
            message = f"count must be 1 to {MOST_PICTURES}, but is"
            return painted(checked(count, (count > 0) & (count <= MOST_PICTURES), message), seed)

        return named_function(generate, how, {"count": 16, "seed": [1, 0]})

    def paint(self, model: SequenceModel, count: int, seed: int) -> Paintings:
        """Return new pictures, and how they became."""
        answer = self.served(model)["generate"](count, [seed % 2**31, 0])
        drawings = answer["text"].numpy() if "text" in answer else []
        return Paintings(answer["canvases"].numpy(), [text.decode() for text in drawings])

    def stream(self, model: SequenceModel, prompt: str, sampling: SamplingOptions) -> Iterator[str]:
        """Raise UserError: what is written is a picture."""
        raise UserError("the model paints pictures: give --output FILE.png, or .gif to watch it")


def check_counts(**counts: int) -> None:
    """Raise if a number of things is less than 1.

    Raises:
        UserError: it says which.
    """
    for name, count in counts.items():
        if count < 1:
            raise UserError(f"{name} is {count}, but 1 or more is needed")

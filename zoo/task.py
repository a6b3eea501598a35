"""What a task is: all that lies between a model and the people who use it."""

import abc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation
from zoo.evaluation.loop import evaluate
from zoo.evaluation.paintings import Paintings
from zoo.evaluation.plots import png_of
from zoo.readers.modality import modality
from zoo.readers.panel import Panel
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import CrossEntropy, Objective
from zoo.training.settings import Settings
from zoo.utils.html import image
from zoo.utils.progress import progress


def is_whole(fold: str) -> bool:
    """Return whether a `fold` is that of a model which learns from all, such as "all/5".

    What the data have for the test by itself is not learned from.
    """
    return fold.startswith("all/")


class Case(NamedTuple):
    """An input of the test split, and what is to come of it.

    Attributes:
        raw: as `serve` takes it.
        expected: the answer that the data have; "" where they have none.
        is_right: whether a `text` that `serve` gives is right; None where no answer is.
    """

    raw: Any
    expected: str
    is_right: Callable[[str], bool] | None = None


class Written(NamedTuple):
    """A token of a text that a model reads or writes.

    Attributes:
        text: the token.
        added: whether the model wrote it, rather than read it.
        likely: what it held for likely in its place, and how likely, the likeliest first.
        state: what it knew before it, of which `likely` tells: each part of the state, `[units]`.
    """

    text: str
    added: bool
    likely: list[tuple[str, float]]
    state: list[np.ndarray]


class Task(abc.ABC):
    """What a model is for: where its data come from, and how it takes and gives readable things.

    A task is registered with `@register("task", name, topology=..., dataset=..., input=...)` and
    offered under the entry-point group `zoo.tasks`. Its constructor takes plain values, among them
    whatever was learned from the data (a vocabulary, class names), so that `get_config` makes a
    task that can predict where the data are not.

    Attributes:
        input_kind: the modality of what `serve` is given, such as "text" or "video", see
            `zoo.readers.modality`.
        default_dataset: the bundled data set's name.
        objective_class: what its models are trained for, whose fields are options of a training.
            The task is registered with the name of that, `objective=...`, if it is another. A model
            of the catalog may name one of its own, which the task made for it then has.
        monitor: the metric after each epoch that says which weights are the best: smaller is
            better for a loss, larger for anything else.
        counted: what `measure` counts as one example, in the plural.
        draws_examples: whether a card shows what `plot` draws of its examples.
        searching: constructor arguments that say how answers are looked for, which an evaluation
            may change; of tasks that write.
        fold: which part of the data is held out: that of one of some folds, such as "2/5", or none,
            "all/5"; "" for the usual splits. A task that can do so has it as an option.
        once: what constructor arguments were before they were any, for the config of a run that
            has learned its vocabularies and does not say them.
        optional: metrics that are left out where the package that computes them is missing.
        limits: what a model of the task cannot be trusted with, for its card.
        pipeline_tag: what the Hugging Face Hub calls such a task; "" for what it has no name for.
        data_languages: of bundled data sets by name, as codes of ISO 639, where texts have one.
        vocabularies: constructor arguments that hold tokens learned from the data, to which others
            may be added after them.
        outcomes: those that hold what there is to choose from, such as classes.
        learned: all others that are read from the data where they are not set.
        outcome_options: options of the model that say how many of these there are: its weights for
            them mean nothing where the data are others.
        objective_options: fields of `objective_class` that are not as by default, those of the run
            that the task was made for.

    Args:
        dataset: name of a tensorflow-datasets data set, or a path where the task takes one.
        data_dir: folder of prepared data sets; None for tensorflow-datasets' own default.
    """

    input_kind: str
    default_dataset: ClassVar[str]
    objective_class: type[Objective] = CrossEntropy
    monitor: ClassVar[str] = "val_loss"
    counted: ClassVar[str] = "examples"
    draws_examples: ClassVar[bool] = False
    searching: ClassVar[tuple[str, ...]] = ()
    once: ClassVar[dict[str, Any]] = {}
    fold: str = ""
    optional: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[str] = ""
    pipeline_tag: ClassVar[str] = ""
    data_languages: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    vocabularies: ClassVar[tuple[str, ...]] = ()
    outcomes: ClassVar[tuple[str, ...]] = ()
    learned: ClassVar[tuple[str, ...]] = ()
    outcome_options: ClassVar[tuple[str, ...]] = ("classes", "outputs")

    @property
    def vocabularies_grow(self) -> bool:
        """Return whether tokens can be added after those of the vocabularies.

        Not where these have an order of their own, and spell any text.
        """
        return True

    def __init__(self, dataset: str | None = None, data_dir: str | None = None) -> None:
        if dataset is not None and not dataset.strip():
            raise UserError("the name of the data set is empty: give one, or none for the default")
        self.dataset = dataset or self.default_dataset
        self.objective_options: dict[str, Any] = {}
        self._served: tuple[SequenceModel, dict[str, Any]] | None = None
        # Whole paths, for a run to be used from another folder.
        self.data_dir = os.path.abspath(os.path.expanduser(data_dir)) if data_dir else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as JSON values, with what the data decided."""
        return {"dataset": self.dataset, "data_dir": self.data_dir}

    @abc.abstractmethod
    def model_options(self) -> dict[str, Any]:
        """Return the model's constructor arguments that the data decide, such as `vocab_size`."""

    def suited_options(self) -> dict[str, Any]:
        """Return options of the model and settings of its training that suit the data, by name.

        They take the place of the catalog's, in a run that starts afresh, where a user sets none.
        Those that a model does not have are left out.
        """
        return {}

    def input_options(self) -> dict[str, Any]:
        """Return how raw inputs are read, where that is to be as in training; see `zoo.readers`."""
        return {}

    def check(self, model: SequenceModel) -> None:  # noqa: B027  most have nothing to check
        """Check, before training, that a model can do the task as it is set.

        Raises:
            UserError: it cannot.
        """

    @abc.abstractmethod
    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of a split, as `zoo.training.windows` makes them.

        Args:
            split: "train", "validation" or "test".
            settings: `batch_size` and `window`.
            seed: for training: shuffle, cut streams, augment, from this seed. None reads every
                example once, whole and in order.
        """

    def objective(self, **options: Any) -> Objective:
        """Return what a model is trained for, and whose metrics evaluate it.

        A task whose data decide a part of it adds that here.

        Args:
            options: fields of the task's `objective_class`, which go before `objective_options`.
        """
        return self.objective_class(**{**self.objective_options, **options})

    def score(self, model: SequenceModel, split: str, settings: Settings) -> dict[str, Any]:
        """Return the metrics by which the task is judged, those of `measure`.

        A string among them says how one was measured.
        """
        return self.measure(model, split, settings).metrics()

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return what each example contributes to the metrics; here, to those of the objective."""
        return evaluate(model, self.windows(split, settings), self.objective(), self.shown)

    @property
    def resampled(self) -> str:
        """Return what intervals draw with replacement, in the plural; here, what is counted."""
        return self.counted

    def shown(self, windows: Iterable[Any], title: str = "evaluating") -> Iterable[Any]:
        """Return windows that show a bar on standard error as they are read."""
        return progress(windows, title)

    @abc.abstractmethod
    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return what an export answers to: `tf.function`s with an input signature, by name.

        `serve` is always there: a batch of raw inputs (strings, image bytes, or clips) to a dict
        of tensors, one row an input. `text` among them is the readable answer, a string. It is
        the SavedModel's `serving_default`. Endpoints may use the model's weights and constants
        only, and the tables that `resources` names.
        """

    def served(self, model: SequenceModel) -> dict[str, Any]:
        """Return the endpoints of a model, which are made and traced once."""
        if self._served is None or self._served[0] is not model:
            self._served = (model, self.endpoints(model))
        return self._served[1]

    def prepared(self, steps: Any) -> Any:
        """Bring raw time steps to what the model takes, in the graph; here, they are that already.

        Args:
            steps: `[..., D]`, what `step` and `forward` of an export take, of `raw_windows`.
        """
        return steps

    def output_unit(self, inputs: Mapping[str, np.ndarray]) -> tuple[str, Any]:
        """Return what differences between the forms of an export are measured in; here, numbers.

        A task whose outputs are quantities of any size says what is small beside them.

        Args:
            inputs: of a batch, by their names.

        Returns:
            Its name, such as "the spread of each series", and its size for each row, `[N]`; or ""
            and 1.
        """
        return "", 1.0

    def raw_windows(self, split: str, settings: Settings) -> tf.data.Dataset:
        """Read the windows of a split before they are `prepared`."""
        return self.windows(split, settings)

    def stream(self, model: SequenceModel, prompt: str, sampling: SamplingOptions) -> Iterator[str]:
        """Yield a prompt and the text that continues it, in parts as they are made.

        Args:
            model: a built model.
            prompt: any text, or none.
            sampling: how much to add, and how it is drawn.

        Raises:
            UserError: the task does not continue texts.
        """
        raise UserError(
            f"{type(self).__name__} continues no text: choose a run of a language model, such as "
            "char-lstm"
        )

    def written(
        self, model: SequenceModel, prompt: str, sampling: SamplingOptions
    ) -> Iterator[Written]:
        """Yield the tokens of a prompt and of the text that continues it, each with what the model
        then expects and knows.

        Args:
            model: a built model.
            prompt: any text, or none.
            sampling: how much to add, and how it is drawn, as of `stream`.

        Raises:
            UserError: the task does not continue texts.
        """
        raise UserError(f"{type(self).__name__} continues no text: choose a language model")

    def written_answer(self, model: SequenceModel, raw: Any) -> Iterator[Written]:
        """Yield the tokens of the answer to one input, of a model that reads it and then writes.

        Args:
            model: a built model.
            raw: as `serve` takes it.

        Raises:
            UserError: the task's models do not write their answers.
        """
        raise UserError(f"{type(self).__name__} writes no answers: choose a translation model")

    def draw_paths(self, paths: int) -> None:
        """Measure the answers of drawn paths, too, so many of each input together.

        Raises:
            UserError: the models of the task draw none that can be averaged, or not so many.
        """
        raise UserError(
            f"{type(self).__name__} averages no drawn paths: leave out paths, or choose a model "
            "such as dram-pairs"
        )

    def paint(self, model: SequenceModel, count: int, seed: int) -> Paintings:
        """Return new pictures, and how they became.

        Args:
            model: a built model.
            count: how many pictures.
            seed: the same seed paints the same pictures.

        Raises:
            UserError: the task paints none.
        """
        raise UserError(
            f"{type(self).__name__} paints no pictures: choose a run of a model that does, such as "
            "draw-digits"
        )

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw how the model came to its answer, see `zoo.evaluation.plots`.

        Args:
            model: a built model.
            raw: one input, as `serve` takes it.

        Raises:
            UserError: the model has nothing of that kind to show.
        """
        raise UserError(
            "there is nothing to draw of one answer: choose a model with attention, such as "
            "translate-gru-attention, or leave out the input"
        )

    def show(self, model: SequenceModel, raw: Any) -> str:
        """Return an example as safe HTML for a report, see `zoo.utils.html`.

        Here it is the input, as its modality shows it, and what `plot` draws of the answer, if
        anything.

        Args:
            model: a built model.
            raw: one input, as `serve` takes it.
        """
        shown = modality(self.input_kind).show(raw)
        try:
            figure = self.plot(model, raw)
        except UserError:
            return shown
        return shown + image(png_of(figure, dpi=70), "png", "how the model came to its answer")

    def panel(self) -> Panel:
        """Return how a page lets a person make an input by hand; here, as its modality says."""
        return Panel(modality(self.input_kind).made)

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw the answers to a split, such as what was taken for what.

        Raises:
            UserError: the task has none.
        """
        raise UserError("there is nothing to draw of a whole split: give an input")

    def resources(self) -> list[Any]:
        """Return lookup tables and the like, which an export must keep alive."""
        return []

    @abc.abstractmethod
    def examples(self) -> list[Any]:
        """Return a few raw inputs of the test split: str, encoded image bytes, or arrays."""

    def cases(self, count: int) -> list[Case]:
        """Return up to `count` small inputs of the test split with what is expected of them."""
        return [Case(raw, "") for raw in self.examples()[:count]]

    def numbers(self) -> str:
        """Return what a card says that `forward` and `step` of an export take; "" for nothing."""
        return ""

    def decoding(self) -> str:
        """Say how `serve` chooses the text it writes, for the card; "" where there is no choice."""
        return ""

    def data_card(self) -> dict[str, Any]:
        """Return what the data are: `name`, `version`, `description`, `licence`, and `splits`.

        Each split has its number of `examples` and `sha256`, its fingerprint.
        """
        return {"name": self.dataset}

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of the examples of a split, or "" where it cannot be told."""
        return ""

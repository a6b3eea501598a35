"""The adding problem."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

import tasks.adding.dataset  # noqa: F401  makes `adding` known by name
from tasks.common.base import DataTask, spread
from tasks.common.data import load_split
from tasks.common.naive import beside
from tasks.common.streams import tell
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.loop import evaluate
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import SquaredError
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.utils.validation import checked_steps

_FEATURES = ("sequence", "target")


@register(
    "task",
    "adding",
    topology="many_to_one",
    dataset="adding/100",
    input="sequence",
    objective="squared_error",
    baseline="naive",
)
class Adding(DataTask):
    """Says the sum of the two marked numbers of a sequence.

    `loss` is the mean squared error; an answer is right, for `accuracy`, that misses the sum by
    less than 0.04. The naive answer is always the mean of the sums that are measured, whose error
    is about 1/6.

    Args:
        dataset: `adding/100`, or another length; or any tensorflow-datasets set with `sequence`,
            float `[T, 2]` with one T, and `target`, a number.
        data_dir: folder of prepared data sets.

    Source: S. Hochreiter and J. Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, experiment 4.
    """

    input_kind = "sequence"
    default_dataset = "adding/100"
    objective_class = SquaredError
    counted = "sequences"
    limits = (
        "It adds the two marked numbers, from 0 to 1, of sequences about as long as those of its "
        "data set; longer ones were never tried."
    )

    def model_options(self) -> dict[str, Any]:
        """Return no options: numbers and marks in, one number out."""
        return {"classes": 1, "frame_shape": [2]}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of sequences `[B, T, 2]` with one target each, float32."""
        examples = load_split(self.dataset, split, self.data_dir, _FEATURES)
        frames = np.stack([example["sequence"] for example in examples])
        targets = np.array([example["target"] for example in examples], "float32")
        inputs = {"frames": frames, "lengths": np.full(len(frames), frames.shape[1], "int32")}
        return example_windows(inputs, targets, np.ones(len(targets)), settings.batch_size, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `accuracy`, and `loss` also under its name, `mean_squared_error`."""
        windows = self.windows(split, settings)
        objective = SquaredError(**self.objective_options)
        own = evaluate(model, windows, objective, self.shown)
        targets = np.concatenate([each["targets"][each["weights"] > 0] for each in windows])
        miss = targets - targets.mean(dtype="float64")
        rows = np.column_stack([miss**2, np.ones(len(miss)), np.abs(miss) < objective.near])
        naive = Evaluation([MetricSums(rows, objective.results)])
        return beside(own.also(_more_metrics), naive.also(_more_metrics))

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: sequences `[N, T, 2]`, float32, to `value`, the sum, and its `text`."""
        sequences = tf.TensorSpec([None, None, 2], tf.float32, name="sequences")

        @tf.function(input_signature=[sequences], autograph=False)
        def serve(sequences: Any) -> dict[str, Any]:
            sequences = checked_steps(sequences)
            size = tf.shape(sequences)
            answers = model({"frames": sequences, "lengths": tf.fill([size[0]], size[1])})
            return _readable(tf.cast(answers, tf.float32))

        if not model.steppable:
            return {"serve": serve}

        @tf.function(
            input_signature=[tf.TensorSpec([1, None, 2], tf.float32, name="sequences")],
            autograph=False,
        )
        def read(sequences: Any) -> dict[str, Any]:
            return {"x": sequences[0]}

        return {"serve": serve, "read": read, "tell": tell(1, _readable)}

    def examples(self) -> list[np.ndarray]:
        """Return three test sequences."""
        examples = load_split(self.dataset, "test[:3]", self.data_dir, _FEATURES)
        return [example["sequence"] for example in examples]

    def cases(self, count: int) -> list[Case]:
        """Return test sequences and their sums; right is what `accuracy` counts as such."""
        examples = load_split(self.dataset, "test", self.data_dir, _FEATURES)
        chosen = [examples[place] for place in spread(len(examples), count)]

        near = SquaredError(**self.objective_options).near

        def is_right(target: float, text: str) -> bool:
            return abs(float(text) - target) < near

        return [
            Case(each["sequence"], f"{each['target']:.3f}", partial(is_right, each["target"]))
            for each in chosen
        ]


def _more_metrics(metrics: dict[str, float]) -> dict[str, float]:
    return {"mean_squared_error": metrics["loss"]}


def _readable(answers: Any) -> dict[str, Any]:
    value = answers[:, 0]
    return {"text": tf.strings.as_string(value, precision=3), "value": value}

"""What a tagger's memory is worth: its accuracy with the state carried from window to window, and
with the state reset at each.

    zoo fit highlight-lstm
    zoo fit highlight-lstm --set carry=false
    python -m benchmarks.carried_state runs/highlight-lstm/1 runs/highlight-lstm/2

After a reset, the first outputs of a window are due for characters of the window before, which
the model can no longer know. So the figures are those of all characters, and for those alone
that were read in the window in which they are labelled.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import tensorflow as tf

import zoo
from tasks.tagging.task import Tagging
from zoo.api.run import open_run
from zoo.errors import UserError
from zoo.evaluation.loop import evaluate

RESULTS = Path(__file__).parent / "results" / "carried_state.md"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="run folder of a tagging model")
    try:
        rows = [row for run in parser.parse_args().runs for row in measure(run)]
    except UserError as error:
        parser.error(str(error))
    head = [
        f"Measured on {date.today()} with `python -m benchmarks.carried_state`: "
        "accuracy on the test split.",
        "",
        "| model | window | trained | evaluated | all characters | read in the window |",
        "|---|---|---|---|---|---|",
    ]
    table = "\n".join([*head, *rows]) + "\n"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(table, encoding="utf-8")
    print(table)


def measure(run: str) -> list[str]:
    """The accuracies of a run with the state carried and reset, as rows of a table."""
    config = open_run(run).config
    if config.task != "tagging":
        raise UserError(f"{run} was trained for {config.task}: give a run of a tagging model")
    model, settings = zoo.load(run), config.training
    rows = []
    for carry in (True, False):
        task = Tagging(**{**config.task_options, "carry": carry})
        windows = task.windows("test", settings)
        metrics = [
            evaluate(model, some, task.objective()).metrics()
            for some in (windows, read_in_window(windows, task))
        ]
        modes = (config.task_options["carry"], carry)
        words = ["carried" if carries else "reset" for carries in modes]
        accuracies = [f"{each['accuracy']:.4f}" for each in metrics]
        columns = [config.model, str(settings.window), *words, *accuracies]
        rows.append(f"| {' | '.join(columns)} |")
    return rows


def read_in_window(windows: tf.data.Dataset, task: Tagging) -> tf.data.Dataset:
    """The same windows, without the classes of characters of the window before."""

    def weigh(window: dict[str, Any]) -> dict[str, Any]:
        steps = tf.range(tf.shape(window["weights"])[1])
        return {**window, "weights": window["weights"] * tf.cast(steps >= task.delay, tf.float32)}

    return windows.map(weigh)


if __name__ == "__main__":
    main()

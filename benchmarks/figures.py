"""What the models reach: fits each by its default command, evaluates it on the test split.

    python -m benchmarks.figures                    # every model; takes an hour
    python -m benchmarks.figures digits-cnn         # one of them
    python -m benchmarks.figures translate-gru --dataset cldr_phrases/en-de

Prints a line a model and keeps it in benchmarks/results/figures.md, in the place of an older one.
Says of an older figure that lies outside of the interval of the new one that it moved: then
docs/results.md is to be looked at, and whatever changed the model. Exits with 1 if one moved, or if
a model falls short of what its task asks for.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import zoo
from zoo.api.load import restore
from zoo.exporting.card.card import measured_metrics

RESULTS = Path(__file__).parent / "results" / "figures.md"
HEAD = "| command | test figures | minutes |\n|---|---|---|\n"
SHOWN = (
    "accuracy",
    "f1",
    "bound",
    "error",
    "perplexity",
    "bits_per_character",
    "truth_rate",
    "truth_rate/unseen_pairs",
    "bleu4",
    "exact_match",
)
FLOORS = {
    "image_classification": ("accuracy", 0.97),
    "captioning": ("truth_rate", 0.85),
    "video_classification": ("accuracy", 0.95),
    "tagging": ("accuracy", 0.97),
    "sequence_labelling": ("accuracy", 0.95),
    "translation": ("exact_match", 0.75),
    "ram-scattered": ("accuracy", 0.90),
    "dram-pairs": ("exact_match", 0.90),
    "dram-sequence": ("exact_match", 0.85),
    "dram-sum": ("accuracy", 0.90),
}
"""By task, or by model; the language models' is measured: see benchmarks/ngram_baseline.py."""


class Measured(NamedTuple):
    """One model's result: what was typed, the metrics with their intervals, how long it took."""

    command: str
    figures: dict[str, Any]
    minutes: float

    def row(self) -> str:
        """A line of the table, without its borders."""
        shown = [f"{key} {self.figures[key]:.4f}" for key in SHOWN if key in self.figures]
        return f"`{self.command}` | {', '.join(shown)} | {self.minutes:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=zoo.list_models(), metavar="NAME")
    parser.add_argument("--dataset")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.names:
        measured = measure(name, arguments.dataset)
        print(measured.row())
        for line in moved(measured):
            print(f"{name}: {line}", file=sys.stderr)
            failed = True
        keep(measured)
        figure, floor = FLOORS.get(name) or FLOORS.get(zoo.describe(name)["task"], ("", 0.0))
        if measured.figures.get(figure, 1.0) < floor:
            print(f"{name}: {figure} is below {floor}", file=sys.stderr)
            failed = True
    sys.exit(failed)


def measure(name: str, dataset: str | None = None) -> Measured:
    """Run `zoo fit` as a user would, and measure with intervals, as its card would."""
    options = [name, *(["--dataset", dataset] if dataset else [])]
    start = time.monotonic()
    run = _zoo("fit", *options).strip().splitlines()[-1]
    minutes = (time.monotonic() - start) / 60
    figures: dict[str, Any] = {}
    for figure, parts in measured_metrics(restore(run))["values"].items():
        figures[figure] = parts["value"]
        figures |= {f"{figure}_{end}": parts[end] for end in ("low", "high")}
    return Measured(f"zoo fit {' '.join(options)}", figures, minutes)


def _zoo(*arguments: str) -> str:
    program = Path(sys.executable).with_name("zoo")
    return subprocess.run(
        [program, *arguments], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def moved(measured: Measured, results: Path = RESULTS) -> list[str]:
    """Return a line for each figure of the row before that the new interval does not hold."""
    row = _rows(results).get(_key(measured), "")
    lines = []
    for figure, value in re.findall(r"(\S+) ([0-9.]+)(?=[, ])", row):
        low, high = (measured.figures.get(f"{figure}_{end}") for end in ("low", "high"))
        if low is not None and high is not None and not low <= float(value) <= high:
            now = measured.figures[figure]
            lines.append(f"{figure} moved from {value} to {now:.4f} ({low:.4f} to {high:.4f})")
    return lines


def keep(measured: Measured, results: Path = RESULTS) -> None:
    """Write the row into the table, sorted by command."""
    rows = {**_rows(results), _key(measured): f"| {measured.row()} |"}
    results.parent.mkdir(exist_ok=True)
    results.write_text(HEAD + "\n".join(rows[key] for key in sorted(rows)) + "\n", "utf-8")


def _key(measured: Measured) -> str:
    return f"| `{measured.command}`"


def _rows(results: Path) -> dict[str, str]:
    lines = results.read_text(encoding="utf-8").splitlines()[2:] if results.exists() else []
    return {line.split(" | ")[0]: line for line in lines}


if __name__ == "__main__":
    main()

"""What the models reach: fits each by its default command, evaluates it on the test split.

    python -m benchmarks.figures                    # every model; takes an hour
    python -m benchmarks.figures digits-cnn         # one of them
    python -m benchmarks.figures translate-gru --dataset cldr_phrases/en-de

Prints a line a model and keeps it in benchmarks/results/figures.md, in the place of an older one.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import zoo

RESULTS = Path(__file__).parent / "results" / "figures.md"
HEAD = "| command | test figures | minutes |\n|---|---|---|\n"
SHOWN = (
    "accuracy",
    "perplexity",
    "bits_per_character",
    "truth_rate",
    "truth_rate/test_only",
    "bleu4",
    "exact_match",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=zoo.list_models(), metavar="NAME")
    parser.add_argument("--dataset")
    arguments = parser.parse_args()
    for name in arguments.names:
        options = ["--dataset", arguments.dataset] if arguments.dataset else []
        keep(*measure([name, *options]))


def measure(options: list[str]) -> tuple[str, str]:
    """The command, and the rest of its row."""
    start = time.monotonic()
    run = _zoo("fit", *options).strip().splitlines()[-1]
    minutes = (time.monotonic() - start) / 60
    figures = json.loads(_zoo("evaluate", run, "--json"))
    shown = ", ".join(f"{key} {figures[key]:.4f}" for key in SHOWN if key in figures)
    return f"`zoo fit {' '.join(options)}`", f"{shown} | {minutes:.1f}"


def _zoo(*arguments: str) -> str:
    program = Path(sys.executable).with_name("zoo")
    return subprocess.run(
        [program, *arguments], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def keep(command: str, rest: str) -> None:
    """Write the row into the table, sorted by command."""
    print(f"{command}: {rest}")
    lines = RESULTS.read_text(encoding="utf-8").splitlines()[2:] if RESULTS.exists() else []
    rows = {line.split(" | ")[0]: line for line in lines}
    rows[f"| {command}"] = f"| {command} | {rest} |"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(HEAD + "\n".join(rows[key] for key in sorted(rows)) + "\n")


if __name__ == "__main__":
    main()

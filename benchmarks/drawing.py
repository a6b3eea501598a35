"""How many nats a picture of `binary_digits` costs: DRAW, a VAE of its size, and no model.

    python -m benchmarks.drawing                    # some ten minutes of processor time
    python -m benchmarks.drawing --runs my-runs     # measures the runs that are there already

Prints the table and writes it to benchmarks/results/drawing.md.
"""

import argparse
import shlex
from pathlib import Path
from typing import Any

import zoo
from benchmarks.ready_models import newest
from benchmarks.side_by_side import write_table
from zoo.api.load import restore

COMMANDS = {
    "DRAW": "zoo fit draw-digits",
    "DRAW without attention": "zoo fit draw-digits-full",
    "VAE (one stroke without attention)": "zoo fit draw-digits-full --set glimpses=1 "
    "--set latent=32",
}
HEAD = ["", "command", "parameters", "bound", "95% interval", "reconstruction", "KL", "50 draws"]
NOTES = (
    "Nats a picture of the test part, 359 digits, with a bootstrap over digits. The bound is the "
    "evidence lower bound with its sign turned, beside it stands the importance-weighted one "
    "of 50 draws. The last rows are what `zoo evaluate` prints as `pixels` and `classes`."
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/drawing"))
    parser.add_argument("--data-dir")
    asked = parser.parse_args()
    rows: list[list[Any]] = []
    naive: dict[str, tuple[str, str]] = {}
    for number, (title, command) in enumerate(COMMANDS.items()):
        run = run_of(command, asked.runs / str(number), asked.data_dir)
        trained = restore(run)
        measured = trained.task.measure(trained.model, "test", trained.settings)
        metrics, ends = measured.metrics(), measured.intervals()
        low, high = ends["bound"]
        shown = [metrics[key] for key in ("reconstruction", "kl", "importance_bound")]
        rows.append(
            [
                title,
                f"`{command}`",
                f"{trained.model.count_params():,}",
                f"{metrics['bound']:.1f}",
                f"{low:.1f} to {high:.1f}",
                *(f"{value:.1f}" for value in shown),
            ]
        )
        for key in ("classes", "pixels"):
            low, high = ends[f"{key}/bound"]
            naive[key] = (f"{metrics[f'{key}/bound']:.1f}", f"{low:.1f} to {high:.1f}")
    for key, title in (
        ("classes", "independent pixels in each class"),
        ("pixels", "independent pixels"),
    ):
        rows.append([title, "", "", *naive[key], "", "", ""])
    write_table("drawing", "python -m benchmarks.drawing", HEAD, rows, NOTES)


def run_of(command: str, runs: Path, data_dir: str | None) -> Any:
    """The run that a command makes, or has made in this folder."""
    _, _, name, *words = shlex.split(command)
    if there := newest(runs, name):
        return there
    pairs = (word.split("=") for word in words if word != "--set")
    options = {key: int(value) for key, value in pairs}
    return zoo.fit(name, runs=runs, data_dir=data_dir, **options)


if __name__ == "__main__":
    main()

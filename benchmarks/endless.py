"""The peak memory of training a language model on a text, and on one a hundred times as long.

    python -m benchmarks.endless

Each trains in a process of its own for one epoch over all of the text, with a validation of 5% of
it, and the figure is the most memory that the process ever held. The text is generated: articles
of nonsense words under WikiText headings.
"""

import argparse
import contextlib
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.progress import track

from benchmarks.side_by_side import STDERR, write_table

SIZES = (200_000, 20_000_000)
ARTICLE = 20_000
OPTIONS = {"epochs": 1, "batch_size": 64, "window": 512, "units": 16, "layers": 1}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    if path := parser.parse_args().measure:
        print(measure(path))
        return
    peaks = [in_a_process(size) for size in track(SIZES, "endless", console=STDERR)]
    rows = [
        [f"{size / 1e6:g}", f"{peak / 2**20:.0f}", f"{peak / peaks[0]:.3f}"]
        for size, peak in zip(SIZES, peaks)
    ]
    head = ["characters, million", "peak memory, MB", "ratio"]
    write_table("endless", "python -m benchmarks.endless", head, rows)


def in_a_process(size: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        write_text(path, size)
        command = [sys.executable, "-m", "benchmarks.endless", "--measure", str(path)]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return int(result.stdout.splitlines()[-1])


def write_text(path: Path, size: int) -> None:
    """Articles until there are so many characters, the same each time."""
    draw = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkqjxz"
    words = ["".join(draw.choices(letters, k=draw.randint(1, 9))) for _ in range(5000)]
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            file.write(f" \n = {' '.join(draw.choices(words, k=3))} = \n \n")
            end = file.tell() + ARTICLE
            while file.tell() < end:
                file.write(" ".join(draw.choices(words, k=draw.randint(5, 200))) + " . \n")


def measure(path: str) -> int:
    """The most bytes held while training on a text."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import zoo

    with tempfile.TemporaryDirectory() as runs, contextlib.redirect_stdout(sys.stderr):
        zoo.fit("char-lstm", dataset=path, runs=runs, **OPTIONS)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()

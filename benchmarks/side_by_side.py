"""Contenders that take turns, and the tables of what they needed."""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console

RESULTS = Path(__file__).parent / "results"
STDERR = Console(stderr=True)


def medians(contenders: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each: they take turns, so that whatever else runs meets all of them.

    A turn is two runs, of which the second counts: the first meets the caches of the contender
    before, and its threads, which go on spinning for a while. A contender may return the seconds
    that it took, where it runs in another process.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for repeat in range(repeats + 1):
        for name, run in contenders.items():
            run()
            start = time.perf_counter()
            result = run()
            took = result if isinstance(result, float) else time.perf_counter() - start
            if repeat:
                seconds[name].append(took)
    return {name: statistics.median(values) for name, values in seconds.items()}


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.1f}"


def write_table(
    name: str, command: str, head: list[str], rows: Iterable[list[Any]], notes: str = ""
) -> None:
    """Print a table and keep it in `results/NAME.md`, with what made it."""
    libraries = [
        f"{lib} {version}" for lib in ("tensorflow", "keras", "torch") if (version := _of(lib))
    ]
    lines = [
        f"Measured on {date.today()} with `{command}`: {', '.join(libraries)}, "
        f"{os.cpu_count()} CPU cores.",
        *([notes] if notes else []),
        "",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
        *[f"| {' | '.join(map(str, row))} |" for row in rows],
    ]
    table = "\n".join(lines) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
    print(table)


def _of(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None

"""Trainings that take turns, an epoch each, so that whatever else runs meets all of them.

A side is a program that prints a JSON line when it is ready, and one after each turn. It starts a
turn when it reads a line. A turn is an epoch and its validation; the last one is the test.
"""

import json
import subprocess
import sys
import time
from typing import Any

WARM = 10


class Clock:
    """Times the training steps of an epoch, from now on.

    The first steps are not counted: there a side compiles, and meets the caches and the spinning
    threads of the side before. The others stand for them.

    Args:
        steps: of the epoch, at least 2.
    """

    def __init__(self, steps: int) -> None:
        self.steps, self.warm, self.done = steps, min(WARM, steps // 2), 0
        self.times = [time.perf_counter()]

    def step(self) -> None:
        """A step has ended."""
        self.done += 1
        if self.done in (self.warm, self.steps):
            self.times.append(time.perf_counter())

    def figures(self) -> dict[str, float]:
        """`seconds` of the epoch, and of its `first` steps, those that are not counted."""
        began, warmed, ended = self.times
        seconds = (ended - warmed) * self.steps / (self.steps - self.warm)
        return {"seconds": seconds, "first": warmed - began}


def tell(**figures: Any) -> None:
    """Print a JSON line, at once."""
    print(json.dumps(figures), flush=True)


class Side:
    """A side's process, seen from a benchmark; `facts` is what it printed when it was ready."""

    def __init__(self, module: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *options, "--turns"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.module = module

    def __enter__(self) -> "Side":
        self.facts = self._read()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()

    def turn(self) -> dict[str, Any]:
        """Let it have a turn, and return what it prints after it."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.module} ended early; its last lines above say why")
        return json.loads(line)

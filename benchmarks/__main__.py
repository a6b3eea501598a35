"""What `make bench` runs: every benchmark of the engine, one after the other."""

import subprocess
import sys

NAMES = (
    "training",
    "cells",
    "inference",
    "stepping",
    "decoding",
    "attention",
    "memory",
    "mechanisms",
    "training_loop",
    "endless",
    "language_model",
)

if __name__ == "__main__":
    for name in NAMES:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)

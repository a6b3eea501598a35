"""What `make bench` runs, one after the other: whatever says how fast the zoo is beside others.

    python -m benchmarks [--all]

With `--all` also what it takes of memory, and what makes it fast.
"""

import argparse
import subprocess
import sys
import time

# With the options that let all of them end within 25 minutes on two cores.
SPEED = (
    ["keras_fit"],
    ["training"],
    ["evaluation"],
    ["cells"],
    ["inference"],
    ["attention"],
    ["decoding"],
    ["language_model", "--epochs", "3"],
    ["stepping"],
    ["forecast_step"],
)
MORE = (["memory"], ["mechanisms"], ["training_loop"], ["endless"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="also memory and mechanisms")
    commands = SPEED + MORE if parser.parse_args().all else SPEED
    for name, *options in commands:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=True)
        print(f"{name}: {(time.perf_counter() - began) / 60:.1f} minutes\n", flush=True)


if __name__ == "__main__":
    main()

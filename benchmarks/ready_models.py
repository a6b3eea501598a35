"""Make the ready-trained models in `saved_models/` again: train, export, measure, write the cards.

    python -m benchmarks.ready_models                      all, in about an hour
    python -m benchmarks.ready_models digits-cnn
    python -m benchmarks.ready_models --runs my-runs       export runs that are there already

Each is the model of the catalog, in a size that fits into 3 MB.
"""

import argparse
from pathlib import Path
from typing import Any

import zoo
from zoo.api.run import Run
from zoo.pretrained import FOLDER

MODELS: dict[str, dict[str, Any]] = {
    "digits-cnn": {},
    "digits-mlp": {},
    "caption-lstm-attention": {"units": 128},
    "draw-digits": {},
    "spiral-digits": {},
    "ram-scattered": {},
    "dram-pairs": {},
    "video-gru": {"units": 112},
    "sequence-gru": {},
    "text-lstm": {"embedding": 48, "ngrams": 0},
    "adding-lstm": {},
    "forecast-gru": {},
    "volatility-gru": {},
    "char-lstm": {"units": 304},
    "char-rnn": {"units": 576},
    "highlight-gru": {},
    "tagger-bilstm": {"units": 80, "embedding": 64},
    "translate-gru-attention": {
        "units": 88,
        "embedding": 64,
        "attention_units": 64,
        "dropout": 0.1,
        "learning_rate": 0.002,
    },
}
FORMATS = ("saved_model", "litert_quantised")


def newest(runs: Path, name: str) -> Run | None:
    """The last run of a model that is there."""
    numbers = [int(p.name) for p in (runs / name).glob("*") if (p / "config.json").is_file()]
    return Run(runs / name / str(max(numbers))) if numbers else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="as `zoo list` shows them")
    parser.add_argument("--runs", type=Path, help="export the newest runs in this folder")
    asked = parser.parse_args()
    for name in asked.names or MODELS:
        run = newest(asked.runs, name) if asked.runs else None
        run = run or zoo.fit(name, **MODELS[name])
        path = zoo.export(run, FOLDER / name, overwrite=True, formats=FORMATS)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        print(f"{path}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

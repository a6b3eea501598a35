"""A word language model against PyTorch's: time of an epoch, and perplexity after it.

    python -m benchmarks.language_model                       # the bundled Python reference
    python -m benchmarks.language_model --dataset wikitext-2 --epochs 6

Both train two LSTM layers of 200 units, the embedding tied with the decoder, as PyTorch's
word_language_model example does: the zoo's `word-lstm-pytorch`, and
`benchmarks.torch_language_model`. They read the same folder of train, valid and test texts, words
between spaces, and take turns, an epoch each, in processes of their own.
"""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.ngram_baseline import load_texts
from benchmarks.side_by_side import STDERR, write_table
from benchmarks.torch_contenders import INSTALLED
from benchmarks.turns import WARM, Side
from benchmarks.word_files import SPLITS, UNKNOWN
from tasks.common.words import commonest
from tasks.language_modelling.text import MINIMUM_COUNT, tokens_of

BUNDLED = "python_docs"
SIDES = {"zoo": "benchmarks.zoo_language_model", "torch": "benchmarks.torch_language_model"}
HEAD = ["epoch", "zoo, s", "torch, s", "torch / zoo", "zoo, perplexity", "torch, perplexity"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", metavar="FOLDER", help="of train, valid, test .txt or .gz")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--steps", type=int, default=0, help="of an epoch, at most; 0: all")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.dataset or scratch
        if not options.dataset:
            write_bundled(Path(scratch))
        turns_of, facts = train_in_turns(Path(folder), options.epochs, options.steps)
    named = f" --dataset {Path(folder).name}" if options.dataset else ""
    command = f"python -m benchmarks.language_model{named} --epochs {options.epochs}"
    if options.steps:
        command += f" --steps {options.steps}"
    name = f"language_model_{Path(folder).name}" if options.dataset else "language_model"
    write_table(name, command, HEAD, rows(turns_of), notes(turns_of, facts))


def train_in_turns(folder: Path, epochs: int, steps: int) -> tuple[dict, dict]:
    """What each side printed after each of its turns, and when it was ready."""
    arguments = ["--data", str(folder), "--epochs", str(epochs), "--steps", str(steps)]
    with contextlib.ExitStack() as stack:
        names = SIDES if INSTALLED else ["zoo"]
        sides = {name: stack.enter_context(Side(SIDES[name], *arguments)) for name in names}
        turns_of: dict[str, list[dict]] = {name: [] for name in sides}
        for _ in track(range(epochs + 1), "language model", console=STDERR):
            for name, side in sides.items():
                turns_of[name].append(side.turn())
        return turns_of, {name: side.facts for name, side in sides.items()}


def rows(turns_of: dict[str, list[dict]]) -> list[list[Any]]:
    """An epoch each, then the test; what PyTorch did not run stays blank."""
    blank = [{}] * len(turns_of["zoo"])
    table = []
    for zoo, torch in zip(turns_of["zoo"], turns_of.get("torch", blank)):
        name = "valid" if "epoch" in zoo else "test"
        reached = [_shown(side.get(name), 2) for side in (zoo, torch)]
        times = [side.get("seconds") for side in (zoo, torch)]
        ratio = times[1] / times[0] if all(times) else None
        shown = [*(_shown(seconds, 1) for seconds in times), _shown(ratio, 2)]
        table.append([zoo.get("epoch", "test"), *shown, *reached])
    return table


def _shown(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def notes(turns_of: dict[str, list[dict]], facts: dict[str, dict]) -> str:
    """What was run, and what the seconds leave out."""
    sizes = "; ".join(
        f"{name}: {fact['vocabulary']:,} words, {fact['parameters']:,} weights, "
        f"{fact['steps']:,} steps an epoch"
        for name, fact in facts.items()
    )
    first = ", ".join(f"{name} {turns[0]['first']:.1f} s" for name, turns in turns_of.items())
    return (
        f"{sizes}. Seconds are those of the training steps, without validation. The first {WARM} "
        "steps of an epoch are not counted, and the others stand for them; in the first epoch, "
        f"where the zoo compiles, they took {first}. Perplexities are of the validation text, in "
        "the last row of the test text with the best weights; both predict every word of them."
    )


def write_bundled(folder: Path) -> None:
    """The bundled text as three files of words, one line a line, rare words as `<unk>`."""
    texts = {
        split: load_texts(BUNDLED, split.replace("valid", "validation"), None) for split in SPLITS
    }
    words = (word for text in texts["train"] for word in tokens_of(text, "word"))
    known = set(commonest(words, MINIMUM_COUNT["word"]))
    for split, documents in texts.items():
        (folder / f"{split}.txt").write_text(spaced(documents, known), encoding="utf-8")


def spaced(documents: Iterable[str], known: set[str]) -> str:
    r"""Words between spaces, each document on lines of its own.

    >>> spaced(["if x:\n    y", "x"], known={"if", "x", ":", "\n"})
    'if x :\n<unk>\nx\n'
    """
    lines = [line for document in documents for line in document.split("\n")]
    replaced = ([w if w in known else UNKNOWN for w in tokens_of(line, "word")] for line in lines)
    return "".join(" ".join(line) + "\n" for line in replaced)


if __name__ == "__main__":
    main()

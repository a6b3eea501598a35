"""Answers that a card shows, some right and some wrong, and the same inputs read back."""

from itertools import groupby
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.evaluation.plots import write_plots
from zoo.exporting.trained import Trained
from zoo.readers.modality import Modality, modality
from zoo.task import Case, Task
from zoo.utils.progress import progress

FOLDER = "examples"
_EACH = 3
_TRIED = 3000
"""Inputs that are looked at: of a good model few answers are wrong."""
_AT_ONCE = 50


def show_examples(trained: Trained, folder: Path) -> list[dict[str, Any]]:
    """Look for up to three right and three wrong answers to inputs of the test split.

    Args:
        trained: the model and its task.
        folder: of the export. Inputs that are no text are written to `examples/` in it, see
            `zoo.readers.modality.Modality.write_shown`.

    Returns:
        A dict each: `text` or `file`, the input, and what else its modality notes; `picture`, a
        file, where the task draws examples; `answer`, `expected`, and `right`, which is None where
        no answer is right or wrong.
    """
    kind = modality(trained.task.input_kind)
    shown = chosen_examples(trained)
    return [
        {
            **_written(kind, case.raw, number, folder),
            **_drawn(trained, case.raw, number, folder),
            "answer": answer,
            "expected": case.expected,
            "right": right,
        }
        for number, (case, answer, right) in enumerate(shown, start=1)
    ]


def chosen_examples(trained: Trained) -> list[tuple[Case, str, bool | None]]:
    """Return up to three right and three wrong answers to inputs of the test split.

    Returns:
        Each case, the model's answer, and whether it is right, None where no answer is right or
        wrong. Right ones come first.
    """
    task, serve = trained.task, trained.endpoints["serve"]
    kind = modality(task.input_kind)
    shown: list[tuple[Case, str, bool | None]] = []
    missing = {True: _EACH, False: _EACH, None: _EACH}
    batches = _batches(kind, task.cases(_TRIED))
    for batch in progress(batches, "looking for examples"):
        for case in _wanted(serve, batch, missing):
            # Alone, as people ask: beside others it may be drawn, or rounded, in another way.
            answer = answer_to(serve, case.raw)
            right = _is_right(case, answer)
            if missing[right]:
                missing[right] -= 1
                shown.append((case, answer, right))
        if not (missing[None] and (missing[True] or missing[False])):
            break
    # The right ones first.
    shown.sort(key=lambda each: each[2] is False)
    return shown


def _batches(kind: Modality, cases: list[Case]) -> list[list[Case]]:
    """Cut cases into batches, in their order, each of inputs that fit together."""
    groups = [list(group) for _, group in groupby(cases, lambda case: kind.batch_key(case.raw))]
    return [each[n : n + _AT_ONCE] for each in groups for n in range(0, len(each), _AT_ONCE)]


def _wanted(serve: Any, batch: list[Case], missing: dict[bool | None, int]) -> list[Case]:
    """Return the first of a batch that an example of their kind is still missing of."""
    if batch[0].is_right is None:
        return batch[: missing[None]]
    # Each by itself: of a list of arrays TensorFlow would choose the type.
    raws = tf.stack([tf.convert_to_tensor(case.raw) for case in batch])
    texts = serve(raws)["text"].numpy()
    kinds = [_is_right(case, text.decode()) for case, text in zip(batch, texts)]
    left = {kind: iter(range(count)) for kind, count in missing.items()}
    return [case for case, kind in zip(batch, kinds) if next(left[kind], None) is not None]


def answer_to(serve: Any, raw: Any) -> str:
    """Return the `text` that an endpoint gives to one raw input."""
    return serve(tf.expand_dims(raw, 0))["text"].numpy()[0].decode()


class Cases:
    """The cases that examples were taken from, found again by their inputs."""

    def __init__(self, task: Task) -> None:
        self._kind = modality(task.input_kind)
        self._cases: dict[Any, list[Case]] = {}
        for case in task.cases(_TRIED):
            self._cases.setdefault(self._kind.key(case.raw), []).append(case)

    def __len__(self) -> int:
        return len(self._cases)

    def read(self, example: dict[str, Any], folder: Path) -> Any:
        """Read the raw input of an example of a card, as `serve` takes it.

        Raises:
            OSError: its file is not there.
        """
        return self._kind.read_shown(example, folder)

    def bear_out(self, example: dict[str, Any], raw: Any) -> bool:
        """Return whether an example expects what the data do, and is right or wrong by their rule.

        Of an input that is none of the cases, only the same answer as is expected can be right.
        """
        expected, answer, right = (example[key] for key in ("expected", "answer", "right"))
        known = self._cases.get(self._kind.key(raw))
        if known is None:
            return right is None or right == (answer == expected)
        return any(case.expected == expected and _is_right(case, answer) == right for case in known)


def _is_right(case: Case, answer: str) -> bool | None:
    return bool(case.is_right(answer)) if case.is_right else None


def _drawn(trained: Trained, raw: Any, number: int, folder: Path) -> dict[str, str]:
    """Return the file of a picture of an answer, of a task that draws examples."""
    if not trained.task.draws_examples:
        return {}
    # The input itself may be a picture, of the number alone.
    path = folder / FOLDER / f"{number}-answer.png"
    write_plots({path: trained.task.plot(trained.model, raw)}, dpi=60)
    return {"picture": path.relative_to(folder).as_posix()}


def _written(kind: Modality, raw: Any, number: int, folder: Path) -> dict[str, Any]:
    """Return an input as the card has it, its file written."""
    (folder / FOLDER).mkdir(exist_ok=True)
    shown = kind.write_shown(folder / FOLDER / str(number), raw)
    if "file" in shown:
        shown["file"] = shown["file"].relative_to(folder).as_posix()
    return shown

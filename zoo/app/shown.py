"""A model on the page: what it is, what it answers and writes, and how it came to that."""

import base64
import io
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.api.load import config_of, folder_of, restore
from zoo.api.predict import Predictor
from zoo.api.run import Run
from zoo.api.stream import Stream
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.exporting.manifest import EXAMPLES
from zoo.task import Task, Written
from zoo.utils.state_parts import state_parts

LONGEST_PROMPT, LONGEST_TEXT = 2_000, 2_000
"""Characters that are read, and tokens that are written, at most."""
MOST_STEPS = 1_000
"""Time steps of an input that are shown one by one, at most."""
_STEPPED = ("read", "tell", "step", "initial_state")
"""Endpoints of a model whose steps can be shown."""
_MOST_NUMBERS = 64
"""Of a time step's input, that are told."""
_MOST_LIKELY = 8
_MOST_UNITS = 256
"""Of a part of the state that belongs to no layer, such as where the model looked."""
_MOST_EXAMPLES = 6
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")


class Shown:
    """A model that is loaded when it is first asked, and asked by one at a time.

    Args:
        what: a run, an export, or the name of a ready-trained model.

    Attributes:
        name: under which the page knows it.

    Raises:
        UserError: there is no such model.
    """

    def __init__(self, what: Run | str | Path) -> None:
        self.path = folder_of(what)
        folder = self.path.absolute()
        self.name = f"{folder.parent.name} {folder.name}" if folder.name.isdigit() else folder.name
        self._lock = threading.Lock()
        self._predictor: Predictor | None = None
        self._trained: Any = None

    def model(self) -> str:
        """Return the name of its entry in the catalog.

        Raises:
            UserError: what it was made from cannot be read.
        """
        try:
            return config_of(self.path).model
        except UserError as error:
            raise self._unnamed(error) from error

    def about(self) -> dict[str, Any]:
        """Return what the page needs to show it.

        `name`, `model`, `task`, `input`; `panel`, how an input is made by hand; whether it
        `writes`, whether its steps are shown, `steps`, and how it came to an answer, `draws`; the
        name of its `cell`; `state`, what each part is called, its layer and its units; `examples`.

        Raises:
            UserError: the model cannot be read.
        """
        with self._lock:
            self._load()
            task, config, writes = self._trained.task, self._trained.config, self._writes()
            steps = not writes and self._steps()
            return {
                "name": self.name,
                "model": config.model,
                "task": config.task,
                "input": task.input_kind,
                "panel": task.panel().to_json(),
                "writes": writes,
                "steps": steps,
                "cell": config.options.get("cell", ""),
                "state": self._state() if writes or steps else [],
                "draws": type(task).plot is not Task.plot,
                "examples": [
                    {"number": number, "file": path.name, "text": _text_of(path)}
                    for number, path in enumerate(self._examples())
                ],
            }

    def example(self, number: int) -> tuple[str, bytes]:
        """Return the name and the bytes of an example that lies with the model.

        Raises:
            UserError: there is none of that number.
        """
        paths = self._examples()
        if not 0 <= number < len(paths):
            raise UserError(f"there is no example {number}")
        return paths[number].name, paths[number].read_bytes()

    def answer(self, raw: bytes, name: str = "") -> dict[str, Any]:
        """Answer to the bytes of a file, or of a text as UTF-8, as `zoo.predict` does.

        Args:
            raw: the bytes.
            name: of the file, whose ending says what it holds.

        Raises:
            UserError: they are no input of the model.
        """
        with self._lock:
            predictor = self._load()
            with self._as_source(raw, name) as source:
                return predictor(source)[0]

    def picture(self, raw: bytes, name: str = "") -> bytes:
        """Return a PNG of how the model came to its answer, as `zoo plot` draws it.

        Raises:
            UserError: there is nothing to draw.
        """
        with self._lock:
            predictor, task = self._load(), self._trained.task
            with self._as_source(raw, name) as source:
                (first, *_) = predictor.kind.inputs(source, **predictor.options)
                shown, _ = predictor.kind.beginning(first, **predictor.options)
            drawn = io.BytesIO()
            task.plot(self._trained.model, shown).savefig(drawn, format="png", dpi=110)
            return drawn.getvalue()

    def write(self, prompt: str, sampling: SamplingOptions) -> Iterator[str]:
        """Yield a line of JSON for each token that is read and written.

        `text`, `added`, `likely`; and `state`, the model's before this token, see `_bytes_of`.

        Raises:
            UserError: the model does not write, or too much is asked of it.
        """
        if len(prompt) > LONGEST_PROMPT or sampling.length > LONGEST_TEXT:
            raise UserError(
                f"at most {LONGEST_PROMPT} characters are read and {LONGEST_TEXT} tokens written"
            )
        with self._lock:
            self._load()
            tokens = self._trained.task.written(self._trained.model, prompt, sampling)
        # Others are answered between two tokens.
        while True:
            with self._lock:
                token = next(tokens, None)
            if token is None:
                return
            yield json.dumps(
                {
                    "text": token.text,
                    "added": token.added,
                    "likely": [[word, round(share, 4)] for word, share in token.likely],
                    "state": [_bytes_of(part) for part in token.state],
                }
            )

    def steps(self, raw: bytes, name: str = "") -> Iterator[str]:
        """Yield a line of JSON for each time step of an input.

        `reads`, the part of a text that is read, or `numbers`, the input where it is a vector;
        `about`, the part that is told of, and what is: `text`, `likely`; and `state`, after the
        step, see `_bytes_of`. Of a model that writes its answer, steps are those of the writing:
        each reads the token before.

        Raises:
            UserError: they are no input of the model, or it has no steps.
        """
        with self._lock:
            predictor = self._load()
            if not self._steps():
                raise UserError(f"{self.name} has no time steps that can be shown one by one")
            kind, options = predictor.kind, predictor.options
            steps: Iterator[dict[str, Any]]
            with self._as_source(raw, name) as source:
                if self._answers_in_steps():
                    written = self._trained.task.written_answer(
                        self._trained.model, kind.read(source, **options)
                    )
                    steps = self._steps_of_writing(written)
                elif isinstance(source, bytes):
                    steps = _steps_of_reading(predictor, [kind.read(source, **options)])
                else:
                    pieces = list(islice(kind.pieces(source, **options), MOST_STEPS))
                    steps = _steps_of_reading(predictor, pieces)
        # Others are answered between two steps.
        for _ in range(MOST_STEPS):
            with self._lock:
                step = next(steps, None)
            if step is None:
                return
            yield json.dumps(step)

    def _steps_of_writing(self, tokens: Iterator[Written]) -> Iterator[dict[str, Any]]:
        reads, shown = "start", self._small_parts()
        for token in tokens:
            likely = [[word, round(share, 4)] for word, share in token.likely]
            state = [_bytes_of(token.state[place]) for place in shown]
            yield {"reads": reads, "text": token.text, "likely": likely, "state": state,
                   "numbers": [], "about": "", "feeds": True}  # fmt: skip
            reads = token.text

    def _writes(self) -> bool:
        return type(self._trained.task).written is not Task.written

    def _answers_in_steps(self) -> bool:
        model, task = self._trained.model, self._trained.task
        return model.conditional and type(task).written_answer is not Task.written_answer

    def _steps(self) -> bool:
        endpoints = self._load().endpoints
        return self._answers_in_steps() or all(hasattr(endpoints, name) for name in _STEPPED)

    def _first_state(self) -> Any:
        model = self._trained.model
        if not model.conditional:
            return model.initial_state(1)
        return model.encode(model.example_inputs(1)[model.condition])

    def _small_parts(self) -> list[int]:
        """Return which parts of a conditional model's state are shown.

        Those of layers, and what is small, but not what was read and no step changes.
        """
        model, before = self._trained.model, self._first_state()
        first = model.named_inputs(model.example_inputs(1))[model.steps_on][:, 0]
        _, after = model.step(first, before)
        parts = zip(state_parts(before), tf.nest.flatten(before), tf.nest.flatten(after))
        return [
            place
            for place, (part, old, new) in enumerate(parts)
            if old is not new and (part.layer or _units(new) <= _MOST_UNITS)
        ]

    def _state(self) -> list[dict[str, Any]]:
        state = self._first_state()
        parts, values = state_parts(state), tf.nest.flatten(state)
        shown = self._small_parts() if self._answers_in_steps() else range(len(parts))
        return [{**parts[n]._asdict(), "units": _units(values[n])} for n in shown]

    def _unnamed(self, error: UserError) -> UserError:
        """Return an error without the path of this machine."""
        return UserError(str(error).replace(str(self.path), self.name))

    def _load(self) -> Predictor:
        try:
            if self._predictor is None:
                self._trained, predictor = restore(self.path), Predictor(self.path)
                # The first answer takes longest: it is given before anybody waits for it.
                for path in self._examples()[:1]:
                    with suppress(UserError):
                        predictor(path)
                self._predictor = predictor
        except UserError as error:
            raise self._unnamed(error) from error
        return self._predictor

    @contextmanager
    def _as_source(self, raw: bytes, name: str) -> Iterator[bytes | Path]:
        """Give what `zoo.predict` reads: a text's bytes, or a file that is there for a moment.

        Never a str, which could name a file of this machine.
        """
        if self._trained.task.panel().made == "text":
            yield raw
            return
        ending = Path(name[-40:]).suffix
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"input{ending if _ENDING.fullmatch(ending) else ''}"
            path.write_bytes(raw)
            try:
                yield path
            except UserError as error:
                raise UserError(str(error).replace(str(path), "the file")) from error

    def _examples(self) -> list[Path]:
        folder = self.path / EXAMPLES
        return sorted(folder.iterdir())[:_MOST_EXAMPLES] if folder.is_dir() else []


def _steps_of_reading(predictor: Predictor, pieces: list[Any]) -> Iterator[dict[str, Any]]:
    for step in Stream(predictor.endpoints).watch(pieces):
        yield {
            "reads": step.reads,
            "numbers": _numbers_of(step.x),
            "about": step.answer.get("input", ""),
            "text": str(step.answer.get("text", "")),
            "likely": _likely(step.answer),
            "state": [_bytes_of(part) for part in step.state],
        }


def _units(values: Any) -> int:
    return int(np.prod(values.shape[1:]))


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.suffix == ".txt" else None


def _bytes_of(part: np.ndarray) -> list[Any]:
    """Return a part of a state as a page has room for it: `[scale, bytes]`.

    The bytes, in base64, are one for each unit, from -127 to 127, which stands for the scale.
    """
    values = np.nan_to_num(part.ravel().astype("float32"), posinf=0.0, neginf=0.0)
    scale = max(1e-6, float(np.abs(values).max(initial=0.0)))
    scaled = np.round(127 * values / scale).astype("int8")
    return [round(scale, 6), base64.b64encode(scaled.tobytes()).decode()]


def _numbers_of(x: np.ndarray) -> list[float]:
    """Return the input of a time step if it is a short vector of numbers, else nothing."""
    if not np.issubdtype(x.dtype, np.floating) or x.ndim != 1 or x.size > _MOST_NUMBERS:
        return []
    return [round(float(value), 4) for value in np.nan_to_num(x)]


def _likely(answer: dict[str, Any]) -> list[list[Any]]:
    """Return what a time step's answer holds for likely, the likeliest first, if it tells."""
    names, shares = answer.get("labels", answer.get("next")), answer.get("probabilities")
    if names is None or shares is None:
        names, shares = [answer.get("text", "")], [answer.get("probability")]
    pairs = [[name, round(share, 4)] for name, share in zip(names, shares) if share is not None]
    return sorted(pairs, key=lambda pair: -pair[1])[:_MOST_LIKELY]

"""A model on the page: what it is, what it answers and writes, and how it came to that."""

import base64
import io
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api.load import folder_of, restore
from zoo.api.predict import Predictor
from zoo.api.run import Run
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.exporting.manifest import EXAMPLES
from zoo.task import Task

LONGEST_PROMPT, LONGEST_TEXT = 2_000, 2_000
"""Characters that are read, and tokens that are written, at most."""
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

    def about(self) -> dict[str, Any]:
        """Return what the page needs to show it: `name`, `input`, `writes`, `examples`.

        Raises:
            UserError: the model cannot be read.
        """
        with self._lock:
            self._load()
            task, summary = self._trained.task, self._trained.config.model
            return {
                "name": self.name,
                "model": summary,
                "task": self._trained.config.task,
                "input": task.input_kind,
                "writes": type(task).written is not Task.written,
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

        `text`, `added`, `likely`; and `state`, in base64 a byte for each unit of each part of the
        state, its tanh from -127 to 127: what a page has room for.

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
            raise UserError(str(error).replace(str(self.path), self.name)) from error
        return self._predictor

    @contextmanager
    def _as_source(self, raw: bytes, name: str) -> Iterator[bytes | Path]:
        """Give what `zoo.predict` reads: a text's bytes, or a file that is there for a moment.

        Never a str, which could name a file of this machine.
        """
        if self._trained.task.input_kind == "text":
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


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.suffix == ".txt" else None


def _bytes_of(part: np.ndarray) -> str:
    scaled = np.round(127 * np.tanh(part.ravel().astype("float32"))).astype("int8")
    return base64.b64encode(scaled.tobytes()).decode()

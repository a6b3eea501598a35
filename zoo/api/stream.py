"""Predictions as the input comes: the state is carried from step to step and never starts anew."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.exporting.endpoints import concrete
from zoo.exporting.formats.saved_model import load_saved_model
from zoo.exporting.manifest import check_streamed
from zoo.pretrained import find
from zoo.utils.validation import reason

_LONGEST_REST = 10_000
"""Characters without the end of a token, after which they are read as they are."""


def open_stream(what: str | Path, manifest: dict[str, Any] | None = None) -> "Stream":
    """Open the stream that reads with an exported model.

    Args:
        what: an export, or the name of a ready-trained model.
        manifest: what `zoo.exporting.manifest.check_streamed` gives of it, where it was called.

    Raises:
        UserError: there is no such model, it is damaged, or it cannot be run step by step.
    """
    path = find(what)
    manifest = check_streamed(path) if manifest is None else manifest
    return Stream(load_saved_model(path, manifest)[0])


class TimeStep(NamedTuple):
    """A time step of a stream.

    Attributes:
        x: what `step` was given.
        reads: the part of a text that `x` stands for; "" of what is no text, or after its end.
        answer: what the model tells after it, as `Stream.predict` yields it without `step`; of one
            that tells of a text some steps later, `input` is the part that it tells of, and at
            first there is nothing.
        state: after it, each part `[units]` or of any other shape.
    """

    x: np.ndarray
    reads: str
    answer: dict[str, Any]
    state: list[np.ndarray]


class Stream:
    """A model that reads on and on. It is read from once: its state stays.

    Args:
        endpoints: an object with `initial_state`, `step`, `read`, `tell` and perhaps `margins`,
            such as a SavedModel.
    """

    def __init__(self, endpoints: Any) -> None:
        # The object must outlive the calls: its variables die with it.
        self._loaded = endpoints
        none: list[Any] = []
        margins = self._loaded.margins() if hasattr(self._loaded, "margins") else {}
        self._before, self._after = (margins.get(side, none) for side in ("before", "after"))
        self._state = list(self._loaded.initial_state(1))
        self._run: Any = None
        arguments, _ = concrete(self._loaded.read).structured_input_signature
        read = concrete(self._loaded.read).structured_outputs
        # Of a text, `read` also asks whether a piece is the last, and gives back half a token; of
        # a series, it is given what was taken off the values before.
        self._takes, self._of_tokens = arguments[0], "rest" in read
        self._origin: Any = None
        if "origin" in read:
            self._origin = tf.fill(arguments[1].shape, tf.constant(math.nan, arguments[1].dtype))
        self._last: tuple[Any, Any] | None = None
        if len(self._before):
            self._outputs(self._before)

    def predict(self, pieces: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """Yield one prediction a time step, each as soon as it can be.

        Args:
            pieces: what comes, in order, as the model's modality gives them: str; or clips
                `[T, h, w, 3]`, uint8; or `[T, D]`, float32; or steps of a series, `[T, C]`,
                float64; or one image, as the bytes of a file.

        Yields:
            `step`, counted from 1; of a text `input`, the character or word; and what the model
            tells of it, such as `text` and `probability`.

        Raises:
            UserError: a piece is not of the size that the model takes.
        """
        skip, step = len(self._after), 0
        waiting: deque[str] = deque()
        for xs, parts in self._steps(pieces):
            # Of a clip of no frames, for one.
            if not len(xs):
                continue
            waiting.extend(parts)
            rows = self._rows(self._outputs(xs), xs)
            for row in rows[min(skip, len(rows)) :]:
                step += 1
                part = {"input": waiting.popleft()} if waiting else {}
                yield {"step": step, **part, **row}
            skip = max(0, skip - len(rows))

    def watch(self, pieces: Iterable[Any]) -> Iterator[TimeStep]:
        """Yield each time step by itself, with the state after it.

        Args:
            pieces: as of `predict`.

        Raises:
            UserError: as `predict`.
        """
        silent = len(self._after)
        waiting: deque[str] = deque()
        for xs, parts in self._steps(pieces):
            waiting.extend(parts)
            for at in range(len(xs)):
                x = xs[at : at + 1]
                (answer,) = self._rows(self._outputs(x), x)
                if silent:
                    answer, silent = {}, silent - 1
                elif waiting:
                    answer = {"input": waiting.popleft(), **answer}
                state = [np.asarray(part)[0] for part in self._state]
                yield TimeStep(np.asarray(x)[0], parts[at] if parts else "", answer, state)

    def _steps(self, pieces: Iterable[Any]) -> Iterator[tuple[Any, list[str]]]:
        """Yield what `step` takes, `[T, ...]`, and the part of a text that each stands for."""
        if self._of_tokens:
            yield from self._tokens(pieces)
        else:
            for piece in pieces:
                piece = tf.convert_to_tensor(piece)[None]
                self._check(piece)
                yield self._read(piece), []
        if len(self._after):
            yield self._after, []

    def _read(self, piece: Any) -> Any:
        """Return what `step` takes of a piece; of a series, less its first value."""
        if self._origin is None:
            return self._loaded.read(piece)["x"]
        try:
            read = self._loaded.read(piece, self._origin)
        except tf.errors.InvalidArgumentError as error:
            raise UserError(f"the input cannot be taken: {reason(error)}") from error
        self._origin = read["origin"]
        return read["x"]

    def _tokens(self, pieces: Iterable[str]) -> Iterator[tuple[Any, list[str]]]:
        rest = ""
        for piece in pieces:
            text = rest + piece
            read = self._loaded.read([text], len(text) > _LONGEST_REST)
            rest = _text(read["rest"][0])
            yield read["x"], [_text(part) for part in read["parts"]]
        if rest:
            read = self._loaded.read([rest], True)
            yield read["x"], [_text(part) for part in read["parts"]]

    def _check(self, piece: Any) -> None:
        if not self._takes.shape.is_compatible_with(piece.shape):
            raise UserError(
                f"a time step of the input has the shape {list(piece.shape[2:])}, but the model "
                f"takes {list(self._takes.shape[2:])}"
            )

    def _outputs(self, xs: Any) -> Any:
        """Return what `step` gives of each of `[T, ...]`, T at least 1, one after the other."""
        if self._run is None:
            self._run = tf.function(
                self._stepped, input_signature=self._signature(xs), autograph=False
            )
        outputs, self._state = self._run(xs, self._state)
        return outputs

    def _signature(self, xs: Any) -> list[Any]:
        state = [tf.TensorSpec([None, *part.shape[1:]], part.dtype) for part in self._state]
        return [tf.TensorSpec([None, *xs.shape[1:]], xs.dtype), state]

    def _stepped(self, xs: Any, state: Any) -> tuple[Any, Any]:
        # In one graph, which takes a tenth of the time of as many calls.
        count = tf.shape(xs)[0]
        first, state = self._loaded.step(xs[:1], state)
        outputs = tf.TensorArray(tf.float32, count, element_shape=first.shape[1:])

        def body(t: Any, state: Any, outputs: Any) -> tuple[Any, Any, Any]:
            y, state = self._loaded.step(xs[t : t + 1], state)
            return t + 1, list(state), outputs.write(t, tf.cast(y[0], tf.float32))

        start = (tf.constant(1), list(state), outputs.write(0, tf.cast(first[0], tf.float32)))
        _, state, outputs = tf.while_loop(lambda t, *_: t < count, body, start)
        return outputs.stack(), state

    def _rows(self, outputs: Any, xs: Any) -> list[dict[str, Any]]:
        """Return what the model tells of outputs `[N, ...]` for `xs`, a dict a row."""
        answers = self._tell(outputs, xs)
        columns = {key: value.numpy().tolist() for key, value in answers.items()}
        return [dict(zip(columns, map(_plain, row))) for row in zip(*columns.values(), strict=True)]

    def _tell(self, outputs: Any, xs: Any) -> dict[str, Any]:
        """Return what the model tells; of a series also of what came, by the outputs before it."""
        if self._origin is None:
            return self._loaded.tell(outputs)
        before = self._last or (_no_numbers(outputs[:1]), _no_numbers(xs[:1]))
        self._last = outputs[-1:], xs[-1:]
        rows = (tf.concat(each, axis=0) for each in zip(before, (outputs, xs)))
        return self._loaded.tell(*rows, self._origin)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: None for what is no number."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.decode() if isinstance(value, bytes) else value


def _no_numbers(rows: Any) -> Any:
    return tf.fill(tf.shape(rows), tf.constant(math.nan, rows.dtype))


def _text(scalar: Any) -> str:
    return scalar.numpy().decode()

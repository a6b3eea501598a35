"""Ctrl-C and SIGTERM, handled between two steps."""

import signal
import threading
from types import FrameType
from typing import Any


class Interrupts:
    """While it is open, the first signal is noted only; a second one acts as ever.

    Attributes:
        got: the number of the signal, None before it.
    """

    def __init__(self) -> None:
        self.got: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        # Python allows nobody else to handle signals.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.got = number
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

"""PyTorch's side of the benchmarks.

`python -m benchmarks.torch_contenders` is a process that makes and runs contenders on request,
so that the threads of two libraries do not collide in one.
"""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

INSTALLED = importlib.util.find_spec("torch") is not None


class Torch:
    """The process, seen from a benchmark."""

    def __enter__(self) -> "Torch":
        command = [sys.executable, "-m", "benchmarks.torch_contenders"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *error: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def contender(self, kind: str, *arguments: Any) -> Callable[[], float]:
        """`kind` is the function below that makes what is run; the answer is its seconds."""
        number = self._ask([kind, *arguments])
        return lambda: self._ask(number)

    def _ask(self, question: Any) -> Any:
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def serve() -> None:
    """Make what is asked for, run what was made, and print the seconds."""
    made: list[Callable[[], Any]] = []
    for line in sys.stdin:
        question = json.loads(line)
        if isinstance(question, int):
            start = time.perf_counter()
            result = made[question]()
            took = result if isinstance(result, float) else time.perf_counter() - start
            print(took, flush=True)
        else:
            kind, *arguments = question
            made.append(MAKERS[kind](*arguments))
            print(len(made) - 1, flush=True)


def layer_of(cell: str, inputs: int, units: int) -> Any:
    """PyTorch's own layer, or a loop over a cell that it has not."""
    import torch

    from benchmarks.torch_cells import LOOPS

    if cell in LOOPS:
        return LOOPS[cell](inputs, units)
    kind = {"vanilla_rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}[cell]
    return getattr(torch.nn, kind)(inputs, units, batch_first=True)


def training_step(cell: str, size: tuple[int, int, int, int]) -> Callable[[], Any]:
    """Forward and backward of a weighted sum of the outputs: gradients of inputs and weights."""
    import torch

    batch, time_steps, inputs, units = size
    layer = layer_of(cell, inputs, units)
    x = torch.randn(batch, time_steps, inputs, requires_grad=True)
    weighting = torch.randn(units)
    sources = [x, *layer.parameters()]
    return lambda: torch.autograd.grad((layer(x)[0] * weighting).sum(), sources)


def whole_sequence(cell: str, size: tuple[int, int, int, int]) -> Callable[[], Any]:
    """Outputs without gradients."""
    import torch

    batch, time_steps, inputs, units = size
    layer, x = layer_of(cell, inputs, units), torch.randn(batch, time_steps, inputs)

    def run() -> Any:
        with torch.inference_mode():
            return layer(x)

    return run


def sequence_anew(cell: str, size: tuple[int, int, int, int]) -> Callable[[], float]:
    """Outputs without gradients on one thread; its processor time."""
    import torch

    read = whole_sequence(cell, size)

    def run() -> float:
        torch.set_num_threads(1)
        start = time.process_time()
        read()
        return time.process_time() - start

    return run


def single_steps(cell: str, inputs: int, units: int, count: int) -> Callable[[], Any]:
    """`count` steps of one row, each from the state of the one before."""
    import torch

    kind = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell]
    layer, x = kind(inputs, units), torch.randn(1, inputs)

    def run() -> Any:
        state = None
        with torch.inference_mode():
            for _ in range(count):
                state = layer(x, state)
        return state

    return run


def language_model_steps(
    vocabulary: int, embedding: int, units: int, count: int
) -> Callable[[], Any]:
    """`count` tokens of one row, each with its logits; on one thread."""
    import torch

    table, cell = torch.nn.Embedding(vocabulary, embedding), torch.nn.LSTMCell(embedding, units)
    head, token = torch.nn.Linear(units, vocabulary), torch.tensor([3])

    def run() -> Any:
        torch.set_num_threads(1)
        state = None
        with torch.inference_mode():
            for _ in range(count):
                state = cell(table(token), state)
                head(state[0])
        return state

    return run


def decoding(*arguments: Any) -> Callable[[], Any]:
    """A translation model that is run a token at a time."""
    from benchmarks.torch_decoding import contender

    return contender(*arguments)


def translation_training(*arguments: Any) -> Callable[[], Any]:
    """A training step of a translation model."""
    from benchmarks.torch_decoding import training

    return training(*arguments)


_ALL = (
    training_step,
    whole_sequence,
    sequence_anew,
    single_steps,
    language_model_steps,
    decoding,
    translation_training,
)
MAKERS = {f.__name__: f for f in _ALL}

if __name__ == "__main__":
    serve()

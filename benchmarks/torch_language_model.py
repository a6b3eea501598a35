"""A word language model of the design of PyTorch's word_language_model example.

Embedding, stacked LSTM with dropout between the layers, and a decoder that shares the embedding's
weights (github.com/pytorch/examples, word_language_model). The text is cut into parallel streams;
each window of them starts from the detached state of the one before. Plain gradient descent, the
gradient clipped to a norm, the rate divided by 4 after an epoch whose validation was no better.

The example evaluates ten streams of equal length: it drops what is left over, and never predicts a
stream's first word. Here every word is predicted, from all before it, the first from `<eos>`.

Prints a JSON line when ready, after each epoch, and after the test.
"""

import argparse
import copy
import math
import os
import sys
from typing import Any

import torch
from torch import nn

from benchmarks.turns import Clock, tell
from benchmarks.word_files import END, SPLITS, encode, number_words, read_words

CLIP = 0.25
EVALUATION_WINDOW = 350
EXAMPLES = """\
examples:
  python -m benchmarks.torch_language_model --data wikitext-2 --epochs 6
  python -m benchmarks.torch_language_model --data wikitext-2 --epochs 1 --steps 200
"""


class LanguageModel(nn.Module):
    """Words `[T, B]` to the logarithms of the next word's probabilities `[T, B, vocabulary]`."""

    def __init__(self, vocabulary: int, units: int = 200, layers: int = 2, dropout: float = 0.2):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, units)
        self.lstm = nn.LSTM(units, units, layers, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.decoder = nn.Linear(units, vocabulary)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        self.decoder.weight = self.embedding.weight

    def forward(self, words: Any, state: Any = None) -> tuple[Any, Any]:
        h, state = self.lstm(self.dropout(self.embedding(words)), state)
        return torch.log_softmax(self.decoder(self.dropout(h)), dim=-1), state


def parallel_streams(words: Any, rows: int) -> Any:
    """Words `[N]` as `[N // rows, rows]`, each column a piece of the text."""
    return words[: len(words) // rows * rows].view(rows, -1).t().contiguous()


def windows_in(streams: Any, window: int) -> int:
    """How many windows predict every word of the streams but their first."""
    return math.ceil((len(streams) - 1) / window)


def negative_log_likelihood(model: LanguageModel, words: Any, targets: Any, state: Any) -> Any:
    """The mean over the targets, and the state after them."""
    scores, state = model(words, state)
    return nn.functional.nll_loss(scores.flatten(0, 1), targets.flatten()), state


def train_epoch(
    model: LanguageModel, streams: Any, window: int, rate: float, clock: Clock
) -> float:
    """As many windows as the clock has steps; the mean loss in nats a word."""
    model.train()
    state, total = None, 0.0
    for start in range(0, clock.steps * window, window):
        targets = streams[start + 1 : start + 1 + window]
        words = streams[start : start + len(targets)]
        if state is not None:
            state = tuple(part.detach() for part in state)
        model.zero_grad()
        loss, state = negative_log_likelihood(model, words, targets, state)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(weight.grad, alpha=-rate)
        total += loss.item()
        clock.step()
    return total / clock.steps


@torch.inference_mode()
def perplexity(model: LanguageModel, words: Any, before: int) -> float:
    """Over all words `[N]`, in one stream that starts with the word `before`."""
    model.eval()
    state, total = None, 0.0
    inputs = torch.cat([torch.tensor([before]), words[:-1]])
    pieces = zip(inputs.split(EVALUATION_WINDOW), words.split(EVALUATION_WINDOW))
    for piece, targets in pieces:
        loss, state = negative_log_likelihood(model, piece[:, None], targets[:, None], state)
        total += loss.item() * len(targets)
    return math.exp(total / len(words))


def main() -> None:
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    texts = {split: read_words(options.data, split) for split in SPLITS}
    numbers = number_words(texts["train"])
    ids = {split: torch.tensor(encode(words, numbers)) for split, words in texts.items()}
    streams = parallel_streams(ids["train"], options.batch_size)
    steps = windows_in(streams, options.window)
    if options.steps:
        steps = min(steps, options.steps)
    model = LanguageModel(len(numbers), options.units, options.layers, options.dropout)
    parameters = sum(weight.numel() for weight in model.parameters())
    tell(vocabulary=len(numbers), tokens=len(ids["train"]), parameters=parameters, steps=steps)
    rate, best, weights = options.lr, math.inf, model.state_dict()
    for epoch in range(1, options.epochs + 1):
        if options.turns:
            sys.stdin.readline()
        clock = Clock(steps)
        loss = train_epoch(model, streams, options.window, rate, clock)
        reached = perplexity(model, ids["valid"], numbers[END])
        tell(epoch=epoch, **clock.figures(), loss=loss, valid=reached, rate=rate)
        if reached < best:
            best, weights = reached, copy.deepcopy(model.state_dict())
        else:
            rate /= 4
    if options.turns:
        sys.stdin.readline()
    model.load_state_dict(weights)
    tell(test=perplexity(model, ids["test"], numbers[END]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, help="folder of train, valid, test .txt or .gz")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=20)
    parser.add_argument("--window", type=int, default=35)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--lr", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0, help="of an epoch, at most; 0: all")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", action="store_true", help="wait for a line before each epoch")
    return parser.parse_args()


if __name__ == "__main__":
    main()

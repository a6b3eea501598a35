"""PyTorch's side of the decoding benchmark: the zoo's equations, and the usual loop in Python."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

START, END = 2, 3


class Translator(nn.Module):
    """A GRU that reads, and a GRU that writes; `keys` is the size of attention, 0 for none."""

    def __init__(
        self, vocabulary: int, embedding: int, units: int, keys: int, target_vocabulary: int = 0
    ) -> None:
        super().__init__()
        target_vocabulary = target_vocabulary or vocabulary
        self.attends = keys > 0
        size = 2 * units if keys else units
        self.source = nn.Embedding(vocabulary, embedding)
        self.target = nn.Embedding(target_vocabulary, embedding)
        self.encoder = nn.GRU(embedding, units, batch_first=True, bidirectional=self.attends)
        self.bridge = nn.Linear(size, units)
        self.cell = nn.GRUCell(embedding + size, units)
        if keys:
            self.keys = nn.Linear(size, keys, bias=False)
            self.query = nn.Linear(units, keys, bias=False)
            self.energy = nn.Linear(keys, 1, bias=False)
            self.readout = nn.Linear(units + size + embedding, embedding)
            self.head = nn.Linear(embedding, target_vocabulary)
        else:
            self.head = nn.Linear(units, target_vocabulary)
            self.context_head = nn.Linear(size, target_vocabulary, bias=False)

    def encode(self, source: Any) -> tuple[list[Any], Any]:
        """What stays the same at each step, and the first state."""
        vectors = self.source(source if self.attends else source.flip(1))
        values, last = self.encoder(vectors)
        context = last.transpose(0, 1).flatten(1)
        memory = [values, self.keys(values)] if self.attends else [context]
        return memory, torch.tanh(self.bridge(context))

    def step(self, token: Any, h: Any, memory: list[Any]) -> tuple[Any, Any]:
        vector = self.target(token)
        if self.attends:
            values, keys = memory
            energy = self.energy(torch.tanh(keys + self.query(h)[:, None]))
            context = (torch.softmax(energy, dim=1).transpose(1, 2) @ values)[:, 0]
        else:
            (context,) = memory
        h = self.cell(torch.cat([vector, context], dim=1), h)
        if self.attends:
            y = torch.tanh(self.readout(torch.cat([h, context, vector], dim=1)))
            return self.head(y), h
        return self.head(h) + self.context_head(context), h


def contender(
    sizes: tuple[int, int, int, int], width: int, batch: int, read: int, written: int
) -> Callable[[], Any]:
    """Translate random sources of `read` tokens into `written` tokens."""
    model, vocabulary = Translator(*sizes).eval(), sizes[0]
    source = torch.randint(4, vocabulary, (batch, read))

    @torch.inference_mode()
    def run() -> Any:
        memory, h = model.encode(source)
        memory = [part.repeat_interleave(width, dim=0) for part in memory]
        h = h.repeat_interleave(width, dim=0)
        tokens = torch.full((batch * width,), START)
        out = torch.zeros((batch * width, 0), dtype=torch.long)
        sums = torch.full((batch, width), -torch.inf)
        sums[:, 0] = 0
        first = torch.arange(batch)[:, None] * width
        for _ in range(written):
            logits, h = model.step(tokens, h, memory)
            logits[:, [0, END]] = -torch.inf
            if width == 1:
                tokens = logits.argmax(dim=1)
            else:
                each = sums[:, :, None] + torch.log_softmax(logits, dim=1).view(batch, width, -1)
                sums, best = each.flatten(1).topk(width)
                parents = (first + best // vocabulary).flatten()
                tokens, h, out = (best % vocabulary).flatten(), h[parents], out[parents]
            out = torch.cat([out, tokens[:, None]], dim=1)
        return out.view(batch, width, -1)[:, 0]

    return run


def training(sizes: tuple[int, int, int, int, int], batch: int, steps: int) -> Callable[[], Any]:
    """The loss of random pairs of `steps` tokens on either side, weights tied, and its gradients.

    `sizes` are those of the source vocabulary, embedding, units, keys, and target vocabulary.
    """
    model = Translator(*sizes)
    model.head.weight = model.target.weight
    source = torch.randint(4, sizes[0], (batch, steps))
    tokens, targets = torch.randint(4, sizes[-1], (2, batch, steps))
    weights = list(model.parameters())

    def run() -> Any:
        (values, keys), h = model.encode(source)
        vectors = model.target(tokens)
        outputs = []
        for t in range(steps):
            energy = model.energy(torch.tanh(keys + model.query(h)[:, None]))
            context = (torch.softmax(energy, dim=1).transpose(1, 2) @ values)[:, 0]
            h = model.cell(torch.cat([vectors[:, t], context], dim=1), h)
            outputs.append(torch.cat([h, context], dim=1))
        # Logits of all steps at once, as no step needs them.
        joined = torch.cat([torch.stack(outputs, dim=1), vectors], dim=2)
        logits = model.head(torch.tanh(model.readout(joined)))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return torch.autograd.grad(loss, weights)

    return run

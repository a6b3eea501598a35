"""Cells that PyTorch has no layer for, as its users write them: a loop over time."""

import torch
from torch import nn


class Loop(nn.Module):
    """f, i, o, g = W x_t + U h_(t-1) + b, one step after the other."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(inputs, 4 * units)
        self.recurrent = nn.Linear(units, 4 * units, bias=False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = c = x.new_zeros(x.shape[0], self.recurrent.in_features)
        ys = []
        for z in self.project(x).unbind(1):
            h, c = self.step(z, h, c)
            ys.append(h)
        return torch.stack(ys, dim=1), c

    def project(self, x: torch.Tensor) -> torch.Tensor:
        return self.kernel(x)


class PeepholeLSTM(Loop):
    """The gates also see the memory, through a diagonal."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.peephole = nn.Parameter(torch.zeros(3, units))

    def step(self, z: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple:
        f, i, o, g = (z + self.recurrent(h)).chunk(4, dim=-1)
        f = torch.sigmoid(f + self.peephole[0] * c)
        i = torch.sigmoid(i + self.peephole[1] * c)
        c = f * c + i * torch.tanh(g)
        return torch.sigmoid(o + self.peephole[2] * c) * torch.tanh(c), c


class LayerNormLSTM(Loop):
    """Both sums and the memory are normalised."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.norms = nn.ModuleList([nn.LayerNorm(4 * units), nn.LayerNorm(4 * units)])
        self.memory_norm = nn.LayerNorm(units)

    def project(self, x: torch.Tensor) -> torch.Tensor:
        return self.norms[0](self.kernel(x))

    def step(self, z: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple:
        f, i, o, g = (z + self.norms[1](self.recurrent(h))).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.memory_norm(c)), c


LOOPS = {"peephole_lstm": PeepholeLSTM, "layer_norm_lstm": LayerNormLSTM}

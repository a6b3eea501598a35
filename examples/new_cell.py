"""A new cell in one file, at the speed of the built-in ones.

    python examples/new_cell.py

Registers a cell with a single gate, a leaner relative of the minimal gated unit (Zhou et al. 2016,
arXiv:1603.09420), and puts it into a model of the catalog.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras import ops

import zoo
from zoo.cells.base import Cell, HiddenState


@zoo.register("cell", "one_gate", paper="none: made up for this example")
class OneGateCell(Cell):
    """f = σ(W_f x_t + U_f h_(t-1) + b_f); h_t = (1 - f) h_(t-1) + f tanh(W_h x_t + b_h)."""

    def build(self, input_shape):
        size, units = input_shape[-1], self.units
        self.kernel = self.add_weight(name="kernel", shape=(size, 2 * units))
        self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=(units, units))
        self.bias = self.add_weight(name="bias", shape=(2 * units,), initializer="zeros")

    def project(self, x):
        return ops.matmul(x, self.kernel) + self.bias

    def update(self, z, state, recur):
        z_forget, z_candidate = ops.split(z, 2, axis=-1)
        f = ops.sigmoid(z_forget + recur(state.h))
        h = (1 - f) * state.h + f * ops.tanh(z_candidate)
        return h, HiddenState(h)


if __name__ == "__main__":
    model = zoo.create("char-lstm", cell="one_gate", vocab_size=50, units=32)
    tokens = model.example_inputs(batch_size=2, time=7)
    print(f"{model.count_params()} parameters, logits {tuple(model(tokens).shape)}")

"""Cells whose activations are normalised over the layer."""

from keras import ops

from zoo.cells.base import DenseCell, HiddenState
from zoo.cells.gru import reset_after
from zoo.cells.lstm import LSTMState
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


def normalise(x: Tensor, gain: Tensor, epsilon: float = 1e-5) -> Tensor:
    """gain (x - μ) / √(σ² + ε) over the last axis."""
    mean = ops.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    variance = ops.mean(centred * centred, axis=-1, keepdims=True)
    return gain * centred * ops.rsqrt(variance + epsilon)


class _NormalisedCell(DenseCell):
    """Each of the two products has a gain."""

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        wide = self.blocks * self.units
        self.gain = self.add_weight(name="gain", shape=(wide,), initializer="ones")
        self.recurrent_gain = self.add_weight(
            name="recurrent_gain", shape=(wide,), initializer="ones"
        )

    def project(self, x: Tensor) -> Tensor:
        """LN(W x) + b: `[..., D] -> [..., G]`."""
        return normalise(ops.matmul(x, self.kernel), self.gain) + self.bias


@register("cell", "layer_norm_lstm", paper="Ba et al. 2016, arXiv:1607.06450")
class LayerNormLSTMCell(_NormalisedCell):
    """f, i, o, g = LN(W x_t) + LN(U h_(t-1)) + b; c_t = σ(f) c_(t-1) + σ(i) tanh(g).

    h_t = σ(o) tanh(LN(c_t)). LN(v) = gain (v - mean) / standard deviation, over all entries of the
    vector, with a gain of its own at each of the three places. Weights: `kernel` (`[D, 4H]`,
    columns f, i, o, g), `recurrent_kernel` (`[H, 4H]`), `bias`, `gain`, `recurrent_gain` (`[4H]`),
    `memory_gain` and `memory_bias` (`[H]`). The bias starts at zero, as in the paper.

    Example:
        >>> from keras import ops
        >>> cell = LayerNormLSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.c.shape
        TensorShape([2, 4])

    Source: J. Ba, J. Kiros and G. Hinton, "Layer normalization" (2016), equations 20-22.
    """

    State = LSTMState
    blocks = 4
    gate_names = ("f", "i", "o")

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        size = (self.units,)
        self.memory_gain = self.add_weight(name="memory_gain", shape=size, initializer="ones")
        self.memory_bias = self.add_weight(name="memory_bias", shape=size, initializer="zeros")

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates, then memory and output."""
        r = normalise(recur(state.h), self.recurrent_gain)
        f, i, o, g = ops.split(z + r, 4, axis=-1)
        c = ops.sigmoid(f) * state.c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(normalise(c, self.memory_gain) + self.memory_bias)
        return h, LSTMState(h, c)


@register("cell", "layer_norm_gru", paper="Ba et al. 2016, arXiv:1607.06450")
class LayerNormGRUCell(_NormalisedCell):
    """z, r = σ(LN(W x_t) + LN(U h_(t-1)) + b); h̃ = tanh(LN(W_h x_t) + b_h + r LN(U_h h_(t-1))).

    Then h_t = z h_(t-1) + (1 - z) h̃. The gates are normalised together and the candidate by
    itself, on both sides. Weights: `kernel` (`[D, 3H]`, columns z, r, h), `recurrent_kernel`
    (`[H, 3H]`), `bias`, `gain` and `recurrent_gain` (`[3H]`).

    Example:
        >>> from keras import ops
        >>> cell = LayerNormGRUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: J. Ba, J. Kiros and G. Hinton, "Layer normalization" (2016), equations 26-30, with the
    update gate named as in `gru`.
    """

    blocks = 3
    gate_names = ("z", "r")

    def project(self, x: Tensor) -> Tensor:
        """Both normalised projections and the bias: `[..., D] -> [..., 3H]`."""
        return self._normalise(ops.matmul(x, self.kernel), self.gain) + self.bias

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The gates, then the new state between the old one and the candidate."""
        r = self._normalise(recur(state.h), self.recurrent_gain)
        h = reset_after(z, r, state.h)
        return h, HiddenState(h)

    def _normalise(self, v: Tensor, gain: Tensor) -> Tensor:
        """Gates and candidate each over their own entries."""
        gain, gates = ops.convert_to_tensor(gain), 2 * self.units
        return ops.concatenate(
            [
                normalise(v[..., :gates], gain[:gates]),
                normalise(v[..., gates:], gain[gates:]),
            ],
            axis=-1,
        )

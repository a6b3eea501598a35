"""Cells that are linear in their state, and so run in parallel over time."""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.cells.base import LinearCell, draw_seed
from zoo.cells.layer_norm import normalise
from zoo.registry import register
from zoo.typing import Shape, Tensor


class MemoryState(NamedTuple):
    """Memory `c`, `[B, H]`."""

    c: Tensor


class ComplexState(NamedTuple):
    """Real parts of x, then its imaginary parts, `[B, 2H]`."""

    x: Tensor


class _ProjectedCell(LinearCell):
    """Its projection is W x + b with `blocks` blocks of H columns."""

    blocks: int

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        wide = self.blocks * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], wide), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(wide,), initializer="zeros")

    def project(self, x: Tensor) -> Tensor:
        """W x + b: `[..., D] -> [..., G]`."""
        return ops.matmul(x, self.kernel) + self.bias


@register("cell", "min_gru", paper="Feng et al. 2024, arXiv:2410.01201")
class MinGRUCell(_ProjectedCell):
    """z = σ(W_z x_t + b_z); h̃ = W_h x_t + b_h; h_t = (1 - z) h_(t-1) + z h̃.

    Neither the gate nor the candidate sees the state. Weights: `kernel` (`[D, 2H]`, columns z, h)
    and `bias` (`[2H]`).

    Example:
        >>> from keras import ops
        >>> cell = MinGRUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: L. Feng et al., "Were RNNs all we needed?" (2024), section 3.1.
    """

    blocks = 2
    gate_names = ("", "z")

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """1 - z and z h̃."""
        update, candidate = ops.split(z, 2, axis=-1)
        return ops.sigmoid(-update), ops.sigmoid(update) * candidate


@register("cell", "min_lstm", paper="Feng et al. 2024, arXiv:2410.01201")
class MinLSTMCell(_ProjectedCell):
    """f, i = σ(W x_t + b); h̃ = W_h x_t + b_h; h_t = f / (f + i) h_(t-1) + i / (f + i) h̃.

    Weights: `kernel` (`[D, 3H]`, columns f, i, h) and `bias` (`[3H]`).

    Example:
        >>> from keras import ops
        >>> cell = MinLSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: L. Feng et al., "Were RNNs all we needed?" (2024), section 3.2.
    """

    blocks = 3
    gate_names = ("f", "")

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f' and i' h̃, the gates normalised to a sum of one."""
        f, i, candidate = ops.split(z, 3, axis=-1)
        # f / (f + i) in logarithms, which divides no two numbers that may both be tiny.
        keep = ops.log_sigmoid(f) - ops.log_sigmoid(i)
        return ops.sigmoid(keep), ops.sigmoid(-keep) * candidate


@register("cell", "sru", paper="Lei et al. 2017, arXiv:1709.02755")
class SRUCell(_ProjectedCell):
    """x̃, f, r = W x_t + b; c_t = σ(f) c_(t-1) + (1 - σ(f)) x̃; h_t = σ(r) tanh(c_t) + (1 - σ(r)) x'.

    x' is x_t seen through a matrix of its own, so that the input need not have the size of the
    output. Weights: `kernel` (`[D, 4H]`, columns x̃, f, r, x') and `bias` (`[4H]`).

    Example:
        >>> from keras import ops
        >>> cell = SRUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.c.shape
        TensorShape([2, 4])

    Source: T. Lei et al., "Training RNNs as fast as CNNs" (2017, first version).
    """

    State = MemoryState
    blocks = 4
    gate_names = ("f", "", "r", "")

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f and (1 - f) x̃."""
        candidate, f, _, _ = ops.split(z, 4, axis=-1)
        return ops.sigmoid(f), ops.sigmoid(-f) * candidate

    def output(self, z: Tensor, h: Tensor) -> Tensor:
        """The highway connection around the memory."""
        _, _, r, skip = ops.split(z, 4, axis=-1)
        return ops.sigmoid(r) * ops.tanh(h) + ops.sigmoid(-r) * skip


@register("cell", "lru", paper="Orvieto et al. 2023, arXiv:2303.06349")
class LRUCell(LinearCell):
    """x_t = λ x_(t-1) + γ B u_t; y_t = Re(C x_t) + D u_t; λ = exp(-exp(ν) + i exp(θ)).

    y is linear in the input, and so is a stack of such layers: `lru_block` is for stacks.

    The state x is complex, stored as its real and then its imaginary parts. λ starts with absolute
    values evenly spread in area between the radii 0.9 and 0.999, and at any angle; γ starts at
    √(1 - |λ|²), so that all of x starts at the scale of the input. Weights: `nu`, `theta` and
    `gamma` (log γ), each `[H]`; `kernel` (`[D, 3H]`: the real and imaginary parts of B, and D);
    `readout` (`[2H, H]`: the real part of C above its negated imaginary part).

    Example:
        >>> from keras import ops
        >>> cell = LRUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.x.shape
        TensorShape([2, 8])

    Source: A. Orvieto et al., "Resurrecting recurrent neural networks for long sequences" (2023).
    """

    State = ComplexState

    @property
    def state_size(self) -> list[int]:
        """Real and imaginary parts."""
        return [2 * self.units]

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        size = (self.units,)
        seed, other = draw_seed(), draw_seed()

        def area(shape: Shape, dtype: Any) -> Tensor:
            """|λ|², the same each time."""
            return keras.random.uniform(shape, 0.9**2, 0.999**2, dtype, seed)

        starts = {
            "nu": lambda shape, dtype=None: ops.log(-0.5 * ops.log(area(shape, dtype))),
            "theta": lambda shape, dtype=None: ops.log(
                keras.random.uniform(shape, 1e-3, 2 * np.pi, dtype, other)
            ),
            "gamma": lambda shape, dtype=None: 0.5 * ops.log(1 - area(shape, dtype)),
        }
        for name, start in starts.items():
            setattr(self, name, self.add_weight(name=name, shape=size, initializer=start))
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], 3 * self.units),
            initializer=keras.initializers.VarianceScaling(0.5, "fan_in"),
        )
        self.readout = self.add_weight(
            name="readout",
            shape=(2 * self.units, self.units),
            initializer=keras.initializers.VarianceScaling(1.0, "fan_in"),
        )

    def project(self, x: Tensor) -> Tensor:
        """B u and D u: `[..., D] -> [..., 3H]`."""
        return ops.matmul(x, self.kernel)

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """λ and γ B u, complex."""
        real, imaginary, _ = ops.split(z, 3, axis=-1)
        nu, theta, gamma = (_wide(w) for w in (self.nu, self.theta, self.gamma))
        radius = tf.exp(-tf.exp(nu))
        angle = tf.exp(theta)
        decay = tf.complex(radius * tf.cos(angle), radius * tf.sin(angle))
        b = tf.complex(tf.exp(gamma) * _wide(real), tf.exp(gamma) * _wide(imaginary))
        return tf.broadcast_to(decay, tf.shape(b)), b

    def coordinates(self, h: Tensor) -> Tensor:
        """The complex numbers."""
        real, imaginary = tf.split(_wide(h), 2, axis=-1)
        return tf.complex(real, imaginary)

    def from_coordinates(self, h: Tensor) -> Tensor:
        """Their real and imaginary parts."""
        parts = tf.concat([tf.math.real(h), tf.math.imag(h)], axis=-1)
        return tf.cast(parts, self.compute_dtype)

    def output(self, z: Tensor, h: Tensor) -> Tensor:
        """Re(C x) + D u."""
        return ops.matmul(h, self.readout) + z[..., 2 * self.units :]


@register("cell", "lru_block", paper="Orvieto et al. 2023, arXiv:2303.06349")
class LRUBlockCell(LRUCell):
    """v_t = LN(u_t); s_t = gelu(LRU(v)_t); y_t = u_t + (P s_t + p) ⊙ σ(Q s_t + q).

    The block that the paper stacks: a norm, the linear recurrence, a gated linear unit, and a
    connection around them all, which goes through a matrix S where u is not of size H. Weights:
    those of `LRUCell`, `gain` and `offset` of the norm (`[D]`), `gate_kernel` (`[H, 2H]`, columns
    P, Q), `gate_bias` (`[2H]`) and, where D is not H, `skip_kernel` (S, `[D, H]`).

    Example:
        >>> from keras import ops
        >>> cell = LRUBlockCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, state.x.shape
        (TensorShape([2, 4]), TensorShape([2, 8]))

    Source: A. Orvieto et al., "Resurrecting recurrent neural networks for long sequences" (2023),
    figure 1.
    """

    gate_names = ("Q",)

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        inputs, units = input_shape[-1], self.units
        self.gain = self.add_weight(name="gain", shape=(inputs,), initializer="ones")
        self.offset = self.add_weight(name="offset", shape=(inputs,), initializer="zeros")
        self.gate_kernel = self.add_weight(
            name="gate_kernel", shape=(units, 2 * units), initializer="glorot_uniform"
        )
        self.gate_bias = self.add_weight(name="gate_bias", shape=(2 * units,), initializer="zeros")
        self.skip_kernel = None
        if inputs != units:
            self.skip_kernel = self.add_weight(
                name="skip_kernel", shape=(inputs, units), initializer="glorot_uniform"
            )

    def project(self, x: Tensor) -> Tensor:
        """B v, D v and what goes around: `[..., D] -> [..., 4H]`."""
        around = x if self.skip_kernel is None else ops.matmul(x, self.skip_kernel)
        inner = super().project(normalise(x, self.gain) + self.offset)
        return ops.concatenate([inner, around], axis=-1)

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Those of the linear recurrence."""
        return super().coefficients(z[..., : 3 * self.units])

    def output(self, z: Tensor, h: Tensor) -> Tensor:
        """The gated linear unit and what goes around."""
        inner, around = z[..., : 3 * self.units], z[..., 3 * self.units :]
        seen = _gelu(super().output(inner, h))
        value, gate = ops.split(ops.matmul(seen, self.gate_kernel) + self.gate_bias, 2, axis=-1)
        return around + value * ops.sigmoid(gate)


def _gelu(x: Tensor) -> Tensor:
    """x Φ(x) by its form with tanh (D. Hendrycks and K. Gimpel 2016, arXiv:1606.08415); that of
    Keras has constants in float32."""
    return x / 2 * (1 + ops.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _wide(x: Tensor) -> Tensor:
    """In a type that complex numbers exist for."""
    x = tf.convert_to_tensor(x)
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)

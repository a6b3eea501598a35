"""What a cell is."""

import inspect
import random
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo.typing import Recur, Shape, Tensor
from zoo.typing import State as CellState


class HiddenState(NamedTuple):
    """The state of a cell that carries its output alone: `h`, shape `[B, H]`."""

    h: Tensor


class Cell(keras.layers.Layer):
    """One time step of a recurrent layer, in three pieces, so that any cell can run fast.

    `project` is all that does not depend on the state: `Recurrence` applies it to all time steps
    at once. `update` is the rest: gates, norms, peepholes and the new state, pointwise but for
    `recur(v)`, the product of a vector of this step with a recurrent weight. Those products are
    the only ones inside the loop, and their weights' gradients are taken after it. A subclass
    writes `build`, `project` and `update`; `call` puts them together, so that every cell also
    runs in `keras.layers.RNN`.

    `update` runs again in the backward pass, so that nothing random may stand in it. A cell that
    draws does so in `project` or `recurrent_weights`, which may take an argument `training`.

    A subclass also says, by a class attribute of that name, what differs in `State` and `compiled`.

    Attributes:
        gate_names: of the sigmoids of a step, in the order in which `update` takes them. Two names
            in one say that the columns of one sigmoid are two gates; "" leaves out one that is one
            minus another gate.

    Args:
        units: H, the size of the output and of each part of the state; positive.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: units is not a positive integer.
    """

    gate_names: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let Keras find the cell by name when it reads a config or a `.keras` file."""
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = positive_integer("units", units)

    @property
    def State(self) -> Any:
        """The NamedTuple that holds the state, each field `[B, units]`."""
        return HiddenState

    @property
    def compiled(self) -> bool:
        """Whether XLA compiles a training step of known shape."""
        return True

    @property
    def plain_product(self) -> bool:
        """Whether `product` is the one below, and no map of the cell's own."""
        return getattr(self.product, "__func__", None) is Cell.product

    @property
    def state_size(self) -> list[int]:
        """Size of each part of the state."""
        return [self.units] * len(self.State._fields)

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.units

    def get_initial_state(self, batch_size: int | Tensor = None) -> CellState:
        """Zeros: a `State` with fields of shape `[batch_size, units]`."""
        return self.State(
            *(ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in self.state_size)
        )

    def project(self, x: Tensor) -> Tensor:
        """What the input contributes: `[..., D] -> [..., G]`."""
        raise NotImplementedError

    def affine_projection(self) -> tuple[Tensor, Tensor] | None:
        """W `[D, G]` and b `[G]` where `project(x)` is W x + b; None where it is another map."""
        return None

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """The weights that `recur` multiplies by, read once for a whole sequence."""
        return (self.recurrent_kernel,)

    def product(self, v: Tensor, weight: Tensor) -> Tensor:
        """`v @ weight`: `[B, H] -> [B, R]`; for a pair (kernel, bias), `v @ kernel + bias`.

        `weight` is one item of `recurrent_weights()`. Another map must be linear in v, but for a
        constant, and in the weight.
        """
        if isinstance(weight, tuple | list):
            kernel, bias = weight
            return ops.matmul(v, kernel) + bias
        return ops.matmul(v, weight)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """Output and new state from the projection and the state before.

        Args:
            z: `project(x_t)`, `[B, G]`.
            state: a `State`.
            recur: `recur(v, k=0)` is `product(v, recurrent_weights()[k])`. The calls are the same
                at every time step. Other weights of the cell may be used where they stand.
        """
        raise NotImplementedError

    def call(
        self, inputs: Tensor, states: CellState, training: bool = False
    ) -> tuple[Tensor, CellState]:
        """Run one time step: `x_t [B, D]` and a state give `y_t [B, H]` and the new state."""
        training = bool(training)
        return self.update_from(with_training(self.project, training, inputs), states, training)

    def update_from(
        self, z: Tensor, states: CellState, training: bool = False
    ) -> tuple[Tensor, CellState]:
        """Run the rest of a time step: a projection `[B, G]` and a state give y_t and the new one.

        Unlike `update` it multiplies by the recurrent weights itself.
        """
        weights = with_training(self.recurrent_weights, training)
        return self.update(z, self.State(*states), lambda v, k=0: self.product(v, weights[k]))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "units": self.units}


class DenseCell(Cell):
    """A cell that starts from W x_t + U h_(t-1) + b, in blocks of H columns, one a gate.

    `project` is W x + b and `recur(h)` is U h; a subclass writes `update`, which activates the
    blocks. Weights: `kernel` (W, `[D, G]`), `recurrent_kernel` (U, `[H, G]`) and `bias` (b,
    `[G]`), G = `blocks` · H.

    Attributes:
        blocks: how many gates and candidates the cell has.
        recurrent_start: the initializer of U.
        bias_start: the values that equal parts of b start at.

    Example:
        >>> class OneGateCell(DenseCell):
        ...     blocks, bias_start = 2, (1, 0)
        ...
        ...     def update(self, z, state, recur):
        ...         f, g = ops.split(z + recur(state.h), 2, axis=-1)
        ...         h = ops.sigmoid(f) * state.h + ops.sigmoid(-f) * ops.tanh(g)
        ...         return h, HiddenState(h)
        >>> cell = OneGateCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, tuple(cell.kernel.shape)
        (TensorShape([2, 4]), (3, 8))
    """

    blocks: ClassVar[int] = 1
    recurrent_start: ClassVar[str] = "orthogonal"
    bias_start: ClassVar[tuple[float, ...]] = (0,)

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self.make_weights(input_shape[-1], self.blocks * self.units)

    def make_weights(self, inputs: int, wide: int) -> None:
        """W `[inputs, wide]`, U `[H, wide]` and b `[wide]`."""
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, wide), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, wide), initializer=self.recurrent_start
        )
        self.bias = self.add_weight(
            name="bias", shape=(wide,), initializer=block_values(*self.bias_start)
        )

    def project(self, x: Tensor) -> Tensor:
        """W x + b: `[..., D] -> [..., G]`."""
        return ops.matmul(x, self.kernel) + self.bias

    def affine_projection(self) -> tuple[Tensor, Tensor] | None:
        """W and b, unless a subclass projects in a way of its own."""
        own = type(self).project is not DenseCell.project
        return None if own else (ops.convert_to_tensor(self.kernel), self.bias)


class LinearCell(Cell):
    """A cell whose state is linear in the state before: h_t = a_t h_(t-1) + b_t, elementwise.

    a and b depend on the input alone, so that `Recurrence` can compute all time steps in parallel
    by a scan, and a single step is a plain one. A subclass writes `project`, `coefficients` and
    `output`; the first field of its `State` is h. A cell that also looks at the input before
    writes `passed` and `joined`, and further fields hold what is passed.
    """

    def passed(self, z: Tensor) -> tuple[Tensor, ...]:
        """What a step hands to the next, from its projection `[..., G]`; here nothing."""
        return ()

    def joined(self, z: Tensor, *before: Tensor) -> Tensor:
        """The projection with what the step before handed over; here as it is."""
        return z

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """a and b, `[..., N]`, from the joined projection."""
        raise NotImplementedError

    def output(self, z: Tensor, h: Tensor) -> Tensor:
        """y_t `[..., H]` from joined projection and new state; here h_t itself."""
        return h

    def coordinates(self, h: Tensor) -> Tensor:
        """The state in the numbers that a multiplies; here the state as it is."""
        return h

    def from_coordinates(self, h: Tensor) -> Tensor:
        """The state again."""
        return h

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """None."""
        return ()

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """One step of the recurrence."""
        joined = self.joined(z, *state[1:])
        a, b = self.coefficients(joined)
        h = self.from_coordinates(a * self.coordinates(state[0]) + b)
        return self.output(joined, h), self.State(h, *self.passed(z))


def takes_training(piece: Callable[..., Any]) -> bool:
    """Return whether a cell's `project` or `recurrent_weights` asks if this is training.

    Example:
        >>> takes_training(LinearCell(4).recurrent_weights)
        False
    """
    return "training" in inspect.signature(piece).parameters


def with_training(piece: Callable[..., Any], training: bool, *arguments: Any) -> Any:
    """Call a cell's `project` or `recurrent_weights`, with `training` where it takes that.

    Example:
        >>> with_training(LinearCell(4).recurrent_weights, True)
        ()
    """
    if takes_training(piece):
        return piece(*arguments, training=training)
    return piece(*arguments)


def draw_seed() -> int:
    """Return a seed for the start of a weight, which `keras.utils.set_random_seed` decides.

    Keras may want a start in the middle of a graph, where no generator is at hand.

    Example:
        >>> keras.utils.set_random_seed(1)
        >>> first = draw_seed()
        >>> keras.utils.set_random_seed(1)
        >>> draw_seed() == first
        True
    """
    return random.randint(1, 10**9)


def block_values(*values: float) -> Callable[..., Any]:
    """An initializer for a vector of equal blocks, each filled with its value.

    Example:
        >>> block_values(1, 0)((4,), "float32").numpy().tolist()
        [1.0, 1.0, 0.0, 0.0]
    """

    def start(shape: tuple[int], dtype: Any = None) -> Tensor:
        return ops.convert_to_tensor(np.repeat(values, shape[0] // len(values)), dtype)

    return start


def is_positive_integer(value: Any) -> bool:
    """Whether it is one; True, which Python counts as 1, is none.

    Example:
        >>> is_positive_integer(1), is_positive_integer(True), is_positive_integer(1.0)
        (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def positive_integer(name: str, value: Any) -> int:
    """The value of the argument of that name.

    Raises:
        ValueError: it is not a positive integer.

    Example:
        >>> positive_integer("memory", 3)
        3
    """
    if not is_positive_integer(value):
        raise ValueError(f"{name} is {value!r}, but a positive integer is needed")
    return value

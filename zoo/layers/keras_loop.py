"""The loop inside Keras' recurrent layers, run by the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.cells.base import Cell
from zoo.cells.keras_cells import DroppingKerasCell, KerasCell, keras_cell
from zoo.recurrence.cell_checks import check_cell
from zoo.recurrence.masking import PackedSteps, StepMasks, where
from zoo.recurrence.run import run_cell
from zoo.recurrence.tracing import CellTrace
from zoo.typing import State, Tensor
from zoo.utils.keras_internals import cudnn_serves


class Traced(NamedTuple):
    """A zoo cell and what its step does."""

    cell: Cell
    trace: CellTrace


@dataclass(frozen=True)
class Level:
    """One cell of a Keras layer, or of the stack that it runs.

    Attributes:
        source: the layer's own cell.
        plain: what runs in its place.
        dropping: what runs in training; None if nothing is dropped, or by the inputs' mask alone.
    """

    source: Any
    plain: Traced
    dropping: Traced | None


class KerasLoop:
    """Runs the cells of a Keras layer by the engine; no layer, so that Keras does not track it.

    Args:
        levels: one a cell, from the bottom up.

    Attributes:
        levels: the same.
    """

    def __init__(self, levels: list[Level]) -> None:
        self.levels = levels

    def run(
        self,
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: State,
        mask: Tensor | None,
        training: bool,
    ) -> tuple[Tensor, Tensor, State]:
        """Return the last output, all outputs and the final state, as `RNN.inner_loop` does."""
        x, static = sequences, sequences.shape[:2]
        if layer.go_backwards:
            x = tf.reverse(x, [1])
            mask = None if mask is None else tf.reverse(mask, [1])
        steps = None if mask is None else PackedSteps.of(mask, None)
        x = x if steps is None else steps.pack(x)
        x = _flattened(x, 2)
        valid = None if steps is None else tf.range(tf.shape(x)[1])[:, None] < steps.lengths

        finals: list[Tensor] = []
        # A variable, as of a stateful layer, is read now: it has another value at backward.
        parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(initial_state)]
        for level in self.levels:
            traced, x = _chosen(level, x, training)
            own = [_flattened(parts.pop(0), 1) for _ in tf.nest.flatten(traced.trace.state)]
            state = tf.nest.pack_sequence_as(traced.trace.state, own)
            masks = StepMasks(valid, None, own)
            x, final = run_cell(traced.cell, traced.trace, x, state, masks, training)
            x.set_shape([*static, level.plain.cell.output_size])
            finals += tf.nest.flatten(final)
        frame = getattr(level.plain.cell, "frame", (level.plain.cell.output_size,))

        output = traced.trace.output
        # The last output is most often a part of the state, whose gradient needs no other outputs.
        made = None if output is None else tf.nest.flatten(final)[output]
        last, x = _outputs(layer, x, made, mask, steps)
        last = tf.reshape(last, [-1, *frame])
        outputs = last[:, None]
        if layer.return_sequences:
            outputs = tf.reshape(x, [*_sizes(x)[:2], *frame])
        finals = [
            tf.reshape(part, [-1, *start.shape[1:]])
            for part, start in zip(finals, tf.nest.flatten(initial_state))
        ]
        return last, outputs, tf.nest.pack_sequence_as(initial_state, finals)


def make_loop(layer: keras.layers.RNN, input_shape: Any) -> KerasLoop | str:
    """Return what runs a built layer's cells; or, in words, why the engine does not.

    Args:
        layer: a layer of Keras, or of a class made from one.
        input_shape: of its inputs, `[B, T, ...]`.
    """
    levels: list[Level] = []
    size = tf.TensorShape(input_shape[2:]).num_elements()
    for cell in _cells(layer):
        made = keras_cell(cell)
        if made is None:
            return f"the engine has no {type(cell).__name__}"
        functions = [getattr(cell, name, None) for name in ("activation", "recurrent_activation")]
        if any(isinstance(function, keras.Layer) for function in functions):
            return "its activation is a layer"
        try:
            if made is cell:
                check_cell(made, size)
            plain = Traced(made, CellTrace.of(made, size))
        except Exception as error:
            # What cannot be traced is run by Keras, whatever the cell raises.
            return f"its step cannot be traced: {str(error).strip().splitlines()[0]}"
        levels.append(Level(cell, plain, _dropping(made, size)))
        size = made.output_size
    return KerasLoop(levels)


def run_inner_loop(
    layer: keras.layers.RNN,
    otherwise: Callable[..., tuple[Tensor, Tensor, State]],
    sequences: Tensor,
    initial_state: State,
    mask: Any,
    training: bool | None,
) -> tuple[Tensor, Tensor, State]:
    """Run a layer's loop by the engine, or by `otherwise`, its class' own, where it cannot.

    The arguments and what is returned are those of `keras.layers.RNN.inner_loop`.
    """
    sequences = tf.convert_to_tensor(sequences)
    runs: Any = "its inputs are no numbers of floating type, or have no steps"
    if sequences.dtype.is_floating and sequences.shape[1] != 0:
        runs = left_to_keras(layer) or _loop_of(layer, sequences.shape)
    if isinstance(runs, str):
        return otherwise(sequences, initial_state, mask, training=training)
    return runs.run(layer, sequences, initial_state, _plain_mask(mask), bool(training))


class _Choice(NamedTuple):
    """What runs a layer, for as long as its cells have these features."""

    features: list[Any]
    runs: KerasLoop | str


class _Holder:
    """Holds what Keras and TensorFlow would track if it were the attribute of a layer."""

    def __init__(self, choice: _Choice) -> None:
        self.choice = choice


def _loop_of(layer: keras.layers.RNN, shape: Any) -> KerasLoop | str:
    """Return what runs a built layer, made once."""
    cells = _cells(layer)
    names = ("compute_dtype", "dropout", "recurrent_dropout", "dropout_mask_count")
    features = [
        [id(cell), *map(id, cell.variables), *(getattr(cell, name, None) for name in names)]
        for cell in cells
        if isinstance(cell, keras.Layer)
    ]
    holder = getattr(layer, "_zoo_loop", None)
    if holder is None or holder.choice.features != features:
        holder = _Holder(_Choice(features, make_loop(layer, shape)))
        layer._zoo_loop = holder
    return holder.choice.runs


def _cells(layer: keras.layers.RNN) -> list[Any]:
    """Return the cells that a layer runs, from the bottom up."""
    stacked = type(layer.cell) is keras.layers.StackedRNNCells
    return list(layer.cell.cells) if stacked else [layer.cell]


def _dropping(cell: Cell, size: int) -> Traced | None:
    """Return the cell that drops in training, where each gate has masks or the state has."""
    if not isinstance(cell, KerasCell):
        return None
    made = DroppingKerasCell(cell)
    by_gate = getattr(cell.cell, "dropout_mask_count", None) is not None
    if made.recurrent_dropout or (made.dropout and by_gate):
        return Traced(made, CellTrace.of(made, size))
    return None


def _chosen(level: Level, x: Tensor, training: bool) -> tuple[Traced, Tensor]:
    """Return the cell that is run, and its inputs, in its type."""
    x = tf.cast(x, level.plain.cell.compute_dtype)
    if level.dropping and training:
        return level.dropping, x
    keras_own = level.plain.cell is not level.source
    if training and keras_own and 0 < level.source.dropout < 1:
        # Drawn before the loop by Keras, as are all masks.
        x *= tf.cast(level.source.get_dropout_mask(x[:, 0]), x.dtype)[:, None]
    return level.plain, x


def _outputs(
    layer: keras.layers.RNN,
    y: Tensor,
    made: Tensor | None,
    mask: Tensor | None,
    steps: PackedSteps | None,
) -> tuple[Tensor, Tensor]:
    """Return the last output `[B, H]`, and all of them where they are asked for.

    At a step that the mask leaves out the output is the one before, zero at first; or zero.

    Args:
        y: outputs `[B, T, H]`, packed where there is a mask, and zero where nothing is.
        made: the output of each row's last step, where it is a part of the state.
        mask: `[B, T]`, in the order of the loop.
        steps: how y is packed.
    """
    if mask is None or steps is None:
        return y[:, -1] if made is None else made, y
    if made is None:
        made = tf.gather(y, tf.maximum(steps.lengths - 1, 0), batch_dims=1)
    ends = mask[:, -1] if layer.zero_output_for_mask else steps.lengths > 0
    last = where(ends, made, tf.zeros_like(made))
    if not layer.return_sequences:
        return last, y
    if layer.zero_output_for_mask:
        return last, steps.unpack(y)
    index = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1
    repeated = tf.gather(y, tf.maximum(index, 0), batch_dims=1)
    return last, tf.where(index[..., None] >= 0, repeated, tf.zeros_like(repeated))


def _plain_mask(mask: Any) -> Tensor | None:
    """Return a mask as `[B, T]` booleans; Keras' layers take `[B, T, 1]` too, and a list of one."""
    mask = mask[0] if isinstance(mask, list | tuple) else mask
    if mask is None:
        return None
    mask = tf.cast(tf.convert_to_tensor(mask), tf.bool)
    return tf.squeeze(mask, -1) if len(mask.shape) == 3 and mask.shape[-1] == 1 else mask


def left_to_keras(layer: keras.layers.RNN) -> str | None:
    """Return why Keras runs a layer itself whatever its cell is, in words; None if it does not."""
    if getattr(layer, "use_cudnn", False) is True:
        return "use_cudnn=True asks for cuDNN"
    if layer.unroll:
        return "unroll=True asks for another loop"
    served = isinstance(layer, keras.layers.LSTM | keras.layers.GRU) and layer.use_cudnn
    return "cuDNN runs it on the GPU" if served and cudnn_serves(layer) else None


def _flattened(x: Tensor, lead: int) -> Tensor:
    """Join all axes after the first `lead`."""
    if len(x.shape) == lead + 1:
        return x
    return tf.reshape(x, [*_sizes(x)[:lead], x.shape[lead:].num_elements()])


def _sizes(x: Tensor) -> list[Any]:
    """Return the sizes of the axes, numbers where they are known."""
    dynamic = tf.shape(x)
    return [dynamic[n] if size is None else size for n, size in enumerate(x.shape)]

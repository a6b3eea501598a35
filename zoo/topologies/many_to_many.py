"""A sequence in, an output at each step: language models and taggers."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.errors import UserError
from zoo.layers.embedding import Embedding
from zoo.layers.softmax import SampledSoftmax, cross_entropy
from zoo.layers.stack import RecurrentStack, time_dropout
from zoo.registry import register
from zoo.topologies.base import Scores, SequenceModel
from zoo.typing import State, Tensor, Window
from zoo.utils.validation import check_shares


@register(
    "architecture",
    "many_to_many",
    topology="many_to_many",
    inputs="tokens",
    outputs="class at each step",
    example={"units": 12, "embedding": 9, "vocab_size": 17, "outputs": 5},
)
@keras.saving.register_keras_serializable("zoo")
class ManyToMany(SequenceModel):
    """y_t = W h_t + b, h_t = cell(E x_t, state_(t-1)): tokens in, logits at each step out.

    What drops or is added does so in training alone.

    Args:
        vocab_size: how many input tokens there are; ids are 0..vocab_size - 1.
        outputs: how many classes each step tells apart; 0 for the vocabulary itself.
        embedding: size of a token's vector E x_t.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped before each recurrent layer and before the logits.
        tied: use the embedding as output weights too (Press and Wolf 2017, arXiv:1608.05859); the
            outputs are then the vocabulary.
        projection: with tied weights, take h to the embedding's size first, y_t = E (P h_t + p)
            + b; without, the two sizes must be equal.
        variational: drop the same entries at all time steps of a window (Gal and Ghahramani 2016,
            arXiv:1512.05287), else others at each (Zaremba et al. 2014, arXiv:1409.2329).
        recurrent_dropout: share of h_(t-1) that a recurrence does not see; the same entries at all
            time steps of a window.
        weight_drop: share of the recurrent weights that is dropped, for a window at a time (Merity,
            Keskar and Socher 2017, arXiv:1708.02182).
        embedding_dropout: share of the vocabulary whose vectors are dropped, whole, for a window
            at a time (as there).
        activation_reg: α of the loss α mean(h'_t²), h' being the top layer's output after dropout
            (Merity, McCann and Socher 2017, arXiv:1708.01009).
        temporal_reg: β of the loss β mean((h_(t+1) - h_t)²), h without dropout (as there).
        init_scale: s, where all weights and biases start uniformly in -s..s; 0 for each layer's own
            start.
        embedding_scale: the same, of the embedding; 0 for `init_scale`, or 0.05 without that.
        samples: how many classes a training loss is computed from, drawn for a window at a time; 0
            for all. See `SampledSoftmax`: ids must fall in frequency.

    Raises:
        ValueError: without a projection, `embedding` is not `units`; a number is negative; or the
            recurrent weights of a cell that has none are to be dropped.

    Example:
        >>> model = ManyToMany(vocab_size=50, cell="gru", units=16)
        >>> model(model.example_inputs(3, time=7)).shape
        TensorShape([3, 7, 50])
    """

    steps_on = "tokens"
    compiled_steps = True

    def __init__(
        self,
        vocab_size: int = 100,
        outputs: int = 0,
        embedding: int = 64,
        cell: str = "lstm",
        units: int = 256,
        layers: int = 1,
        dropout: float = 0.0,
        tied: bool = False,
        projection: bool = True,
        variational: bool = True,
        recurrent_dropout: float = 0.0,
        weight_drop: float = 0.0,
        embedding_dropout: float = 0.0,
        activation_reg: float = 0.0,
        temporal_reg: float = 0.0,
        init_scale: float = 0.0,
        embedding_scale: float = 0.0,
        samples: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_not_negative(
            activation_reg=activation_reg,
            temporal_reg=temporal_reg,
            init_scale=init_scale,
            embedding_scale=embedding_scale,
            samples=samples,
        )
        if tied and not projection and embedding != units:
            raise ValueError(
                f"embedding is {embedding}, but {units} is needed, the units: or use a projection"
            )
        start = _uniform(embedding_scale or 0.05)
        self.embedding = Embedding(vocab_size, embedding, start)
        self.stack = RecurrentStack(
            cell, units, layers, dropout, False, variational, recurrent_dropout, weight_drop
        )
        self.dropout = time_dropout(dropout, variational)
        self.tied = tied
        classes = vocab_size if tied else outputs or vocab_size
        self.sampled: Any = SampledSoftmax(classes, samples) if samples else None
        if tied:
            self.head = keras.layers.Dense(embedding) if projection else None
        else:
            # Rows of a sample are gathered from a kernel that has a row for each class.
            self.head = None if samples else keras.layers.Dense(classes)
            if samples:
                self.kernel = self.add_weight(
                    name="kernel", shape=(classes, units), initializer="glorot_uniform"
                )
        if tied or samples:
            self.bias = self.add_weight(name="bias", shape=(classes,), initializer="zeros")
        check_shares(embedding_dropout=embedding_dropout)
        self.word_dropout = keras.layers.Dropout(embedding_dropout)
        self.activation_reg, self.temporal_reg = activation_reg, temporal_reg
        self._finish()
        for weight in self.trainable_weights if init_scale else []:
            if weight is not self.embedding.embeddings or not embedding_scale:
                # An initializer of its own for each: one gives the same numbers again.
                weight.assign(_uniform(init_scale)(weight.shape, weight.dtype))

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return one state a recurrent layer."""
        return self.stack.initial_state(batch_size)

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        lengths: Tensor = None,
        training: bool | None = None,
        targets: Tensor = None,
    ) -> Tensor:
        """Compute logits `[B, T, outputs]` of token ids `[B, T]`.

        Args:
            inputs: integers in 0..vocab_size - 1.
            state: as `initial_state` gives it; None for the start of a sequence.
            reset: `[B]` or `[B, T]`, true where a row starts a new sequence.
            return_state: also give the state after the last step.
            lengths: `[B]`, where right-padded rows end, and with them the changes of their state.
            training: whether dropout acts.
            targets: `[B, T]`, of a model with `tied` or `samples`: give the `Scores` of these in
                place of logits.
        """
        y, state = self.stack(
            self._embedded(inputs, training),
            initial_state=state,
            lengths=lengths,
            reset=reset,
            training=training,
        )
        dropped = self.dropout(y, training=training)
        if training:
            self._regularize(y, dropped)
        outputs = (
            self._logits(dropped) if targets is None else self._scored(dropped, targets, training)
        )
        return (outputs, state) if return_state else outputs

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one token `[B]`, and return logits `[B, outputs]`, and the new state."""
        y, state = self.stack.step(self.embedding(x_t), state)
        return self._logits(y), state

    def score(
        self, window: Window, state: State, training: bool = False, smoothing: float = 0.0
    ) -> tuple[Scores, State]:
        """Return what the answers are worth, as `SequenceModel.score`, but without a large softmax.

        Raises:
            UserError: a model with `samples` is trained with label smoothing, which needs all
                logits.
        """
        if training and self.sampled and smoothing:
            raise UserError(
                f"label_smoothing is {smoothing}, but a model trained on {self.sampled.samples} "
                "samples of its classes needs 0: pass samples=0 for all classes"
            )
        if smoothing or not (self.tied or self.sampled):
            return super().score(window, state, training, smoothing)
        return self(
            window["inputs"],
            state=state,
            reset=window["reset"],
            return_state=True,
            training=training,
            targets=window["targets"],
        )

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return rows of the first token."""
        return np.zeros((batch_size, time), "int32")

    def _embedded(self, inputs: Tensor, training: bool | None) -> Tensor:
        x = self.embedding(inputs)
        if not (training and self.word_dropout.rate):
            return x
        keep = self.word_dropout(ops.ones((self.embedding.input_dim, 1), x.dtype), training=True)
        return x * ops.take(keep, inputs, axis=0)

    def _regularize(self, y: Tensor, dropped: Tensor) -> None:
        """Add losses of the top layer's outputs `[B, T, units]`, in float32."""
        if self.activation_reg:
            self.add_loss(self.activation_reg * _mean_square(dropped))
        if self.temporal_reg:
            self.add_loss(self.temporal_reg * _mean_square(y[:, 1:] - y[:, :-1]))

    def _projected(self, y: Tensor) -> Tensor:
        return y if self.head is None else self.head(y)

    def _scored(self, y: Tensor, targets: Tensor, training: bool | None) -> Scores:
        """Score a window: in training with `samples` by an estimate, else exactly."""
        h, kernel = self._projected(y), self._kernel()
        if training and self.sampled:
            return Scores(*self.sampled(h, targets, kernel, self.bias))
        nll, right = cross_entropy(h, kernel, self.bias, targets)
        return Scores(nll, nll, right)

    def _kernel(self) -> Tensor:
        """Return the output weights with a row for each class."""
        return (self.embedding.embeddings if self.tied else self.kernel).value

    def _logits(self, y: Tensor) -> Tensor:
        y = self._projected(y)
        if not self.tied and self.sampled is None:
            return y
        return ops.matmul(y, ops.transpose(self._kernel())) + self.bias


def _check_not_negative(**values: float) -> None:
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} is {value}, but it must not be negative")


def _uniform(scale: float) -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-scale, scale)


def _mean_square(x: Tensor) -> Tensor:
    """Compute the mean square of all entries; zero without any, as in a window of one step."""
    squares = tf.square(tf.cast(x, tf.float32))
    return tf.math.divide_no_nan(tf.reduce_sum(squares), tf.cast(tf.size(squares), tf.float32))

"""Attention: which places of a memory a query looks at, and what it sees there."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.recurrence.parallel_scan import linear_scan
from zoo.typing import Tensor

KINDS = ("additive", "dot", "multiplicative", "scaled", "location", "monotonic")
PRODUCTS = ("dot", "multiplicative", "scaled")
"""Kinds whose energies are a product, so that those of all queries can be computed at once."""


class Memory(NamedTuple):
    """What is looked at: S places of each row.

    Attributes:
        values: `[B, S, D]`.
        keys: what queries are compared with, `[B, S, A]`, projected once.
        valid: `[B, S]`, 1 for a place that counts, else 0; of the values' type.
    """

    values: Tensor
    keys: Tensor
    valid: Tensor


@keras.saving.register_keras_serializable("zoo")
class Attention(keras.layers.Layer):
    """α = softmax(e), c = Σ_j α_j v_j: a weighted mean of the values of a memory.

    The energy e_j compares the query q with key k_j = U v_j, which `remember` makes once for all
    queries. The kinds:

    - "additive": w tanh(W q + k_j) (Bahdanau, Cho and Bengio 2014, arXiv:1409.0473).
    - "dot": q v_j; "multiplicative": q k_j (Luong, Pham and Manning 2015, arXiv:1508.04025).
    - "scaled": q k_j / √A, A being the size of both (Vaswani et al. 2017, arXiv:1706.03762).
    - "location": w tanh(W q + k_j + b + F_j), with F a convolution over the alignment before
      (Chorowski et al. 2015, arXiv:1506.07503).
    - "monotonic": a reader that walks on from where it stood, and stays at place j with
      probability p_j = σ(g w/|w| tanh(W q + k_j + b) + r); at the last place it stays in any case,
      so that alignments sum to 1 (Raffel et al. 2017, arXiv:1704.00784). In training, α is the
      expected alignment, and noise from N(0, 1) is added to what σ is taken of, so that p learns
      to be 0 or 1. Else nothing is drawn: the reader stays where p_j > 1/2, and α is one-hot.

    With `coverage`, the sum of all alignments so far enters the energies, times a weight for each
    entry within tanh (See, Liu and Manning 2017, arXiv:1704.04368), or times one weight where
    there is no tanh.

    Softmax, sums and alignments are in float32 where computing is in half precision.

    Args:
        query_size: Q, the size of a query.
        memory_size: D, the size of a value.
        kind: one of those above.
        units: A, what queries and keys are projected to; those of a product are of the query's
            size.
        coverage: whether past alignments enter the energies.
        filters: how many convolutions "location" runs over the alignment before.
        width: how many places each of them sees.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the kind is unknown, or query and value of a "dot" differ in size.

    Example:
        >>> attention = Attention(query_size=3, memory_size=4, units=5)
        >>> memory = attention.remember(tf.ones([2, 6, 4]), lengths=[2, 0])
        >>> context, state = attention(tf.ones([2, 3]), memory, attention.start(memory))
        >>> context.shape, state["alignment"][:, :3].numpy().tolist()
        (TensorShape([2, 4]), [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        kind: str = "additive",
        units: int = 128,
        coverage: bool = False,
        filters: int = 10,
        width: int = 15,
        **kwargs: Any,
    ) -> None:
        # Alignments stay in float32 beside values in half precision.
        super().__init__(autocast=False, **kwargs)
        if kind not in KINDS:
            raise ValueError(f"attention is {kind!r}, but {', '.join(KINDS)} are known")
        if kind == "dot" and query_size != memory_size:
            raise ValueError(
                f"queries have size {query_size} and values {memory_size}, but a dot product needs "
                "equal ones: use 'multiplicative'"
            )
        self.kind, self.coverage = kind, coverage
        self.query_size, self.memory_size, self.units = query_size, memory_size, units
        self.filters, self.width = filters, width
        self.wide = "float32" if self.compute_dtype in ("float16", "bfloat16") else None
        self.wide = self.wide or self.compute_dtype
        self.key_size = query_size if kind in PRODUCTS else units
        self._make_weights()
        self.seed_generator = keras.random.SeedGenerator() if kind == "monotonic" else None
        self.built = True

    def _make_weights(self) -> None:
        product, size = self.kind in PRODUCTS, self.key_size

        def weight(name: str, shape: tuple[int, ...], start: Any = "glorot_uniform") -> Tensor:
            return self.add_weight(name=name, shape=shape, initializer=start)

        if self.kind != "dot":
            self.memory_kernel = weight("memory_kernel", (self.memory_size, size))
        if not product:
            self.query_kernel = weight("query_kernel", (self.query_size, size))
            self.vector = weight("vector", (size, 1))
        if self.kind in ("location", "monotonic"):
            self.bias = weight("bias", (size,), "zeros")
        if self.kind == "location":
            self.convolution = weight("convolution", (self.width, 1, self.filters))
            self.location_kernel = weight("location_kernel", (self.filters, size))
        if self.kind == "monotonic":
            self.gain = weight("gain", (), keras.initializers.Constant(size**-0.5))
            self.offset = weight("offset", (), keras.initializers.Constant(-1.0))
        if self.coverage:
            start = keras.initializers.RandomUniform(-0.1, 0.1)
            self.coverage_kernel = weight("coverage_kernel", (1, 1 if product else size), start)

    def remember(self, values: Tensor, lengths: Tensor = None) -> Memory:
        """The memory of values `[B, S, D]`, of which the first `lengths[b]` of a row count."""
        values = tf.cast(tf.convert_to_tensor(values), self.compute_dtype)
        valid = tf.ones(tf.shape(values)[:2], values.dtype)
        if lengths is not None:
            lengths = tf.cast(tf.convert_to_tensor(lengths), tf.int32)
            valid = tf.sequence_mask(lengths, tf.shape(values)[1], values.dtype)
        valid.set_shape(values.shape[:2])
        return Memory(values, self._keys(values), valid)

    def _keys(self, values: Tensor) -> Tensor:
        if self.kind == "dot":
            return values
        keys = row_product(values, self._read(self.memory_kernel))
        if self.kind in ("location", "monotonic"):
            keys += self._read(self.bias)
        return keys

    def start(self, memory: Memory) -> dict[str, Tensor]:
        """What stands before the first query: `alignment` and, if asked for, `coverage`, `[B, S]`.

        The alignment is zero, but for a monotonic reader, who stands at the first place.
        """
        nothing = tf.zeros_like(tf.cast(memory.valid, self.wide))
        state = {"alignment": nothing}
        if self.kind == "monotonic":
            first = tf.cast(tf.range(tf.shape(nothing)[1]) == 0, self.wide)
            state["alignment"] = first * tf.cast(memory.valid, self.wide)
        return {**state, "coverage": nothing} if self.coverage else state

    def call(
        self, query: Tensor, memory: Memory, before: dict[str, Tensor], noise: Tensor = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Look at a memory.

        Args:
            query: `[B, Q]`.
            memory: as `remember` gives it.
            before: as `start` or the query before gave it.
            noise: `[B, S]`, in training of a monotonic kind; see `noise`.

        Returns:
            The context c `[B, D]`, and the state with the new `alignment` `[B, S]`: rows sum to 1
            over the places that count, and are 0 elsewhere; of no such place, all is zero.
        """
        energy = self._energy(query, memory, before)
        if self.kind == "monotonic":
            alignment = self._walk(energy, memory.valid, before["alignment"], noise)
        else:
            alignment = masked_softmax(energy, memory.valid)
        context = tf.linalg.matvec(memory.values, self._narrow(alignment), transpose_a=True)
        after = {"alignment": alignment}
        if self.coverage:
            after["coverage"] = before["coverage"] + alignment
        return context, after

    @property
    def looks_back(self) -> bool:
        """Whether an alignment depends on those before it."""
        return self.coverage or self.kind in ("location", "monotonic")

    def all(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts `[B, T, D]` and alignments `[B, T, S]` of queries `[B, T, Q]`, all at once.

        For kinds that do not look back.
        """
        if self.kind in PRODUCTS:
            energies = self._products(queries, memory)
        else:
            projected = row_product(queries, self._read(self.query_kernel))
            energies = self._additive(memory.keys[:, None] + projected[:, :, None])
        alignments = masked_softmax(energies, memory.valid[:, None])
        return tf.matmul(self._narrow(alignments), memory.values), alignments

    def noise(self, steps: int | Tensor, memory: Memory) -> Tensor:
        """What is added in training, `[T, B, S]`, to the energies of a monotonic kind."""
        shape = tf.concat([[steps], tf.shape(memory.valid)], axis=0)
        return keras.random.normal(shape, dtype=self.wide, seed=self.seed_generator)

    def _energy(self, query: Tensor, memory: Memory, before: dict[str, Tensor]) -> Tensor:
        """`[B, S]`, before anything is masked."""
        if self.kind in PRODUCTS:
            energy = self._products(query[:, None], memory)[:, 0]
            if self.coverage:
                energy += before["coverage"] * tf.cast(self.coverage_kernel[0, 0], self.wide)
            return energy
        inner = memory.keys + tf.matmul(query, self._read(self.query_kernel))[:, None]
        if self.kind == "location":
            past = self._narrow(before["alignment"])[..., None]
            maps = tf.nn.conv1d(past, self._read(self.convolution), stride=1, padding="SAME")
            inner += tf.matmul(maps, self._read(self.location_kernel))
        if self.coverage:
            past = self._narrow(before["coverage"])[..., None]
            inner += past * self._read(self.coverage_kernel)
        energy = self._additive(inner)
        if self.kind == "monotonic":
            norm = tf.norm(tf.cast(self._read(self.vector), self.wide))
            energy *= tf.cast(self.gain, self.wide) / norm
            energy += tf.cast(self.offset, self.wide)
        return energy

    def _additive(self, inner: Tensor) -> Tensor:
        """w tanh(inner): `[..., A] -> [...]`."""
        return tf.cast(row_product(tf.tanh(inner), self._read(self.vector))[..., 0], self.wide)

    def _products(self, queries: Tensor, memory: Memory) -> Tensor:
        """Energies `[B, T, S]`."""
        energies = tf.matmul(queries, memory.keys, transpose_b=True)
        energies = tf.cast(energies, self.wide)
        return energies * self.query_size**-0.5 if self.kind == "scaled" else energies

    def _walk(self, energy: Tensor, valid: Tensor, before: Tensor, noise: Tensor) -> Tensor:
        """Where a reader stops who starts from places that have the probabilities `before`.

        The probability q of passing place j is q_j = (1 - p_(j-1)) q_(j-1) + before_j.
        """
        certain = noise is None
        stays = tf.cast(energy > 0, self.wide) if certain else tf.sigmoid(energy + noise)
        valid = tf.cast(valid, self.wide)
        nothing = tf.zeros_like(valid[:, :1])
        last = valid - tf.concat([valid[:, 1:], nothing], axis=1)
        stays = tf.maximum(stays, last)
        goes = tf.concat([nothing, 1 - stays[:, :-1]], axis=1)
        reached = tf.transpose(linear_scan(tf.transpose(goes), tf.transpose(before)))
        return stays * reached * valid

    def _read(self, weight: Tensor) -> Tensor:
        return tf.cast(tf.convert_to_tensor(weight), self.compute_dtype)

    def _narrow(self, alignment: Tensor) -> Tensor:
        return tf.cast(alignment, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        names = ("query_size", "memory_size", "kind", "units", "coverage", "filters", "width")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def row_product(x: Tensor, kernel: Tensor) -> Tensor:
    """Return `x @ kernel`, `[..., D]` times `[D, P]`, as one product of all rows.

    Of three axes `tf.matmul` has a gradient that costs more than twice as much; of four it crashes
    (oneDNN, TensorFlow 2.21).

    Example:
        >>> row_product(tf.ones([2, 5, 3]), tf.ones([3, 4])).shape
        TensorShape([2, 5, 4])
    """
    rows = tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel)
    y = tf.reshape(rows, tf.concat([tf.shape(x)[:-1], kernel.shape[1:]], axis=0))
    y.set_shape([*x.shape[:-1], kernel.shape[1]])
    return y


def masked_softmax(energy: Tensor, valid: Tensor) -> Tensor:
    """softmax over the last axis where `valid` is not 0; elsewhere, and of none, exactly 0.

    Example:
        >>> masked_softmax(tf.constant([[5.0, 5.0, 9.0]]), tf.constant([[1.0, 1.0, 0.0]])).numpy()
        array([[0.5, 0.5, 0. ]], dtype=float32)
    """
    counts = tf.cast(valid, energy.dtype)
    energy = tf.where(counts > 0, energy, energy.dtype.min)
    # Of no place that counts, all would be alike.
    return tf.nn.softmax(energy) * counts


def coverage_loss(alignments: Tensor, weights: Tensor) -> Tensor:
    """mean_t Σ_j min(α_tj, Σ_(u<t) α_uj): looking at places again (See et al. 2017, eq. 12).

    Args:
        alignments: `[B, T, S]`.
        weights: `[B, T]`, 1 for a time step that counts, else 0.

    Example:
        >>> float(coverage_loss(tf.constant([[[1.0, 0.0], [0.5, 0.5]]]), tf.ones([1, 2])))
        0.25
    """
    weights = tf.cast(weights, alignments.dtype)
    alignments *= weights[..., None]
    before = tf.cumsum(alignments, axis=1, exclusive=True)
    again = tf.reduce_sum(tf.minimum(alignments, before), axis=-1)
    return tf.math.divide_no_nan(tf.reduce_sum(again), tf.reduce_sum(weights))


def doubly_stochastic_loss(alignments: Tensor, weights: Tensor) -> Tensor:
    """mean_j (1 - Σ_t α_tj)²: each place should be looked at once (Xu et al. 2015, eq. 14).

    The paper sums over the places of an image and over the words of a caption; with means of both,
    a weight of 1 does as well for any number of places.

    Args:
        alignments: `[B, T, S]`.
        weights: `[B, T]`, 1 for a time step that counts, else 0.

    Example:
        >>> float(doubly_stochastic_loss(tf.constant([[[0.5, 1.0]]]), tf.ones([1, 1])))
        0.125
    """
    looked = tf.reduce_sum(alignments * tf.cast(weights, alignments.dtype)[..., None], axis=1)
    return tf.reduce_mean(tf.square(1 - looked))

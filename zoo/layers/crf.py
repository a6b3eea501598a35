"""A linear chain of tags: what a sequence of them is worth as a whole."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.recurrence.backprop import loop, swap
from zoo.typing import Shape, State, Tensor

FORBIDDEN = -1e4
"""What a transition that may not be adds to a sequence's score: no float32 sum of logits gets over
it, and unlike minus infinity it makes no numbers that are none."""


class Chain(NamedTuple):
    """What neighbours are worth, float32.

    Attributes:
        transitions: `[K, K]`, of the tag j after the tag i.
        start: `[K]`, of the first tag.
        end: `[K]`, of the last tag.
    """

    transitions: Tensor
    start: State
    end: Tensor


@keras.saving.register_keras_serializable("zoo")
class LinearChain(keras.layers.Layer):
    """A conditional random field: p(y | x) = exp s(x, y) / Σ_y' exp s(x, y'), with the score
    s(x, y) = start[y_1] + Σ_t x[t, y_t] + Σ_t transitions[y_(t-1), y_t] + end[y_T].

    All sums are in float32. Called on logits, it gives the logarithms of the marginals
    p(y_t = k | x), whose softmax they are themselves.

    Args:
        tags: how many tags there are, K.

    Example:
        >>> chain = LinearChain(3)
        >>> marginals = chain(tf.zeros((1, 2, 3)), lengths=tf.constant([2]))
        >>> tf.exp(marginals)[0, 0].numpy().round(2)
        array([0.33, 0.33, 0.33], dtype=float32)

    Source: J. Lafferty, A. McCallum and F. Pereira, "Conditional random fields", ICML 2001; over
    a network, G. Lample et al., "Neural architectures for named entity recognition", 2016,
    arXiv:1603.01360, section 2.2.
    """

    def __init__(self, tags: int, **kwargs: Any) -> None:
        # Sums over whole sequences lose too much in half precision.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.tags = tags
        self.transitions = self.add_weight((tags, tags), "zeros", name="transitions")
        self.start = self.add_weight((tags,), "zeros", name="start")
        self.end = self.add_weight((tags,), "zeros", name="end")
        self.built = True

    @property
    def chain(self) -> Chain:
        """The weights."""
        return Chain(self.transitions.value, self.start.value, self.end.value)

    def call(self, logits: Tensor, lengths: Tensor) -> Tensor:
        """Logits `[B, T, K]` to log p(y_t = k | x), float32 of the same shape; see `marginals`."""
        return marginals(logits, lengths, self.chain)

    def compute_output_shape(self, logits_shape: Shape, lengths_shape: Shape = None) -> Shape:
        """Return the shape of the logits."""
        return logits_shape

    def negative_log_likelihood(self, logits: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """-log p(tags | logits), `[B]`, of tags `[B, T]`."""
        logits = tf.cast(logits, tf.float32)
        return log_partition(logits, lengths, self.chain) - score(logits, tags, lengths, self.chain)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "tags": self.tags}


def score(logits: Tensor, tags: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """s(x, y) of logits `[B, T, K]` and tags `[B, T]`, `[B]`; see `LinearChain`.

    Args:
        logits: float32.
        tags: integers in 0..K - 1; past the end of a row any of these.
        lengths: `[B]`, 1..T.
        chain: what neighbours are worth.
    """
    valid = tf.sequence_mask(lengths, tf.shape(tags)[1], tf.float32)
    own = tf.gather(logits, tags, batch_dims=2)
    pairs = tf.gather_nd(chain.transitions, tf.stack([tags[:, :-1], tags[:, 1:]], axis=-1))
    last = tf.gather(tags, lengths - 1, batch_dims=1)
    ends = tf.gather(chain.start, tags[:, 0]) + tf.gather(chain.end, last)
    return tf.reduce_sum(own * valid, axis=1) + tf.reduce_sum(pairs * valid[:, 1:], axis=1) + ends


def log_partition(logits: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """log Σ_y exp s(x, y), `[B]`, by the forward algorithm."""
    alphas = _forward(logits, lengths, chain)
    return tf.reduce_logsumexp(alphas[-1] + chain.end, axis=-1)


def marginals(logits: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """log p(y_t = k | x), `[B, T, K]`, by the forward-backward algorithm; past the end 0.

    Args:
        logits: `[B, T, K]` of any floating type.
        lengths: `[B]`, 1..T.
        chain: what neighbours are worth.
    """
    logits, lengths = tf.cast(logits, tf.float32), tf.cast(lengths, tf.int32)
    alphas = swap(_forward(logits, lengths, chain))
    # Backward is forward from the other end.
    turned = Chain(tf.transpose(chain.transitions), chain.end, chain.start)
    betas = swap(_forward(_turn(logits, lengths), lengths, turned))
    both = alphas + _turn(betas, lengths) - logits
    inside = tf.sequence_mask(lengths, tf.shape(logits)[1])[..., None]
    return tf.where(inside, tf.nn.log_softmax(both), 0.0)


def viterbi(logits: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """The tags of the largest score, int32 `[B, T]`; past the end the last one again.

    Args:
        logits: `[B, T, K]` of any floating type.
        lengths: `[B]`, 1..T.
        chain: what neighbours are worth.

    Example:
        >>> stays = Chain(tf.constant([[0.0, -9.0], [-9.0, 0.0]]), tf.zeros(2), tf.zeros(2))
        >>> viterbi(tf.constant([[[2.0, 0.0], [0.0, 1.0]]]), tf.constant([2]), stays).numpy()
        array([[0, 0]], dtype=int32)

    Source: A. Viterbi, "Error bounds for convolutional codes", IEEE Transactions on Information
    Theory 13 (1967).
    """
    logits = swap(tf.cast(logits, tf.float32))
    time, _, tags = tf.unstack(tf.shape(logits))
    valid = _valid(lengths, time)
    stay = tf.range(tags)[None]

    def ahead(t: Tensor, best: Tensor, back: Tensor) -> Tensor:
        paths = best[:, :, None] + chain.transitions
        came = tf.argmax(paths, axis=1, output_type=tf.int32)
        here = valid[t][:, None]
        best = tf.where(here, tf.reduce_max(paths, axis=1) + logits[t], best)
        return t + 1, best, back.write(t, tf.where(here, came, stay))

    back = tf.TensorArray(tf.int32, time, element_shape=logits.shape[1:], clear_after_read=False)
    best = chain.start + logits[0]
    back = back.write(0, tf.zeros_like(best, tf.int32))
    _, best, back = loop(ahead, (tf.constant(1), best, back), time)
    last = tf.argmax(best + chain.end, axis=-1, output_type=tf.int32)

    def home(t: Tensor, tag: Tensor, path: Tensor) -> Tensor:
        path = path.write(time - t, tag)
        return t + 1, tf.gather(back.read(time - t), tag, batch_dims=1), path

    path = tf.TensorArray(tf.int32, time, element_shape=logits.shape[1:2])
    _, _, path = loop(home, (tf.constant(1), last, path), time + 1)
    return swap(path.stack())


def _forward(logits: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """log Σ exp s of all beginnings that end in k at t, `[T, B, K]`; past the end the last one."""
    logits = swap(logits)
    time = tf.shape(logits)[0]
    valid = _valid(lengths, time)

    def step(t: Tensor, alpha: Tensor, alphas: Tensor) -> Tensor:
        paths = tf.reduce_logsumexp(alpha[:, :, None] + chain.transitions, axis=1)
        alpha = tf.where(valid[t][:, None], paths + logits[t], alpha)
        return t + 1, alpha, alphas.write(t - 1, alpha)

    # Written inside the loop only: ONNX has no array that lives outside of one.
    first = chain.start + logits[0]
    alphas = tf.TensorArray(tf.float32, time - 1, element_shape=logits.shape[1:])
    _, _, alphas = loop(step, (tf.constant(1), first, alphas), time)
    return tf.concat([first[None], alphas.stack()], axis=0)


def _valid(lengths: Tensor, time: Tensor) -> Tensor:
    """`[T, B]`, whether a row goes on at a step."""
    return tf.range(time)[:, None] < tf.cast(lengths, tf.int32)


def _turn(x: Tensor, lengths: Tensor) -> Tensor:
    """`[B, T, K]` with each row's valid steps turned around."""
    return tf.reverse_sequence(x, lengths, seq_axis=1, batch_axis=0)

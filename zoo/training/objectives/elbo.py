"""The evidence lower bound of pictures whose pixels are on or off."""

from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.topologies.draw import Draw, Strokes
from zoo.training.objectives.base import Losses, Objective, Update
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import documented


@register("objective", "elbo")
@documented
@dataclass(frozen=True)
class Elbo(Objective):
    """-log p(x | z_1 .. z_T) + Σ_t KL(q(z_t) || N(0, 1)): at least the nats of a picture.

    `loss` is its mean over all pictures, the sum of `reconstruction` and `kl`; each picture is
    seen with one draw of z. In training the noise is drawn anew for each update and stroke; in
    evaluation it is that of the window.

    Example:
        >>> Elbo().results([90.0, 2.0, 60.0, 30.0])
        {'loss': 45.0, 'reconstruction': 30.0, 'kl': 15.0}
    """

    metrics: ClassVar[tuple[str, ...]] = ("bound", "weight", "reconstruction", "kl")

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model paints no pictures.

        Raises:
            UserError: it paints none.
        """
        if not isinstance(model, Draw):
            raise UserError("the bound is of models that paint pictures, such as draw-digits")

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with noise that was drawn for this update."""
        inputs = window["inputs"]
        # XLA would otherwise choose another generator.
        noise = tf.random.stateless_normal(tf.shape(inputs["noise"]), seed, alg="philox")
        noise = tf.ensure_shape(noise, inputs["noise"].shape)
        return {**window, "inputs": {**inputs, "noise": noise}}

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the summed bound, and the sums of each row."""
        inputs, weights = window["inputs"], window["weights"]
        strokes, _ = model.strokes(inputs["noise"], model.encode(inputs["image"]))
        wrong = reconstruction(strokes, inputs["image"])
        divergence = tf.reduce_sum(gaussian_kl(strokes.mean, strokes.log_sigma), axis=-1)
        bound = wrong + divergence
        sums = row_sums(weights, bound, wrong, divergence)
        return Losses({"model": tf.reduce_sum(bound * weights)}, sums, state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss`, `reconstruction` and `kl`, in nats a picture."""
        bound, weight, wrong, divergence = (float(part) for part in sums)
        count = max(weight, 1.0)
        return {"loss": bound / count, "reconstruction": wrong / count, "kl": divergence / count}


def reconstruction(strokes: Strokes, images: Tensor) -> Tensor:
    """Return -log p(x | z) `[B]` in nats, of pictures `[B, h, w, c]` whose values are 0 or 255.

    Each pixel is on with the probability that the last canvas of `strokes` has for it.
    """
    logits = strokes.canvas[:, -1]
    on = tf.reshape(tf.cast(images, tf.float32) / 255, tf.shape(logits))
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=on, logits=logits)
    return tf.reduce_sum(each, axis=-1)


def gaussian_kl(mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Return KL(N(mean, sigma²) || N(0, 1)), summed over the last axis, in nats.

    It is ½ Σ (mean² + sigma² - log sigma² - 1).

    Args:
        mean: `[..., Z]`.
        log_sigma: `[..., Z]`, the logarithm of sigma.

    Example:
        >>> gaussian_kl(tf.zeros([1, 3]), tf.zeros([1, 3])).numpy().tolist()
        [0.0]
        >>> gaussian_kl(tf.constant([[1.0, 2.0]]), tf.zeros([1, 2])).numpy().tolist()
        [2.5]
    """
    each = tf.square(mean) + tf.exp(2 * log_sigma) - 2 * log_sigma - 1
    return tf.reduce_sum(each, axis=-1) / 2


def log_weights(strokes: Strokes, images: Tensor) -> Tensor:
    """Return log p(x, z) - log q(z | x) `[B]` of what was drawn, in nats.

    The mean over draws of its exponential is p(x), that of itself is less than log p(x).

    Source: Y. Burda, R. Grosse, R. Salakhutdinov 2015, arXiv:1509.00519, equation 8.
    """
    noise = (strokes.z - strokes.mean) * tf.exp(-strokes.log_sigma)
    prior = -tf.square(strokes.z) / 2
    posterior = -tf.square(noise) / 2 - strokes.log_sigma
    return tf.reduce_sum(prior - posterior, axis=[1, 2]) - reconstruction(strokes, images)


def importance_bound(log_weights: Tensor) -> Tensor:
    """Return -log of the mean weight over the K draws of each row: `[B, K]` to `[B]`, in nats.

    Example:
        >>> weights = tf.constant([[-2.0, -2.0], [-1.0, -3.0]])
        >>> [round(float(nats), 3) for nats in importance_bound(weights)]
        [2.0, 1.566]
    """
    count = tf.cast(tf.shape(log_weights)[1], tf.float32)
    return tf.math.log(count) - tf.reduce_logsumexp(log_weights, axis=1)

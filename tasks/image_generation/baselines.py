"""What pictures cost without a model worth the name: pixels that know nothing of each other."""

import numpy as np
from scipy.special import logsumexp


def independent_pixels(train: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return -log p(x) in nats of pictures whose pixels are on independently of each other.

    A pixel is on with the share (k + ½) / (n + 1) of k among n training pictures.

    Args:
        train: `[N, ...]`, what is above 0 is on.
        images: `[M, ...]`, likewise.

    Returns:
        `[M]`, float64.

    Example:
        >>> train = np.array([[1, 0], [1, 1]])
        >>> independent_pixels(train, np.array([[1, 0]])).round(3).tolist()
        [0.875]

    Source: R. Krichevsky and V. Trofimov 1981, doi:10.1109/TIT.1981.1056331, for the ½.
    """
    return -_log_probability(_on(train), _on(images))


def pixels_of_classes(train: np.ndarray, labels: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return -log p(x) in nats where pixels are independent of each other within a class.

    p(x) is the mixture of the classes of training, each as in `independent_pixels`, with its share.

    Args:
        train: `[N, ...]`, what is above 0 is on.
        labels: `[N]`, the class of each.
        images: `[M, ...]`, of any class.

    Returns:
        `[M]`, float64.

    Example:
        >>> train, labels = np.array([[1, 0], [0, 1]]), np.array([0, 1])
        >>> pixels_of_classes(train, labels, np.array([[1, 0]])).round(3).tolist()
        [1.163]
    """
    train, images = _on(train), _on(images)
    joint = []
    for label in np.unique(labels):
        own = train[labels == label]
        joint.append(np.log(len(own) / len(train)) + _log_probability(own, images))
    return -logsumexp(joint, axis=0)


def _on(images: np.ndarray) -> np.ndarray:
    return (images.reshape(len(images), -1) > 0).astype("float64")


def _log_probability(train: np.ndarray, images: np.ndarray) -> np.ndarray:
    share = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    return images @ np.log(share) + (1 - images) @ np.log(1 - share)

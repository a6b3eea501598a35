"""What the names of metrics say: `recall/cat` is of one class, `naive/mase` of another answer."""

from collections.abc import Container


def is_of_other_answer(name: str, names: Container[str]) -> bool:
    """Return whether a metric is that of another answer, as `naive/mase` is beside `mase`.

    Args:
        name: of the metric.
        names: of all metrics.

    Example:
        >>> names = ["mase", "naive/mase", "recall/cat"]
        >>> [is_of_other_answer(name, names) for name in names]
        [False, True, False]
    """
    return "/" in name and name.partition("/")[2] in names


def is_of_all(name: str, names: Container[str]) -> bool:
    """Return whether a metric is of all examples, and not of a single class or kind of them.

    Args:
        name: of the metric.
        names: of all metrics.

    Example:
        >>> names = ["mase", "naive/mase", "recall/cat"]
        >>> [is_of_all(name, names) for name in names]
        [True, True, False]
    """
    return "/" not in name or is_of_other_answer(name, names)

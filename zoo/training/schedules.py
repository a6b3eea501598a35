"""Learning rates over time."""

from typing import Any

import keras

from zoo.errors import UserError
from zoo.registry import unknown
from zoo.training.settings import Settings

_STEADY = ("constant", "plateau")
_OWN = (*_STEADY, "cosine", "staircase")


def learning_rate(settings: Settings, epoch_windows: int) -> Any:
    """Return the learning rate for a Keras optimizer: a number, or a schedule of its updates.

    Args:
        settings: see `Settings.schedule`.
        epoch_windows: windows of an epoch.

    Raises:
        UserError: there is no such schedule, or its arguments are wrong.

    Example:
        >>> halved = Settings(learning_rate=1.0, schedule="staircase", hold=2, epochs=4)
        >>> [float(learning_rate(halved, 10)(update)) for update in (0, 19, 20, 30)]
        [1.0, 1.0, 0.5, 0.25]
        >>> rising = Settings(learning_rate=1.0, warmup=0.2, epochs=2)
        >>> [round(float(learning_rate(rising, 10)(update)), 2) for update in (0, 2, 4, 12, 20)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    start = settings.learning_rate
    if settings.schedule in _OWN and settings.schedule_config:
        raise UserError(
            f"schedule_config is {settings.schedule_config}, but {settings.schedule} takes none: "
            "choose a schedule of Keras', such as ExponentialDecay"
        )
    if settings.warmup and settings.schedule != "cosine":
        raise UserError(
            f"warmup is {settings.warmup}, but {settings.schedule} has none: leave it at 0"
        )
    if settings.schedule in _STEADY:
        return start
    if settings.schedule == "cosine":
        return _cosine(start, settings.updates(epoch_windows), settings.warmup)
    if settings.schedule == "staircase":
        updates = -(-epoch_windows // settings.accumulate)
        # A boundary is the last update at the rate before it.
        ends = [e * updates - 1 for e in range(max(1, settings.hold), settings.epochs)]
        values = [start * settings.decay**n for n in range(len(ends) + 1)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(ends, values) if ends else start
    return _of_keras(settings)


def _cosine(start: float, updates: int, warmup: float) -> Any:
    """Return a rate that rises over a share of the updates, and falls to zero over the others."""
    rising = round(warmup * updates)
    kind = keras.optimizers.schedules.CosineDecay
    if not rising:
        return kind(start, updates)
    return kind(0.0, updates - rising, warmup_target=start, warmup_steps=rising)


def _of_keras(settings: Settings) -> Any:
    known = _known()
    if settings.schedule not in known:
        names = {*_OWN, *known}
        raise UserError(unknown("schedule", settings.schedule, names))
    config = settings.schedule_config
    if settings.schedule != "PiecewiseConstantDecay":
        config = {"initial_learning_rate": settings.learning_rate, **config}
    try:
        return known[settings.schedule](**config)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{settings.schedule} cannot be made from schedule_config {config}: {error}"
        ) from error


def _known() -> dict[str, type]:
    module, base = keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule
    kinds = {name: getattr(module, name) for name in dir(module)}
    return {n: k for n, k in kinds.items() if isinstance(k, type) and k is not base}

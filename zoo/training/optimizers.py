"""Optimizers of Keras by name."""

from typing import Any

import keras
import tensorflow as tf

from zoo.errors import UserError
from zoo.training.settings import Settings


def optimizer_of(settings: Settings, rate: Any) -> keras.optimizers.Optimizer:
    """Return the optimizer that settings ask for; in half precision, one that scales losses.

    Args:
        settings: see `Settings.optimizer`.
        rate: a number, or a schedule of updates, see `zoo.training.schedules.learning_rate`.

    Raises:
        UserError: Keras has no optimizer of that name, or not with those arguments.

    Example:
        >>> optimizer = optimizer_of(Settings(optimizer="sgd"), 0.5)
        >>> type(optimizer).__name__, float(optimizer.learning_rate)
        ('SGD', 0.5)
    """
    if "learning_rate" in settings.optimizer_config:
        raise UserError("learning_rate is a setting of its own: leave it out of optimizer_config")
    config = {"learning_rate": rate, **settings.optimizer_config}
    try:
        optimizer = keras.optimizers.get({"class_name": settings.optimizer, "config": config})
    except (ValueError, TypeError, KeyError) as error:
        why = str(error).splitlines()[0][:120]
        raise UserError(
            f"Keras has no optimizer {settings.optimizer!r} with {settings.optimizer_config} "
            f'({why}): try adam, or sgd with optimizer_config={{"momentum": 0.9}}'
        ) from error
    if settings.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def check_optimizer(optimizer: keras.optimizers.Optimizer, settings: Settings) -> None:
    """Make an update, as values of a wrong type show in the first one only.

    Args:
        optimizer: a fresh one, which is not used for anything else.
        settings: that it was made of.

    Raises:
        UserError: there is such a value.
    """
    weight = keras.Variable([0.0])
    try:
        optimizer.apply([tf.zeros(1)], [weight])
    except (ValueError, TypeError, tf.errors.OpError) as error:
        why = str(error).splitlines()[0][:120]
        raise UserError(
            f"optimizer_config is {settings.optimizer_config}, which {settings.optimizer} cannot "
            f"use: {why}"
        ) from error

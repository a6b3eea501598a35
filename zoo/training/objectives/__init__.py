"""Objectives: what a training makes small, one file each."""

from zoo.training.objectives.base import Losses, Objective, Player, Update
from zoo.training.objectives.cross_entropy import CrossEntropy
from zoo.training.objectives.elbo import Elbo
from zoo.training.objectives.forecast import Forecast
from zoo.training.objectives.reinforce import Reinforce
from zoo.training.objectives.scheduled_sampling import ScheduledSampling
from zoo.training.objectives.self_critical import SelfCritical
from zoo.training.objectives.sketches import SketchReward
from zoo.training.objectives.squared_error import SquaredError
from zoo.training.objectives.strokes import StrokeReward

__all__ = [
    "CrossEntropy",
    "Elbo",
    "Forecast",
    "Losses",
    "Objective",
    "Player",
    "Reinforce",
    "ScheduledSampling",
    "SelfCritical",
    "SketchReward",
    "SquaredError",
    "StrokeReward",
    "Update",
]

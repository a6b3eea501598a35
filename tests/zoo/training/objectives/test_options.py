"""What an objective can be set to, and which one a task has."""

from dataclasses import fields

import pytest

import zoo
from zoo import registry
from zoo.errors import UserError
from zoo.training.objectives import CrossEntropy, ScheduledSampling, SelfCritical, SquaredError
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (CrossEntropy, {"label_smoothing": 1.0}, "1.0, but at least 0 and less than 1 is needed"),
        (CrossEntropy, {"label_smoothing": -0.1}, "label_smoothing is -0.1, but at least 0"),
        (CrossEntropy, {"label_smoothing": float("nan")}, "label_smoothing is nan"),
        (ScheduledSampling, {"teacher_forcing": 1.1}, "teacher_forcing is 1.1, but 0 to 1 is"),
        (ScheduledSampling, {"forcing_schedule": "sudden"}, "exponential or inverse_sigmoid is"),
        (SelfCritical, {"reward": "meteor"}, "'meteor', but nothing, bleu or cider is needed"),
        (SelfCritical, {"reward_from": 0}, "reward_from is 0, but at least 1 is needed"),
        (SquaredError, {"near": 0.0}, "near is 0.0, but more than 0 is needed"),
    ],
)
def test_options_out_of_range_are_refused(kind, options, message):
    with pytest.raises(UserError, match=message):
        kind(**options)


def test_a_reward_is_not_for_a_step_of_xla():
    sizes = {"source_vocab_size": 7, "target_vocab_size": 7, "embedding": 4, "units": 4}
    model = zoo.create("translate-gru", **sizes)
    with pytest.raises(UserError, match="set jit_compile to False"):
        Trainer(model, Settings(jit_compile=True), objective=SelfCritical(reward="bleu"))


@pytest.mark.parametrize("name", sorted(registry.entries("task")))
def test_the_objective_that_a_task_is_registered_with_is_that_of_its_class(name):
    """A listing reads the one without TensorFlow, a training takes the other."""
    kind = registry.load("task", name).objective_class
    named = registry.get("task", name).info.get("objective", "cross_entropy")
    assert registry.load("objective", named) is kind
    defaults = {field.name: field.default for field in fields(kind)}
    assert registry.get("objective", named).parameters == defaults

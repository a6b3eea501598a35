"""What the config of a run of before says in another way, or does not say."""

from collections.abc import Collection, Mapping
from typing import Any

from zoo import registry

_ONCE_FOR_ALL = {"label_smoothing": 0.0, "teacher_forcing": 1.0, "reward": ""}
"""Settings that were of all trainings once and now are of some objectives, at rest."""
_WITH_THEM = ("forcing_schedule", "reward_from")
"""Such as say nothing while those are at rest."""
_GONE = {"critic_weight"}
"""Settings of objectives that say nothing any more: what a critic gives is scaled by its spread."""


def options_before(entry: registry.Entry) -> dict[str, Any]:
    """Return what the options that a model's entry sets are by the architecture's own defaults.

    A run of before the entry set them has them so, and says it nowhere.

    Example:
        >>> options_before(registry.get("model", "sequence-gru"))["mixed"]
        0
    """
    own = registry.builder_of(entry).parameters
    return {key: own[key] for key in entry.info.get("options", {}) if key in own}


def sorted_settings(
    training: Mapping[str, Any],
    objective: Mapping[str, Any] | None,
    known: Mapping[str, Collection[str]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of training and of the objective, which were written as one before.

    Args:
        training: settings of both, as a config of before has them.
        objective: settings of the objective; None in such a config.
        known: the names that `training` and `objective` have now.

    Raises:
        KeyError: one is not known.

    Example:
        >>> known = {"training": {"epochs"}, "objective": {"label_smoothing"}}
        >>> sorted_settings({"epochs": 3, "label_smoothing": 0.1, "reward": ""}, None, known)
        ({'epochs': 3}, {'label_smoothing': 0.1})
    """
    there = {key: value for key, value in (objective or {}).items() if key not in _GONE}
    groups: dict[str, dict[str, Any]] = {"training": {}, "objective": there}
    for key, value in training.items():
        group = next((group for group in groups if key in known[group]), None)
        if group:
            groups[group][key] = value
        elif key not in _WITH_THEM and (key, value) not in _ONCE_FOR_ALL.items():
            raise KeyError(f"unknown setting {key!r}")
    for key in {*groups["objective"]} - {*known["objective"]}:
        raise KeyError(f"unknown setting {key!r} of the objective")
    return groups["training"], groups["objective"]

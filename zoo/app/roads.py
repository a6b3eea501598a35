"""The five roads of sequences, and the models on each: what the page begins with."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.errors import UserError
from zoo.pretrained import ready_models

if TYPE_CHECKING:
    from zoo.app.shown import Shown


def roads_of(shown: "Mapping[str, Shown]") -> list[dict[str, Any]]:
    """Return the five roads in the lecture's order, each with the catalog's models on it.

    Args:
        shown: what the page shows, by name.

    Returns:
        For each road its `name`, `summary` and `models`: `name`, `summary`; `shown`, under which
        names it is on the page; and `ready`, whether it can be shown without a training.
    """
    by_model: dict[str, list[str]] = {}
    for name, each in shown.items():
        # One that cannot be read says so when it is opened.
        with suppress(UserError):
            by_model.setdefault(each.model(), []).append(name)
    ready, roads = {*ready_models()}, registry.entries("topology")
    models: dict[str, list[dict[str, Any]]] = {road: [] for road in roads}
    for name, entry in registry.entries("model").items():
        models[entry.info["topology"]].append(
            {
                "name": name,
                "summary": entry.summary,
                "shown": by_model.get(name, []),
                "ready": name in ready,
            }
        )
    order = ("one_to_one", "one_to_many", "many_to_one", "many_to_many", "seq2seq")
    return [
        {"name": road, "summary": roads[road].summary, "models": models[road]} for road in order
    ]

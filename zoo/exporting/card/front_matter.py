"""What the Hugging Face Hub reads of a card: YAML at the top of its README.md.

Source: https://huggingface.co/docs/hub/model-cards
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from zoo.task import Task

LIBRARY = "sequence-zoo"
_LICENCES = {"Apache-2.0": "apache-2.0"}
"""The Hub's names of licences."""


def on_hub(task: Task) -> dict[str, Any]:
    """Return what a card says for the Hub alone: `pipeline_tag` and `language`, where known."""
    known = {
        "pipeline_tag": task.pipeline_tag,
        "language": list(task.data_languages.get(task.dataset, ())),
    }
    return {key: value for key, value in known.items() if value}


def front_matter(card: dict[str, Any]) -> str:
    """Return the YAML block for a card, with its end; "" for one that was written without.

    Data sets are named with the metrics only: `datasets` would be those on the Hub.

    Args:
        card: as `zoo.exporting.card.card.make_card` gives it.
    """
    if "hub" not in card:
        return ""
    tags = [LIBRARY, "keras", "tensorflow", "saved-model", "recurrent-neural-network"]
    tags += [card[key].replace("_", "-") for key in ("task", "topology", "cell") if card[key]]
    matter = {
        "library_name": LIBRARY,
        "license": _LICENCES.get(card["licence"]),
        **card["hub"],
        "tags": tags,
        "model-index": _model_index(card),
    }
    lines = _yaml({key: value for key, value in matter.items() if value})
    return "\n".join(["---", *lines, "---", "", ""])


def _model_index(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics as the Hub takes them; their intervals stand in their names."""
    metrics, data = card.get("metrics", {}), card["data"]
    values = metrics.get("values", {})
    listed = [
        {"type": key, "value": each["value"], "name": _name(key, each, metrics["interval"])}
        for key, each in values.items()
        if "/" not in key and each["value"] is not None and math.isfinite(each["value"])
    ]
    if not listed:
        return []
    task = {"type": card["hub"].get("pipeline_tag", card["task"].replace("_", "-"))}
    name = " ".join(filter(None, [data["name"], data.get("version")]))
    result = {
        "task": {**task, "name": card["task"].replace("_", " ")},
        "dataset": {"type": data["name"], "name": name, "split": metrics["split"]},
        "metrics": listed,
    }
    return [{"name": card["name"], "results": [result]}]


def _name(key: str, metric: dict[str, Any], how: dict[str, Any]) -> str:
    if metric["low"] is None:
        return key
    ends = f"{metric['low']:.4g} to {metric['high']:.4g}"
    return f"{key} ({how['level']:.0%} interval {ends})"


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Yield the lines of dicts and lists of JSON values in YAML; texts are quoted as in JSON.

    Example:
        >>> print("\\n".join(_yaml({"a": [1, {"b": "no", "c": 1e-9}]})))
        a:
          - 1
          - b: "no"
            c: 1.0e-09
    """
    pairs = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    for key, each in pairs:
        mark = "- " if key is None else f"{key}: "
        if isinstance(each, dict | list):
            lines = list(_yaml(each, indent + "  "))
            if key is None:
                yield f"{indent}- {lines[0].lstrip()}"
                yield from lines[1:]
            else:
                yield f"{indent}{key}:"
                yield from lines
        else:
            yield f"{indent}{mark}{_scalar(each)}"


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # To YAML 1.1 a number without a point is none.
    exponent = isinstance(value, float) and "e" in text and "." not in text
    return text.replace("e", ".0e") if exponent else text

"""Metrics on the screen: one a line, or beside those of other answers."""

import sys
from typing import Any

from zoo.cli.common import print_table


def print_metrics(metrics: dict[str, Any], stderr: bool = False) -> None:
    """Print metrics, one a line.

    Those of classes or kinds, `recall/cat`, are a table with a row for each. Where a metric has
    another beside it, `mase` and `naive/mase`, both are a row of a table of the model and the
    other. An interval, `skill_low` and `skill_high`, stands behind its metric.

    Args:
        metrics: as `zoo.evaluate` gives them.
        stderr: print them on standard error.
    """
    ends = {name for name in metrics for end in ("_low", "_high") if name.endswith(end)}
    ends = {name for name in ends if name.rpartition("_")[0] in metrics}
    shown = {name: _shown(name, metrics) for name in metrics if name not in ends}
    tables: dict[str, dict[str, dict[str, str]]] = {"beside": {}, "kinds": {}}
    lines = {}
    for name, value in shown.items():
        column, slash, row = name.partition("/")
        if slash:
            rows = tables["beside" if row in metrics else "kinds"]
            start = {"": row} | ({"model": shown[row]} if row in metrics else {})
            rows.setdefault(row, start)[column] = value
        else:
            lines[name] = value
    beside = tables["beside"]
    for rows in tables.values():
        columns = dict.fromkeys(column for row in rows.values() for column in row)
        if rows:
            print_table(list(columns), list(rows.values()), stderr)
        if rows is beside:
            for name, value in lines.items():
                if name not in beside:
                    print(f"{name:<24} {value}", file=sys.stderr if stderr else sys.stdout)


def _shown(name: str, metrics: dict[str, Any]) -> str:
    """Return a metric as text, with its interval if there is one."""
    value = metrics[name]
    if isinstance(value, str):
        return value
    low, high = (metrics.get(f"{name}_{end}") for end in ("low", "high"))
    interval = "" if low is None or high is None else f" ({low:.4f} to {high:.4f})"
    return f"{value:.4f}{interval}"

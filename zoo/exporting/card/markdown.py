"""The card for people to read: nothing stands in it that the card does not say."""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from zoo.exporting.card.front_matter import front_matter
from zoo.exporting.checksums import CURVE
from zoo.utils.metric_names import is_of_other_answer


def readme(card: dict[str, Any]) -> str:
    """Return a card as Markdown.

    Args:
        card: as `zoo.exporting.card.card.make_card` gives it.
    """
    parts = [
        f"# {card['name']}\n\n{card['summary']}",
        _facts(card),
        "## Use it\n\n" + _use(card),
        f"## {'Metrics' if 'metrics' in card else 'Figures'}\n\n" + _metrics(card),
        "## Examples\n\n" + _examples(card),
        "## How it was made\n\n" + _made(card),
        "## Forms and their certificate\n\n" + _forms(card),
        "## Limits\n\n" + card["limits"],
        "## Licence\n\n" + _licence(card),
    ]
    return front_matter(card) + "\n\n".join(parts) + "\n"


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table in Markdown.

    Example:
        >>> print(table(["a", "b"], [[1, "x|y"]]))
        | a | b |
        |---|---|
        | 1 | x\\|y |
    """
    columns = list(columns)
    return "\n".join([_row(columns), "|" + "---|" * len(columns), *map(_row, rows)])


def _row(cells: Iterable[Any]) -> str:
    marked = (str(cell).replace("|", "\\|").replace("\n", "<br>") for cell in cells)
    return "| " + " | ".join(marked) + " |"


def number(value: Any) -> str:
    """Write a number as people read it: four digits of a real one.

    Example:
        >>> number(0.98765), number(12345.6), number(3e-9), number(2000), number(None)
        ('0.9877', '12,346', '3e-09', '2,000', '')
        >>> number(0.0)
        '0'
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) < 0.001 else f"{value:.4f}"


def _facts(card: dict[str, Any]) -> str:
    facts = {
        "task": card["task"],
        "topology": card["topology"],
        "cell": card["cell"],
        "parameters": number(card["parameters"]),
        "multiply-adds, one time step": number(card["multiply_adds"]),
        "data": _data_name(card["data"]),
    }
    return table(["", ""], [row for row in facts.items() if row[1]])


def _data_name(data: dict[str, Any]) -> str:
    return " ".join(filter(None, [data["name"], data.get("version")]))


def _use(card: dict[str, Any]) -> str:
    argument, raw, imports = _input(card)
    lines = [*imports, 'model = tf.saved_model.load(".")', f'print(model.serve({raw})["text"])']
    return "\n\n".join(
        [
            "On the command line, from this folder:",
            f"```\nzoo predict . {argument}\nzoo verify .\n```",
            "In Python, with TensorFlow alone:",
            "```python\nimport tensorflow as tf\n" + "\n".join(lines) + "\n```",
            *filter(None, [card.get("use", {}).get("numbers")]),
            f'If it is one of the ready-trained ones, `zoo.load("{card["name"]}")` gives its Keras '
            "model.",
        ]
    )


def _input(card: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Return an input on the command line and in Python, and what that has to import."""
    if use := card.get("use"):
        return use["argument"], use["python"], use["imports"]
    # Of a card that was written before it said so itself.
    example: dict[str, Any] = next(iter(card["examples"]), {})
    if "frames" in example:
        return "clip.mp4", "clips", ["# clips: uint8 [N, time, height, width, 3]"]
    if file := example.get("file", ""):
        if file.endswith(".npy"):
            return file, f'np.load("{file}")[None]', ["import numpy as np"]
        return file, f'[open("{file}", "rb").read()]', []
    first = (example.get("text", "").splitlines() or ["..."])[0]
    quoted = '"' + first.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return quoted, f"[{quoted}]", []


def metrics_of(card: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics of a card, which were called figures in those of before.

    Raises:
        KeyError: it has none.
    """
    return card["metrics"] if "metrics" in card else card["figures"]


def _metrics(card: dict[str, Any]) -> str:
    metrics = metrics_of(card)
    if not metrics:
        why = card.get("unmeasured", "this was exported with --no-figures")
        return f"They were not measured: {why}."
    how = metrics["interval"]
    values = {key: _value(each) for key, each in metrics["values"].items()}
    beside = [key for key in values if is_of_other_answer(key, values)]
    others = list(dict.fromkeys(key.partition("/")[0] for key in beside))
    rows = [
        [key, *value, *(values.get(f"{other}/{key}", [""])[0] for other in others)]
        for key, value in values.items()
        if "/" not in key
    ]
    texts = [f"- `{key}`: `{value}`" for key, value in metrics["told"].items()]
    return "\n\n".join(
        [
            f"On the {metrics['split']} split, {number(metrics['examples'])} {metrics['counted']}.",
            table(
                [
                    "metric" if "metrics" in card else "figure",
                    "value",
                    f"{how['level']:.0%} interval",
                    *others,
                ],
                rows,
            ),
            f"Intervals: {how['method']} over {how.get('over', metrics['counted'])}, "
            f"{number(how['resamples'])} resamples, seed {how['seed']}.",
            *_by_class({key: value for key, value in values.items() if key not in beside}),
            *(["\n".join(texts)] if texts else []),
        ]
    )


def _value(each: dict[str, Any]) -> tuple[str, str]:
    """Return a metric's value, and its interval."""
    known = each["low"] is not None
    ends = f"{number(each['low'])} to {number(each['high'])}" if known else "none"
    return number(each["value"]), ends


def _by_class(values: dict[str, tuple[str, str]]) -> list[str]:
    """Return a table of the metrics of classes or kinds, `recall/cat`, one row a class, if any."""
    rows: dict[str, dict[str, str]] = {}
    for key, (value, ends) in values.items():
        metric, slash, name = key.partition("/")
        if slash:
            rows.setdefault(name, {})[metric] = f"{value} ({ends})"
    columns = list(dict.fromkeys(metric for row in rows.values() for metric in row))
    cells = [[name, *(row.get(column, "") for column in columns)] for name, row in rows.items()]
    return [table(["", *columns], cells)] if rows else []


def _examples(card: dict[str, Any]) -> str:
    if not card["examples"]:
        return "None were looked for."
    marks = {True: "right", False: "wrong", None: ""}
    columns = ["input", "answer", "expected", ""]
    rows = [
        [_shown(each), *(_plain(each[key]) for key in columns[1:3]), marks[each["right"]]]
        for each in card["examples"]
    ]
    if all(each["right"] is None for each in card["examples"]):
        # No answer is right or wrong, as of a text that is continued.
        columns, rows = columns[:3], [row[:3] for row in rows]
    heading = " ".join(filter(None, ["Of the test split.", card.get("decoding")]))
    return f"{heading}\n\n{table(columns, rows)}"


def _shown(example: dict[str, Any]) -> str:
    if "text" in example:
        return _plain(example["text"])
    file = example["file"]
    if picture := example.get("picture"):
        return f"![answer]({picture}) [{file}]({file})"
    return f"![input]({file})" if file.endswith(".png") else f"[{file}]({file})"


def _plain(text: str) -> str:
    """Return a text that Markdown leaves as it is."""
    return re.sub(r"([\\`*_])", r"\\\1", html.escape(text, quote=False))


def _made(card: dict[str, Any]) -> str:
    made, data = card["training"], card["data"]
    lines = [f"```\n{made['command']}\n```"]
    if made.get("epochs"):
        seconds = made.get("seconds")
        took = f" in {seconds:g} seconds" if seconds is not None else ""
        epochs = "epoch" if made["epochs"] == 1 else "epochs"
        lines += [f"{number(made['epochs'])} {epochs}{took}.", f"![learning curve]({CURVE})"]
    if "description" in data:
        lines += [f"Data: {_data_name(data)}. {data['description']}"]
    if splits := data.get("splits"):
        rows = [[key, number(s["examples"]), f"`{s['sha256']}`"] for key, s in splits.items()]
        lines += [table(["split", "examples", "SHA-256"], rows)]
    elif "files" in data:
        lines += [f"SHA-256 of the files: `{data['files']}`"]
    lines += ["Made with " + ", ".join(f"{k} {v}" for k, v in card["versions"].items()) + "."]
    return "\n\n".join(lines)


def _forms(card: dict[str, Any]) -> str:
    sizes = table(["form", "bytes"], [[key, number(size)] for key, size in card["sizes"].items()])
    certificate = card["certificate"]
    if not certificate:
        return sizes
    batch = f"{number(certificate['rows'])} rows of the {certificate.get('split', 'test')} split"
    if certificate["steps"] > 1:
        batch += f", {number(certificate['steps'])} time steps"
    rows = [[key, number(value)] for key, value in flat(certificate["differences"])]
    unit = f"All in units of {certificate['unit']}. " if "unit" in certificate else ""
    parts = [
        sizes,
        f"How far outputs are from those of the Keras model, at most, over {batch}. The largest "
        f"output is {number(certificate['largest_output'])}. {unit}With a difference over "
        f"{certificate['tolerance']:g} nothing would have been exported.",
        table(["", "largest difference"], rows),
    ]
    few = certificate.get("litert_rows")
    if few and any(form.startswith("litert/") for form in card["sizes"]):
        parts += [f"LiteRT: the first {number(few)} rows."]
    if quantised := certificate.get("quantised"):
        rows = [[key, number(value)] for key, value in flat(quantised)]
        parts += ["Quantised to 8 bits, which has no tolerance:", table(["", ""], rows)]
    return "\n\n".join(parts)


def flat(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of dicts and lists in each other, with the path of each.

    Example:
        >>> dict(flat({"a": {"b": 1, "c": [2, 3]}}))
        {'a b': 1, 'a c 1': 2, 'a c 2': 3}
    """
    if isinstance(tree, (dict, list)):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree, start=1)
        for key, value in pairs:
            yield from flat(value, f"{name} {key}".strip())
    else:
        yield name, tree


def _licence(card: dict[str, Any]) -> str:
    data = card["data"].get("licence", "not stated")
    return f"The weights: {card['licence']}. The data, {card['data']['name']}: {data}."

"""The sections of a report: what a run was, what it reached, and what its model does."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from matplotlib.figure import Figure

from zoo.diagnostics.diagnosis import Diagnosis
from zoo.evaluation.plots import png_of
from zoo.exporting.card.markdown import flat, metrics_of, number
from zoo.exporting.report.page import Section
from zoo.task import Case
from zoo.utils.html import element, image, table, wide
from zoo.utils.metric_names import is_of_other_answer

_VERDICTS = {True: "right", False: "wrong", None: ""}


def picture(figure: Figure, alt: str) -> str:
    """Return a figure as a picture in the page.

    Args:
        figure: what was drawn.
        alt: what it shows.
    """
    return element("figure", image(png_of(figure), "png", alt))


def facts_section(facts: Mapping[str, Any]) -> Section:
    """Return a table of names and values; what is empty is left out."""
    rows = [[name, number(value)] for name, value in facts.items() if value not in ("", None)]
    return Section("What it is", wide(table([], rows)))


def command_section(made: Mapping[str, Any]) -> Section:
    """Return the command that makes the run again, with the time that it took.

    Args:
        made: as `zoo.exporting.card.provenance.training` gives it.
    """
    parts = [element("pre", escape(made["command"]))]
    if epochs := made.get("epochs"):
        seconds = made.get("seconds")
        took = "" if seconds is None else f" in {seconds:g} seconds of training"
        name = "epoch" if epochs == 1 else "epochs"
        parts.append(element("p", f"{number(epochs)} {name}{took}."))
    return Section("How it was made", "".join(parts))


def metrics_section(metrics: Mapping[str, Any], why_not: str = "") -> Section:
    """Return the metrics with their intervals, beside those of a naive answer.

    Args:
        metrics: as `zoo.exporting.card.card.measured_metrics` gives them; `naive/accuracy` beside
            `accuracy` is that of another answer. Empty where nothing was measured.
        why_not: what is said then.
    """
    if not metrics:
        return Section("Metrics", element("p", escape(why_not)))
    values = metrics["values"]
    beside = [key for key in values if is_of_other_answer(key, values)]
    others = list(dict.fromkeys(key.partition("/")[0] for key in beside))
    rows = [
        [key, number(each["value"]), ends(each)]
        + [number(values.get(f"{other}/{key}", {}).get("value")) for other in others]
        for key, each in values.items()
        if "/" not in key
    ]
    how = metrics["interval"]
    over = how.get("over", metrics["counted"])
    caption = f"{metrics['split']} split, {number(metrics['examples'])} {metrics['counted']}"
    columns = ["metric", "value", f"{how['level']:.0%} interval", *others]
    notes = [f"Intervals: {how['method']} over {over}, {number(how['resamples'])} resamples."]
    notes += [f"{key}: {value}" for key, value in metrics["told"].items()]
    below = "".join(element("p", escape(note), class_="note") for note in notes)
    return Section("Metrics", wide(table(columns, rows, caption)) + below)


def classes_section(metrics: Mapping[str, Any]) -> Section:
    """Return a table of the metrics of each class or kind, `recall/cat`, if there are any."""
    values = metrics.get("values", {})
    rows: dict[str, dict[str, str]] = {}
    for key, each in values.items():
        metric, slash, name = key.partition("/")
        if slash and name not in values:
            rows.setdefault(name, {})[metric] = f"{number(each['value'])} ({ends(each)})"
    columns = list(dict.fromkeys(metric for row in rows.values() for metric in row))
    cells = [[name, *(row.get(column, "") for column in columns)] for name, row in rows.items()]
    return Section("Each class or kind", wide(table(["", *columns], cells)) if rows else "")


def examples_section(examples: Sequence[tuple[Case, str, bool | None, str]]) -> Section:
    """Return examples side by side.

    Args:
        examples: each a case, the model's answer, whether it is right, and how it is shown.
    """
    cards = []
    for case, answer, right, shown in examples:
        verdict = _VERDICTS[right]
        pairs = [("answer", answer), ("expected", case.expected)]
        texts = "".join(
            element("dt", name) + element("dd", escape(text)) for name, text in pairs if text
        )
        mark = element("p", verdict, class_="verdict") if verdict else ""
        cards.append(
            element("article", mark + shown + element("dl", texts), class_=verdict or "open")
        )
    return Section("Examples", element("div", "".join(cards), class_="examples") if cards else "")


def horizon_section(diagnosis: Diagnosis, figure: Figure) -> Section:
    """Return how far back the gradient reaches."""
    rows = diagnosis.rows()
    columns = [column for column in rows[0] if column != "name" and any(r[column] for r in rows)]
    cells = [[row[column] for column in columns] for row in rows]
    alt = f"The gradient of the last loss by lag. {diagnosis.explanation}"
    words = element("p", escape(diagnosis.explanation))
    return Section(
        "How far back it learns", words + picture(figure, alt) + wide(table(columns, cells))
    )


def forms_section(card: Mapping[str, Any]) -> Section:
    """Return the sizes of an export's forms, and its certificate; nothing of what has no card."""
    if not card:
        return Section("Export", "")
    parts = [wide(table(["form", "bytes"], [[k, number(v)] for k, v in card["sizes"].items()]))]
    if certificate := card["certificate"]:
        rows = [[name, number(value)] for name, value in flat(certificate["differences"])]
        caption = (
            f"Largest difference to the Keras model over {number(certificate['rows'])} rows; over "
            f"{certificate['tolerance']:g} nothing would have been exported"
        )
        parts.append(wide(table(["output", "largest difference"], rows, caption)))
    return Section("Export", "".join(parts))


def versions_section(versions: Mapping[str, str]) -> Section:
    """Return the versions of what it was made, or is shown, with."""
    return Section("Versions", wide(table([], list(versions.items()))))


def ends(each: Mapping[str, Any]) -> str:
    """Return a metric's interval as text; "none" of one that has none."""
    known = each.get("low") is not None and each.get("high") is not None
    return f"{number(each['low'])} to {number(each['high'])}" if known else "none"


def card_metrics(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of a card, none where it was not measured."""
    return metrics_of(dict(card)) if card else {}

"""Measures again what the card of an export says, from the export itself."""

import math
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from zoo.api.load import folder_of
from zoo.errors import UserError
from zoo.exporting.card.card import facts, form_of, measured_metrics, sizes
from zoo.exporting.card.examples import Cases, answer_to
from zoo.exporting.card.front_matter import on_hub
from zoo.exporting.card.markdown import flat, metrics_of, readme
from zoo.exporting.card.provenance import training
from zoo.exporting.checksums import CARD, README, check_files, hash_file, hash_files, read_card
from zoo.exporting.formats.saved_model import load_saved_model, restore_export
from zoo.exporting.manifest import read_manifest
from zoo.exporting.parity import forms_left_out, measure_parity
from zoo.exporting.trained import Trained
from zoo.task import Task
from zoo.utils.progress import progress

TOLERANCE = 1e-3
"""How far a metric may be from the card's, relative to it: libraries and machines differ."""

ROUGHLY = 0.01
"""The same of what is told of quantised forms, absolute: they are rounded another way elsewhere."""

FORMER = (
    "beam_width=1",
    "length_penalty=1.0",
    "unit=word",
    "critic_updates=1",
    "critic_rate=0.0005",
)
"""What a command that does not name it set before the default was another."""

LATER = ("repeating", "unended")
"""Metrics that cards of before do not have."""

NAIVE = "naive/"
"""How those of a naive answer begin: a card has them all, or is of before."""

_NEAR_ZERO = 1e-6
_EXPECTED = ", expected: right"
_LARGEST = "certificate, largest output"


@dataclass(frozen=True)
class Check:
    """One thing that a card says, and what was found.

    Attributes:
        name: what was checked.
        card: what the card says.
        measured: what was found.
        holds: whether these are the same, within the tolerance; None where they cannot be compared
            here: a package is missing, the data are of another version, or the card is of before
            and does not say it.
    """

    name: str
    card: Any
    measured: Any
    holds: bool | None


@dataclass(frozen=True)
class Verification:
    """A card against its export.

    Attributes:
        name: of the model.
        path: of the export.
        checks: one for each thing that was looked at.
    """

    name: str
    path: Path
    checks: list[Check]

    @property
    def holds(self) -> bool:
        """Return whether all of it does that could be measured."""
        return all(check.holds is not False for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "path": str(self.path), "holds": self.holds}


def verify(what: str | Path, data_dir: str | None = None) -> Verification:
    """Hold what an export's card says against the export.

    Files are compared with their checksums. Where they are as they were written, the model is
    built again from them and measured on the test split, the SavedModel answers the card's
    examples, and its certificate is made anew. What cannot be measured again is left alone: when,
    how long and with which versions it was trained, and the learning curve.

    Args:
        what: an export, or the name of a ready-trained model.
        data_dir: folder of prepared data sets.

    Returns:
        What was found, which does not raise where something does not hold.

    Raises:
        UserError: there is no such export, its card cannot be read, or the data are not
            there.
    """
    path = folder_of(what)
    card = read_card(path)
    files = f"{len(card['files'])} as written"
    try:
        check_files(path)
    except UserError as error:
        return Verification(_name(card), path, [Check("files", files, str(error), False)])
    try:
        checks = [Check("files", files, files, True), *_checks(card, path, data_dir)]
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"{path / CARD} is damaged: {type(error).__name__} {error}; export the run again"
        ) from error
    return Verification(_name(card), path, checks)


def _name(card: dict[str, Any]) -> str:
    return str(card.get("name", ""))


def _checks(card: dict[str, Any], path: Path, data_dir: str | None) -> Iterator[Check]:
    shown, rendered = path / README, readme(card).encode()
    same = shown.is_file() and shown.read_bytes() == rendered and hash_file(shown) == card["readme"]
    yield Check(README, "as the card says", "as the card says" if same else "something else", same)
    yield from _sizes(card, path)
    manifest = read_manifest(path)
    trained = restore_export(path, manifest)
    task = trained.task
    task.data_dir = data_dir or task.data_dir
    for key, value in facts(trained).items():
        yield _equal(key, card.get(key), value)
    # Cards of before say nothing for the Hub.
    if "hub" in card:
        yield _equal("hub", card["hub"], on_hub(task))
    for key, value in training(trained.config, task, None).items():
        listed = card["training"].get(key)
        same = key == "command" and same_command(listed, value)
        yield Check(f"training, {key}", listed, value, same or listed == value)
    data = task.data_card()
    other = _other_python(card["data"].get("version", ""), data.get("version", ""))
    yield from _by_data(_data(card["data"], data), other)
    # A card may say by itself that it was not measured, but not leave metrics out.
    asked = card.get("measured", True)
    metrics = metrics_of(card)
    if asked and not metrics:
        yield Check("metrics", "none", "not looked for: the card does not say why", False)
    if metrics:
        checks = _metrics(metrics, measured_metrics(trained), task.optional)
        yield from _by_data(checks, other)
    rest = chain(
        _examples(card, path, manifest, task, asked),
        _compared(card["certificate"], trained, path, manifest.get("raw", False)),
    )
    for check in rest:
        by_data = check.name == _LARGEST or check.name.endswith(_EXPECTED)
        yield from _by_data([check], other if by_data else "")


def _other_python(listed: str, here: str) -> str:
    """Return which Python the data here are made from, if the card's are from another one.

    Data sets of Python's own sources and documentation have its version.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    return here if here == running != listed and re.fullmatch(r"3\.\d+\.0", listed) else ""


def _by_data(checks: Iterable[Check], other: str) -> Iterator[Check]:
    """Yield checks of what the data decide: of another version, a difference says nothing."""
    for check in checks:
        if other and check.holds is False:
            measured = f"{check.measured} (of data of Python {other})"
            check = replace(check, measured=measured, holds=None)
        yield check


def _sizes(card: dict[str, Any], path: Path) -> Iterator[Check]:
    """Check the size of what the card lists, and of every form that lies there, listed or not."""
    there, listed = [*hash_files(path)], card["files"]
    unlisted = [name for name in there if name not in listed and form_of(name) != "beside"]
    if unlisted:
        yield Check("files, all listed", "yes", f"{unlisted[0]} is not", False)
    for key, size in sizes(path, [*listed, *unlisted]).items():
        yield _equal(f"bytes, {key}", card["sizes"].get(key), size)
    for key in card["sizes"].keys() - {form_of(name) for name in [*listed, *unlisted]}:
        yield Check(f"bytes, {key}", card["sizes"][key], None, False)


def _data(listed: dict[str, Any], again: dict[str, Any]) -> Iterator[Check]:
    """Yield each split, its size and hash; of a person's own files their one hash."""
    one, other = ({**each, **each.get("splits", {})} for each in (listed, again))
    for key in dict.fromkeys([*one, *other]):
        if key != "splits":
            yield _equal(f"data, {key}", one.get(key), other.get(key))


def _compared(listed: dict[str, Any], trained: Trained, path: Path, raw: bool) -> Iterator[Check]:
    if not listed:
        yield Check("certificate", "none", "every export has one", False)
        return
    try:
        parity = measure_parity(trained, path, raw)
    except UserError as error:
        yield Check("certificate", f"within {listed['tolerance']:g}", str(error), False)
    else:
        yield from _parity(listed, parity, forms_left_out(path))


def _metrics(
    listed: dict[str, Any], again: dict[str, Any], optional: Collection[str]
) -> Iterator[Check]:
    yield _equal(listed["counted"], listed["examples"], again["examples"])
    for part in ("split", "counted", "interval"):
        yield _equal(f"metrics, {part}", listed.get(part), again.get(part))
    later = LATER if any(key.startswith(NAIVE) for key in listed["values"]) else (*LATER, NAIVE)
    for key in dict.fromkeys([*listed["values"], *again["values"]]):
        one, other = (each["values"].get(key, {}) for each in (listed, again))
        if key.removeprefix(NAIVE) in optional and not other:
            yield Check(key, _interval(one), "not measured: a package is missing", None)
            continue
        if key.startswith(later) and not one:
            yield Check(key, "not told yet", _interval(other), None)
            continue
        holds = all(_near(one.get(part), other.get(part)) for part in ("value", "low", "high"))
        yield Check(key, _interval(one), _interval(other), holds)
    for key in dict.fromkeys([*listed["told"], *again["told"]]):
        card, measured = (each["told"].get(key, "") for each in (listed, again))
        # A signature of sacrebleu ends in its version, which is not how it was measured.
        same = card.partition("|version:")[0] == measured.partition("|version:")[0]
        yield Check(key, card, measured, same)


def _interval(metric: dict[str, Any]) -> str:
    """Return a metric with its interval, so that one sees which of them has changed."""
    if not metric:
        return "none"
    value, *ends = (metric[part] for part in ("value", "low", "high"))
    known = ends[0] is not None
    return f"{value:.5g}" + (f" ({ends[0]:.5g} to {ends[1]:.5g})" if known else "")


def same_command(listed: str, again: str) -> bool:
    """Return whether two lines of `zoo fit` set the same, in whatever order.

    The second line is of today's defaults; the first may be of before, see `FORMER`.

    Example:
        >>> same_command("zoo fit x --epochs 3 --seed 1", "zoo fit x --seed 1 --epochs 3")
        True
        >>> same_command("zoo fit x --epochs 3 --seed 1", "zoo fit x --epochs 1 --seed 3")
        False
        >>> same_command("zoo fit x --seed 1", "zoo fit x --seed 1 --set beam_width=1")
        True
    """
    one, other = shlex.split(listed), shlex.split(again)
    # `zoo fit NAME`, then each option and its value.
    listed_pairs, pairs = _pairs(one[3:]), _pairs(other[3:])
    before = [("--set", each) for each in FORMER]
    pairs = [pair for pair in pairs if pair in listed_pairs or pair not in before]
    return one[:3] == other[:3] and listed_pairs == pairs


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return sorted(zip_longest(words[::2], words[1::2], fillvalue=""))


def _examples(
    card: dict[str, Any], path: Path, manifest: dict[str, Any], task: Task, asked: bool
) -> Iterator[Check]:
    """Check the answers of the SavedModel, and what the data say of them."""
    examples = card["examples"]
    if not (asked or examples):
        return
    cases = Cases(task)
    if asked and not examples and len(cases):
        yield Check("examples", "none", f"{len(cases)} inputs to show", False)
    # Only files whose checksums are known are read.
    for name in {example["file"] for example in examples if "file" in example}:
        _ = card["files"][name]
    if not examples:
        return
    # The object must outlive the calls: its variables die with it.
    loaded, _ = load_saved_model(path, manifest)
    for number, example in enumerate(progress(examples, "asking the SavedModel"), start=1):
        raw = cases.read(example, path)
        yield _equal(f"example {number}", example["answer"], answer_to(loaded.serve, raw))
        marked, holds = f"{example['expected']}: {example['right']}", cases.bear_out(example, raw)
        data = marked if holds else "not so by the data"
        yield Check(f"example {number}{_EXPECTED}", marked, data, holds)


def _parity(
    listed: dict[str, Any], again: dict[str, Any], left_out: Collection[str] = ()
) -> Iterator[Check]:
    """Check that each difference, noise that depends on the machine, is within the tolerance."""
    named = ("unit",) if "unit" in {*listed, *again} else ()
    for part in ("rows", "litert_rows", "steps", "tolerance", *named):
        yield _equal(f"certificate, {part}", listed.get(part), again.get(part))
    # Before, it was that of the test always.
    yield _equal("certificate, split", listed.get("split", "test"), again.get("split", "test"))
    one, other = (each.get("largest_output") for each in (listed, again))
    yield Check(_LARGEST, one, other, _near(one, other))
    one, other = listed["differences"], again["differences"]
    for key in dict.fromkeys([*one, *other]):
        known = key in one and key in other
        holds = known and max(one[key], other[key]) <= again["tolerance"]
        yield _of_form(key, one, other, holds, left_out)
    one, other = (dict(flat(each.get("quantised", {}))) for each in (listed, again))
    for key in dict.fromkeys([*one, *other]):
        known = key in one and key in other
        holds = known and abs(one[key] - other[key]) <= ROUGHLY
        yield _of_form(key, one, other, holds, left_out)


def _of_form(
    key: str, one: dict[str, Any], other: dict[str, Any], holds: bool, left_out: Collection[str]
) -> Check:
    if key.split()[0] in left_out:
        return Check(key, one.get(key), "not measured: a package is missing", None)
    return Check(key, one.get(key), other.get(key), holds)


def _equal(figure: str, card: Any, measured: Any) -> Check:
    return Check(figure, card, measured, card == measured)


def _near(card: Any, measured: Any) -> bool:
    if isinstance(card, float) and isinstance(measured, float):
        same = math.isnan(card) and math.isnan(measured)
        return same or math.isclose(card, measured, rel_tol=TOLERANCE, abs_tol=_NEAR_ZERO)
    return card == measured

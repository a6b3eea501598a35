"""Measures again what the card of an export says, from the export itself."""

import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.api.load import config_of, folder_of, restore
from zoo.errors import UserError
from zoo.exporting.card.card import facts, form_of, measured_figures, sizes
from zoo.exporting.card.examples import Cases, answer_to
from zoo.exporting.card.markdown import flat, readme
from zoo.exporting.card.provenance import training
from zoo.exporting.checksums import CARD, README, check_files, hash_file, hash_files, read_card
from zoo.exporting.formats.saved_model import load_saved_model
from zoo.exporting.parity import certify, forms_left_out
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.utils.progress import progress

TOLERANCE = 1e-3
"""How far a figure may be from the card's, relative to it: libraries and machines differ."""

ROUGHLY = 0.01
"""The same of what is told of quantised forms, absolute: they are rounded another way elsewhere."""

_NEAR_ZERO = 1e-6


@dataclass(frozen=True)
class Check:
    """One thing that a card says, and what was found.

    Attributes:
        figure: what it is.
        card: what the card says.
        measured: what was found.
        holds: whether these are the same, within the tolerance; None where a package is missing to
            measure it.
    """

    figure: str
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
        """Whether all of it does that could be measured."""
        return all(check.holds is not False for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
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
    model, task, settings = restore(path)
    task.data_dir = data_dir or task.data_dir
    config = config_of(path)
    for key, value in facts(model, task, config).items():
        yield _equal(key, card.get(key), value)
    for key, value in training(config, task, None).items():
        yield _equal(f"training, {key}", card["training"].get(key), value)
    yield from _data(card["data"], task.data_card())
    # A card may say by itself that it was not measured, but not leave figures out.
    asked = card.get("measured", True)
    if asked and not card["figures"]:
        yield Check("figures", "none", "not looked for: the card does not say why", False)
    if card["figures"]:
        found = measured_figures(model, task, settings)
        yield from _figures(card["figures"], found, task.optional)
    yield from _examples(card, path, Cases(task), asked)
    yield from _certified(card["certificate"], model, task, settings, path)


def _sizes(card: dict[str, Any], path: Path) -> Iterator[Check]:
    """Of what the card lists, and of every form that lies there, listed or not."""
    there, listed = [*hash_files(path)], card["files"]
    unlisted = [name for name in there if name not in listed and form_of(name) != "beside"]
    if unlisted:
        yield Check("files, all listed", "yes", f"{unlisted[0]} is not", False)
    for key, size in sizes(path, [*listed, *unlisted]).items():
        yield _equal(f"bytes, {key}", card["sizes"].get(key), size)
    for key in card["sizes"].keys() - {form_of(name) for name in [*listed, *unlisted]}:
        yield Check(f"bytes, {key}", card["sizes"][key], None, False)


def _data(said: dict[str, Any], found: dict[str, Any]) -> Iterator[Check]:
    """Each split, its size and hash; of a person's own files their one hash."""
    one, other = ({**told, **told.get("splits", {})} for told in (said, found))
    for key in dict.fromkeys([*one, *other]):
        if key != "splits":
            yield _equal(f"data, {key}", one.get(key), other.get(key))


def _certified(
    said: dict[str, Any], model: SequenceModel, task: Task, settings: Settings, path: Path
) -> Iterator[Check]:
    if not said:
        yield Check("certificate", "none", "every export has one", False)
        return
    try:
        found = certify(model, task, settings, path)
    except UserError as error:
        yield Check("certificate", f"within {said['tolerance']:g}", str(error), False)
    else:
        yield from _certificate(said, found, forms_left_out(path))


def _figures(
    said: dict[str, Any], found: dict[str, Any], optional: Collection[str]
) -> Iterator[Check]:
    yield _equal(said["counted"], said["examples"], found["examples"])
    for part in ("split", "counted", "interval"):
        yield _equal(f"figures, {part}", said.get(part), found.get(part))
    for key in dict.fromkeys([*said["values"], *found["values"]]):
        one, other = (told["values"].get(key, {}) for told in (said, found))
        if key in optional and not other:
            yield Check(key, _told(one), "not measured: a package is missing", None)
            continue
        holds = all(_near(one.get(part), other.get(part)) for part in ("value", "low", "high"))
        yield Check(key, _told(one), _told(other), holds)
    for key in dict.fromkeys([*said["told"], *found["told"]]):
        card, measured = (told["told"].get(key, "") for told in (said, found))
        # A signature of sacrebleu ends in its version, which is not how it was measured.
        same = card.partition("|version:")[0] == measured.partition("|version:")[0]
        yield Check(key, card, measured, same)


def _told(figure: dict[str, Any]) -> str:
    """A figure with its interval, so that one sees which of them has changed."""
    if not figure:
        return "none"
    value, *ends = (figure[part] for part in ("value", "low", "high"))
    known = ends[0] is not None
    return f"{value:.5g}" + (f" ({ends[0]:.5g} to {ends[1]:.5g})" if known else "")


def _examples(card: dict[str, Any], path: Path, cases: Cases, asked: bool) -> Iterator[Check]:
    """The answers of the SavedModel, and what the data say of them."""
    examples = card["examples"]
    if asked and not examples and len(cases):
        yield Check("examples", "none", f"{len(cases)} inputs to show", False)
    # Only files whose checksums are known are read.
    for name in {example["file"] for example in examples if "file" in example}:
        _ = card["files"][name]
    if not examples:
        return
    # The object must outlive the calls: its variables die with it.
    loaded, _ = load_saved_model(path)
    for number, example in enumerate(progress(examples, "asking the SavedModel"), start=1):
        raw = cases.read(example, path)
        yield _equal(f"example {number}", example["answer"], answer_to(loaded.serve, raw))
        marked, holds = f"{example['expected']}: {example['right']}", cases.bear_out(example, raw)
        told = marked if holds else "not so by the data"
        yield Check(f"example {number}, expected: right", marked, told, holds)


def _certificate(
    said: dict[str, Any], found: dict[str, Any], left_out: Collection[str] = ()
) -> Iterator[Check]:
    """Differences are noise, another on each machine: each is to be within the tolerance."""
    for part in ("rows", "litert_rows", "steps", "tolerance"):
        yield _equal(f"certificate, {part}", said.get(part), found.get(part))
    one, other = (told.get("largest_output") for told in (said, found))
    yield Check("certificate, largest output", one, other, _near(one, other))
    one, other = said["differences"], found["differences"]
    for key in dict.fromkeys([*one, *other]):
        known = key in one and key in other
        holds = known and max(one[key], other[key]) <= found["tolerance"]
        yield _of_form(key, one, other, holds, left_out)
    rough, again = (dict(flat(told.get("quantised", {}))) for told in (said, found))
    for key in dict.fromkeys([*rough, *again]):
        known = key in rough and key in again
        holds = known and abs(rough[key] - again[key]) <= ROUGHLY
        yield _of_form(key, rough, again, holds, left_out)


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

"""`zoo verify`: what cards say, against the exports that they speak of."""

from typing import Any

import click

from zoo.cli.common import as_json, data_dir, load_api, print_json, print_table
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.pretrained import find, ready_models

_LONGEST = 40


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "every", is_flag=True, help="All ready-trained models.")
@data_dir
@as_json
def verify(models: tuple[str, ...], every: bool, data_dir: str | None, as_json: bool) -> int:
    """Measure again what the card of each MODEL says, and tell whether it holds.

    MODEL is an export or the name of a ready-trained model. Compared are the checksum of each
    file, what the model is, the data, each figure of the test split with its interval, the answers
    to the card's examples, the certificate, and README.md. A figure holds that is within 0.1% of
    the card's, as machines and libraries differ; counts and answers are to be equal. Exits with 1
    if something does not hold.

    Not measured again are the learning curve, the epochs and the time of the training and the
    versions it was made with: of these there is only the card's word.

    \b
    Examples:
      zoo verify char-lstm
      zoo verify my-model --json
      zoo verify --all
    """
    if every == bool(models):
        raise UserError("give models or --all, such as `zoo verify char-lstm`")
    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    folders = [find(name) for name in (ready_models() if every else models)]
    for folder in folders:
        read_card(folder)
    load_api()
    from zoo.api.verify import verify as verify_one

    verified = []
    for folder in folders:
        verified.append(verify_one(folder, data_dir))
        if not as_json:
            _tell(verified[-1])
    if as_json:
        print_json([each.as_dict() for each in verified])
    return 0 if all(each.holds for each in verified) else 1


def _tell(verification: Any) -> None:
    """Print one model's table, and what does not hold once more below it."""
    rows = [
        {
            "check": check.name,
            "card": _short(check.card),
            "measured": _short(check.measured),
            "holds": check.holds,
        }
        for check in verification.checks
    ]
    print(f"{verification.name}: {verification.path}")
    print_table(["check", "card", "measured", "holds"], rows)
    wrong = [check.name for check in verification.checks if check.holds is False]
    unknown = [check.name for check in verification.checks if check.holds is None]
    if unknown:
        print(f"cannot be compared here: {', '.join(unknown)}")
    all_holds = "the rest holds" if unknown else "all of it holds"
    print(f"does not hold: {', '.join(wrong)}" if wrong else all_holds)


def _short(value: Any) -> str:
    line = f"{value:.4g}" if isinstance(value, float) else str(value).replace("\n", " ")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"

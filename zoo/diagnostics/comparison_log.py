"""The log of a comparison of cells, read without TensorFlow: a mistake is answered at once."""

import json
from pathlib import Path
from typing import Any

from zoo.diagnostics.memory_tasks import TASKS
from zoo.errors import UserError
from zoo.utils.files import write_whole

# Raised whenever the same settings would give other rows: a task, the network, what is scored.
PROTOCOL = 2


class Comparison:
    """The rows of a comparison under some settings, stored as `settings.json` and `rows.jsonl`.

    Attributes:
        folder: where they lie; made if need be.
        settings: parameters, length, steps, seed and protocol.
        rows: by cell and task, those that are done.

    Raises:
        UserError: a setting is too small, or the folder holds rows under others.
    """

    def __init__(
        self, folder: str | Path, parameters: int, length: int, steps: int, seed: int
    ) -> None:
        self.folder = Path(folder)
        self.settings = {
            "parameters": parameters,
            "length": length,
            "steps": steps,
            "seed": seed,
            "protocol": PROTOCOL,
        }
        shortest = max(task.least for task in TASKS.values())
        for what, least in (("parameters", 1), ("length", shortest), ("steps", 1), ("seed", 0)):
            if self.settings[what] < least:
                raise UserError(f"{what} is {self.settings[what]}, but at least {least} is needed")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows = self._read()

    def add(self, row: dict[str, Any]) -> None:
        """Keep a row."""
        self.rows[row["cell"], row["task"]] = row
        # With the first row only: settings that were refused must not bind the folder.
        write_whole(self.folder / "settings.json", json.dumps(self.settings))
        lines = [json.dumps(one, ensure_ascii=False) + "\n" for one in self.rows.values()]
        write_whole(self.folder / "rows.jsonl", "".join(lines))

    def _read(self) -> dict[tuple[str, str], dict[str, Any]]:
        config, rows = self.folder / "settings.json", self.folder / "rows.jsonl"
        if not config.is_file():
            return {}
        try:
            before = {"protocol": 1, **json.loads(config.read_text(encoding="utf-8"))}
            text = rows.read_text(encoding="utf-8") if rows.is_file() else ""
            parsed = [json.loads(line) for line in text.splitlines()]
            done = {(row["cell"], row["task"]): row for row in parsed}
            changed = [key for key, value in self.settings.items() if before[key] != value]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.folder} holds a damaged comparison: choose another --output"
            ) from error
        for key in changed:
            raise UserError(
                f"{self.folder} holds a comparison with {key} {before[key]}, not "
                f"{self.settings[key]}: choose another --output"
            )
        return done

"""The reproduction ledger: every published fit that is known here, run and judged, as one table."""

from __future__ import annotations

import csv
import json
import pkgutil
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

from scaling import files
from scaling.errors import ConfigError, one_of
from scaling.published import entries as room
from scaling.published.outcome import OUTCOMES, Entry, Outcome, record, reproduce

COLUMNS = (
    "name",
    "outcome",
    "published",
    "found",
    "objective_at_published",
    "objective",
    "law",
    "paper",
    "note",
)
"""Of the table of outcomes as CSV."""


@cache
def entries() -> dict[str, Entry]:
    """All entries by name, in the order of the modules in `entries/`."""
    known: dict[str, Entry] = {}
    for module in pkgutil.iter_modules(room.__path__):
        for entry in import_module(f"{room.__name__}.{module.name}").ENTRIES:
            if entry.name in known:
                raise ConfigError(
                    f"two published fits are called {entry.name!r}; give one of them another name"
                )
            known[entry.name] = entry
    return known


def choose(names: Sequence[str]) -> list[Entry]:
    """The entries of given names; a group's name takes all of its entries, no name takes all."""
    known = entries()
    if not names:
        return list(known.values())
    chosen: dict[str, Entry] = {}
    groups = {name.split("/")[0] for name in known}
    for name in names:
        found = {k: v for k, v in known.items() if k == name or k.startswith(name.rstrip("/") + "/")}
        if not found:
            raise ConfigError(one_of("published fit", name, groups | set(known) if "/" in name else groups))
        chosen |= found
    return list(chosen.values())


def run(chosen: Iterable[Entry]) -> Iterable[Outcome]:
    """Runs entries one after the other."""
    for entry in chosen:
        yield reproduce(entry)


def summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many entries ended how."""
    counted = Counter(outcome.outcome for outcome in outcomes)
    return {name: counted[name] for name in OUTCOMES}


def payload(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Everything, for JSON."""
    return {"schema": 1, "summary": summary(outcomes), "entries": [record(outcome) for outcome in outcomes]}


def table(outcomes: Sequence[Outcome]) -> str:
    """The table of outcomes as CSV."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for outcome in outcomes:
        row = record(outcome)
        row["note"] = row["note"] or row["reason"]
        row["found"] = {name: value for name, value in row["found"].items() if name in row["published"]}
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return out.getvalue()


def write(outcomes: Sequence[Outcome], folder: Path, command: str) -> list[Path]:
    """Writes outcomes.csv, outcomes.json and the command that made them; returns the paths."""
    contents = {
        "outcomes.csv": table(outcomes),
        # Seconds differ from run to run and would make every diff noisy.
        "outcomes.json": json.dumps(_without_seconds(payload(outcomes)), indent=1, allow_nan=False) + "\n",
        "command.txt": command + "\n",
    }
    for name, text in contents.items():
        files.write(folder / name, text, "the outcomes", option="--write FOLDER")
    return [folder / name for name in contents]


def _without_seconds(whole: dict[str, Any]) -> dict[str, Any]:
    for row in whole["entries"]:
        row.pop("seconds")
        for key in ("found", "differences"):
            row[key] = {name: float(f"{value:.6g}") for name, value in row[key].items()}
        for key in ("objective", "objective_at_published"):
            row[key] = None if row[key] is None else float(f"{row[key]:.8g}")
    return whole


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} {number:.6g}" for name, number in value.items())
    if isinstance(value, float):
        return f"{value:.8g}"
    return "" if value is None else str(value)

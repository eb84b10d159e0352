"""Reproduce the registered published fits, and write their outcomes as a table."""

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
from scaling.published import entries as package
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
"""Columns of the table of outcomes as CSV."""


@cache
def entries() -> dict[str, Entry]:
    """Return all entries by name, in the order of the modules in `entries/`."""
    known: dict[str, Entry] = {}
    for module in pkgutil.iter_modules(package.__path__):
        for entry in import_module(f"{package.__name__}.{module.name}").ENTRIES:
            if entry.name in known:
                raise ConfigError(
                    f"two published fits have the name {entry.name!r}; give one of them another name"
                )
            known[entry.name] = entry
    return known


def choose(names: Sequence[str]) -> list[Entry]:
    """Return the entries of the given names. The name of a group selects its entries; no name selects all.

    Raises ConfigError for an unknown name.
    """
    known = entries()
    if not names:
        return list(known.values())
    chosen: dict[str, Entry] = {}
    groups = {name.split("/")[0] for name in known}
    for name in names:
        matching = {k: v for k, v in known.items() if k == name or k.startswith(name.rstrip("/") + "/")}
        if not matching:
            raise ConfigError(one_of("published fit", name, groups | set(known) if "/" in name else groups))
        chosen |= matching
    return list(chosen.values())


def run(chosen: Iterable[Entry]) -> Iterable[Outcome]:
    """Reproduce entries one after the other."""
    for entry in chosen:
        yield reproduce(entry)


def summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return the number of entries by outcome."""
    counted = Counter(outcome.outcome for outcome in outcomes)
    return {name: counted[name] for name in OUTCOMES}


def payload(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the outcomes and their summary as plain data for JSON."""
    return {"schema": 1, "summary": summary(outcomes), "entries": [record(outcome) for outcome in outcomes]}


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table of outcomes as CSV."""
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
    """Write outcomes.csv, outcomes.json and the command that made them, and return the paths."""
    contents = {
        "outcomes.csv": table(outcomes),
        # Seconds are left out, because they differ from run to run and would change the file every time.
        "outcomes.json": json.dumps(_without_seconds(payload(outcomes)), indent=1, allow_nan=False) + "\n",
        "command.txt": command + "\n",
    }
    for name, text in contents.items():
        files.write(folder / name, text, "the outcomes", option="--write FOLDER")
    return [folder / name for name in contents]


def _without_seconds(whole: dict[str, Any]) -> dict[str, Any]:
    """Return a payload without seconds, and with its numbers rounded to six or eight digits."""
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

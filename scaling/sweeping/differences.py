"""Why a cell is a new run: the fields in which it differs from the run that stood in its place before."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scaling.config import Config, plain
from scaling.errors import ConfigError
from scaling.sweeping.planning import cells as cellar
from scaling.sweeping.planning.config import Compose, flat_keys
from scaling.sweeping.planning.planned import Plan
from scaling.training import record
from scaling.training.paths import RunPaths

_NAMED = 10
"""Run ids that a sentence names."""
_PLACE = ("size", "seed", "budget_flops", "tokens", "family")
_NOT_SCIENCE = ("sweep.", "results", "device.", "checkpoint.", "hydra.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """A cell that is asked for now, against the nearest that was asked for before and is no longer."""

    run_id: str
    """The new one."""
    before: str
    """The old one."""
    fields: dict[str, tuple[Any, Any]]
    """Field → (before, now)."""


def compared(plan: Plan) -> tuple[list[str], list[str]]:
    """Run ids that are new, and orphans that are no longer asked for, against the plan that was saved before;
    none where there was no such plan.
    """
    try:
        text = (plan.folder / "plan.json").read_text(encoding="utf-8")
        old = [str(row["run_id"]) for row in json.loads(text)["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        return [], []
    now, before = set(plan.run_ids), set(old)
    return [one for one in plan.run_ids if one not in before], [one for one in old if one not in now]


def edits(plan: Plan, new: Sequence[str], orphans: Sequence[str]) -> str:
    """Which cells are new and which are orphans, in a sentence; empty where the sweep is as it was."""
    if not new and not orphans:
        return ""
    return (
        f"the sweep was edited since the last call: {_some(new, 'new cell')}; {_some(orphans, 'orphan')}, "
        f"whose records stay in {plan.results / 'runs'} and leave the ledger"
    )


def _some(run_ids: Sequence[str], what: str) -> str:
    named = f" ({', '.join(run_ids[:_NAMED])}{', ...' if len(run_ids) > _NAMED else ''})" if run_ids else ""
    return f"{len(run_ids)} {what}{'' if len(run_ids) == 1 else 's'}{named}"


def differences(plan: Plan, compose: Compose) -> tuple[list[Difference], list[str], list[str]]:
    """(Pairs with their differing fields, new run ids without a counterpart, orphans without a counterpart).

    Raises ConfigError when the sweep was never run.
    """
    path = plan.folder / "plan.json"
    try:
        old = {row["run_id"]: row for row in json.loads(path.read_text(encoding="utf-8"))["cells"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"there is no earlier plan {path} to compare with; it is written by: scaling run {plan.sweep}"
        ) from None
    now = {cell.run_id: cell for cell in plan.cells}
    new = [run_id for run_id in now if run_id not in old]
    orphans = [run_id for run_id in old if run_id not in now]
    pairs = []
    free = list(orphans)
    for run_id in new:
        if not free:
            break
        before = max(free, key=lambda other: _alike(now[run_id].row, old[other]))
        free.remove(before)
        config = compose(now[run_id].overrides)
        fields = _fields(config, now[run_id].row, old[before], plan.results)
        pairs.append(Difference(run_id=run_id, before=before, fields=fields))
    return pairs, new[len(pairs) :], free


def _alike(row: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    return sum(row.get(name) == other.get(name) for name in _PLACE)


def _fields(
    config: Config, row: Mapping[str, Any], before: Mapping[str, Any], results: Path
) -> dict[str, tuple[Any, Any]]:
    """Config keys that differ; and columns that differ although their keys do not, as when a rule has
    changed.
    """
    known = record.find(RunPaths.of(results, str(before["run_id"])))
    found: dict[str, tuple[Any, Any]] = {}
    if known is not None:
        was, now = _flat(json.loads(known["config"])), _flat(plain(config))
        for key in sorted({*was, *now}):
            if was.get(key) != now.get(key) and (key == "device.dtype" or not key.startswith(_NOT_SCIENCE)):
                found[key] = (was.get(key), now.get(key))
        columns = cellar.prepare(config)[0].columns()
        old, new = known, {name: columns[name] for name in columns if name in known}
    else:
        old, new = dict(before), {name: row[name] for name in row if name in before}
    for name, value in new.items():
        if name not in ("run_id", "overrides") and not name.startswith("seconds") and old[name] != value:
            found[name] = (old[name], value)
    return found


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for dotted in flat_keys(config):
        value: Any = config
        for name in _steps(dotted):
            value = value[name]
        if not isinstance(value, Mapping):
            found[dotted] = value
    return found


def _steps(dotted: str) -> Sequence[str]:
    return dotted.split(".")

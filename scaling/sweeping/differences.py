"""Compare a plan with the saved plan: new cells, orphans, and the fields that changed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from scaling import folders
from scaling.config import Config, plain
from scaling.errors import ConfigError, StorageError, TableError
from scaling.sweeping.planning import cells as cellar
from scaling.sweeping.planning.config import Compose
from scaling.sweeping.planning.messages import flat_keys
from scaling.sweeping.planning.planned import Plan
from scaling.tables import plan as plans
from scaling.training import record
from scaling.training.paths import RunPaths

_NAMED = 10
"""Maximum number of run ids in a sentence."""
_PLACE = ("size", "seed", "budget_flops", "tokens", "family")
_NOT_SCIENCE = ("sweep.", "results", "device.", "checkpoint.", "hydra.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """A new cell and the most similar cell of the saved plan that is no longer in the sweep."""

    run_id: str
    """Run id of the new cell."""
    before: str
    """Run id of the old cell."""
    fields: dict[str, tuple[Any, Any]]
    """Changed fields: name → (old value, new value)."""


def compared(plan: Plan) -> tuple[list[str], list[str]]:
    """Return the run ids that are not in the saved plan, and those only in the saved plan (orphans).

    Both lists are empty without a saved plan.
    """
    try:
        old = [row["run_id"] for row in plans.read(plan.folder / plans.PLAN)["cells"]]
    except TableError:  # the plan is about to be written again
        return [], []
    now, before = set(plan.run_ids), set(old)
    return [one for one in plan.run_ids if one not in before], [one for one in old if one not in now]


def edits(plan: Plan, new: Sequence[str], orphans: Sequence[str]) -> str:
    """Return a sentence on new cells and orphans, empty if the sweep has not changed."""
    if not new and not orphans:
        return ""
    return (
        f"the sweep was edited since the last call: {_some(new, 'new cell')}; {_some(orphans, 'orphan')}, "
        f"whose records stay in {plan.results / 'runs'} but are removed from the ledger"
    )


def _some(run_ids: Sequence[str], what: str) -> str:
    named = f" ({', '.join(run_ids[:_NAMED])}{', ...' if len(run_ids) > _NAMED else ''})" if run_ids else ""
    return f"{len(run_ids)} {what}{'' if len(run_ids) == 1 else 's'}{named}"


def differences(plan: Plan, compose: Compose) -> tuple[list[Difference], list[str], list[str]]:
    """Pair the new cells with the most similar orphans.

    Return the pairs with their changed fields, the unpaired new run ids and the unpaired orphans. Raises
    ConfigError if the sweep was never run, TableError if its plan is damaged.
    """
    path = plan.folder / plans.PLAN
    if not path.exists():
        raise ConfigError(
            f"there is no saved plan {path} to compare with; write it with: {folders.maker(plan.folder)}"
        )
    old = {row["run_id"]: row for row in plans.read(path)["cells"]}
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
    """Return the config keys and the columns that differ.

    Columns can differ under equal keys, for example after a change of a recipe's rule.
    """
    known: Mapping[str, Any] | None = None
    with suppress(FileNotFoundError, NotADirectoryError, StorageError, TableError):
        known = record.stored(RunPaths.of(results, str(before["run_id"])))
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

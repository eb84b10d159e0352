"""Plan a sweep: turn its design into cells with sizes, budgets and predicted costs. No torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from scaling.config import Config, FamilyConfig
from scaling.config.kinds import NUMBER
from scaling.errors import ConfigError, ScalingError, quoted
from scaling.sweeping import designs
from scaling.sweeping.planning import cells, disk, price
from scaling.sweeping.planning.collector import uncollected
from scaling.sweeping.planning.config import Compose
from scaling.sweeping.planning.planned import Plan, Planned
from scaling.tables.plan import COLUMNS
from scaling.training.cell import Cell
from scaling.training.checkpoints import trunk
from scaling.training.hardware.team import Team

Asked = tuple[tuple[str, str], ...]
"""Keys that a cell sets, except its seed, with values as text."""


@uncollected()
def plan(compose: Compose, combinations: Sequence[Sequence[str]]) -> Plan:
    """Return the plan of a sweep.

    `compose` turns overrides into a config. `combinations` are the lists of overrides from the command line:
    one list, or several if it has `key=a,b`. The design is evaluated for each list. Raises ConfigError, which
    names the invalid cell, or the filter that removed all cells.
    """
    found: dict[str, Planned] = {}
    dropped: list[str] = []
    first: Config | None = None
    for combination in combinations:
        there = cells.Configs(compose, combination)
        solved: dict[Asked, tuple[Cell, dict[str, Any]]] = {}
        base = there.config({})
        first = first or base
        laid_out = designs.cells(there.space({}))
        _no_effect(combination, laid_out, base)
        for cell in laid_out:
            config = there.config(cell)
            overrides = cells.overrides(cell)
            made = planned_cell(config, cell, [*combination, *overrides], solved)
            why = _outside(made.row, base.sweep.keep)
            if why is None and made.run_id in found:
                same = [text for text in found[made.run_id].overrides if text not in combination]
                why = f"the same run as {' '.join(same) or 'the base config'}"
            if why is None:
                found[made.run_id] = made
            else:
                dropped.append(f"{' '.join(overrides)}: {why}")
    assert first is not None
    if first.sweep.name is None:
        raise ConfigError("sweep.name is null; give the sweep a name, such as sweep.name=mine")
    if not found:
        raise ConfigError(
            f"sweep.keep drops all {len(dropped)} cells, the first because {dropped[0]}; widen sweep.keep"
        )
    return Plan(
        assumed=isinstance(price.speed(first), price.Assumed),
        sweep=first.sweep.name,
        results=first.results_folder,
        cells=_shared(tuple(found.values())),
        dropped=tuple(dropped),
        device=first.device,
        rescue=first.sweep.rescue,
    )


def _no_effect(given: Sequence[str], laid_out: designs.Cells, base: Config) -> None:
    """Raise ConfigError for a size or budget of the config that the design replaces in every cell."""
    typed = {text.partition("=")[0].lstrip("+"): text for text in given}
    values = {
        "family.size": (base.family.size, FamilyConfig().size),
        "budget.flops": (base.budget.flops, None),
        "budget.tokens": (base.budget.tokens, None),
    }
    for key, (value, default) in values.items():
        if (key in typed or value != default) and all(key in cell for cell in laid_out):
            made_of = [f"sweep.{name}" for name in designs.DIALS if getattr(base.sweep, name)]
            given_as = typed.get(key, f"{key}={value:g}")
            raise ConfigError(
                f"{given_as!r} has no effect, because the design sets {key} in every cell; leave it out, or "
                f"change {' or '.join(made_of)}"
            )


def planned_cell(
    config: Config,
    cell: Mapping[str, Any],
    overrides: Sequence[str],
    known: dict[Asked, tuple[Cell, dict[str, Any]]],
) -> Planned:
    """Return the planned cell with the keys `cell`. Raises ConfigError, which names the cell."""
    # Cells that differ only in their seed have the same row: it is computed once and kept in `known`.
    key = tuple((name, repr(value)) for name, value in cell.items() if name != "seed")
    try:
        if key not in known:
            solved = Cell.from_config(config, cells.corpus_of(config))
            Team(size=config.device.processes).sequences(solved.hyperparameters.batch_sequences)
            known[key] = solved, row(solved, config)
        made = dataclasses.replace(known[key][0], seed=config.seed)
    except ScalingError as error:
        named = str(error).partition(" ")[0]
        of_all = named.startswith(("recipe.", "corpus.", "start.")) and named not in cell
        where = "" if of_all else " ".join(cells.overrides(cell))
        raise type(error)(f"{error} (cell {where})" if where else str(error)) from None
    return Planned(
        overrides=tuple(overrides),
        row={**known[key][1], "run_id": made.run_id, "seed": made.seed},
        trunk=trunk.trunk_id(made),
        branch_step=trunk.branch_step(made),
        derived={
            name: (getattr(made.hyperparameters, name), words)
            for name, words in made.hyperparameters.rules.items()
        },
    )


def _shared(cells: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """Subtract from each cell the costs that a shorter run of its trunk has already paid."""
    paid: dict[str, int] = {}
    inherited: dict[str, float] = {}
    for cell in sorted(cells, key=lambda cell: cell.branch_step):
        if cell.trunk is not None:
            inherited[cell.run_id] = paid.get(cell.trunk, 0) / cell.row["steps"]
            paid[cell.trunk] = cell.branch_step
    return tuple(
        dataclasses.replace(cell, row={**cell.row, **_part(cell.row, 1 - inherited.get(cell.run_id, 0.0))})
        for cell in cells
    )


def _part(row: Mapping[str, Any], share: float) -> dict[str, Any]:
    costs = ("flops_spent", "seconds", "seconds_low", "seconds_high")
    return {name: None if row[name] is None else row[name] * share for name in costs}


def row(cell: Cell, config: Config) -> dict[str, Any]:
    """Return the COLUMNS of a cell. Raises ConfigError."""
    columns, speed = cell.columns(), price.speed(config)
    predicted = speed.seconds(cell) if speed else None
    known = {name: columns[name] for name in COLUMNS if name in columns}
    known["tokens_per_parameter"] = columns["tokens"] / columns["params"]
    known["flops_spent"] = columns["flops"]
    known["memory_bytes"] = price.memory_bytes(cell)
    known["disk_bytes"], known["disk_bytes_working"] = disk.kept_bytes(cell, config), disk.working_bytes(cell)
    known["seconds"], known["seconds_low"], known["seconds_high"] = predicted or (None, None, None)
    return {name: known[name] for name in COLUMNS}


def _outside(row: Mapping[str, Any], keep: Mapping[str, Any] | None) -> str | None:
    """Return why a filter drops this cell, or None if it is kept."""
    for name, limits in (keep or {}).items():
        if name not in row:
            raise ConfigError(
                f"sweep.keep cannot filter by {name!r}; allowed are {', '.join(list(COLUMNS)[4:])}"
            )
        low, high = _ends(name, limits)
        value = row[name]
        if value is None:
            raise ConfigError(f"sweep.keep.{name} needs a predicted time; run `scaling bench` first")
        if (low is not None and value < low) or (high is not None and value > high):
            return f"{name} {value:.4g} lies outside sweep.keep.{name} [{limits[0]}, {limits[1]}]"
    return None


def _ends(name: str, limits: Any) -> tuple[float | None, float | None]:
    """Return the ends of one range of `sweep.keep`; None = open. Raises ConfigError."""
    rule = f"sweep.keep.{name} is {quoted(limits)}; give [low, high], with null for an open end"
    if not isinstance(limits, (list, tuple)) or len(limits) != 2:
        raise ConfigError(rule)
    low, high = (None if end is None else NUMBER.read(f"sweep.keep.{name}", end) for end in limits)
    if low is not None and high is not None and low > high:
        raise ConfigError(f"{rule}, the lower first")
    return low, high

"""Run diverged cells again at a lower learning rate, if the sweep file asks for it.

A rescue is a run with its own id, which names the diverged cell. It depends only on records, so that every
later call, on any machine, gives the same runs. The diverged record is kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from scaling.sweeping import ledger
from scaling.sweeping.planning.config import Compose
from scaling.sweeping.planning.planned import Plan, Planned
from scaling.sweeping.planning.planner import planned_cell
from scaling.training.recipes.recipe import six_digits

_RATE = "recipe.learning_rate"


def standing(plan: Plan, compose: Compose) -> tuple[Plan, dict[str, str]]:
    """Return the plan with all rescues, and the status of every cell that has a record."""
    while True:
        statuses = ledger.finished(plan.results, plan.sweep, plan.run_ids, plan.science)
        more = rescued(plan, statuses, compose)
        if more is plan:
            return plan, statuses
        plan = more


def rescued(plan: Plan, statuses: Mapping[str, str], compose: Compose) -> Plan:
    """Return the plan with one more cell for each diverged cell that has rescues left.

    Return the plan itself if no cell is added. A cell that the plan already has is not added twice.
    """
    rescue = plan.rescue
    if rescue is None:
        return plan
    cells = {cell.run_id: cell for cell in plan.cells}
    tried = {cell.rescues for cell in plan.cells}
    for cell in plan.cells:
        fallen = statuses.get(cell.run_id) == "diverged" and cell.run_id not in tried
        if fallen and _tries(cell, cells) < rescue.times:
            again = _lowered(cell, rescue.factor, compose)
            cells.setdefault(again.run_id, again)
    return plan if len(cells) == len(plan.cells) else dataclasses.replace(plan, cells=tuple(cells.values()))


def _lowered(cell: Planned, factor: float, compose: Compose) -> Planned:
    rate = six_digits(float(cell.row["learning_rate"]) * factor)
    overrides = [*(one for one in cell.overrides if not one.startswith(f"{_RATE}=")), f"{_RATE}={rate!r}"]
    again = planned_cell(compose(overrides), {_RATE: rate}, overrides, {})
    return dataclasses.replace(again, rescues=cell.run_id)


def _tries(cell: Planned, cells: Mapping[str, Planned]) -> int:
    count = 0
    while cell.rescues is not None:
        cell, count = cells[cell.rescues], count + 1
    return count


def sentences(plan: Plan, known: set[str]) -> list[str]:
    """Return one sentence for each rescue that is not `known`."""
    rates = {cell.run_id: cell.row["learning_rate"] for cell in plan.cells}
    return [
        f"{cell.rescues} diverged at a learning rate of {rates[cell.rescues]:g}; run again at "
        f"{rates[cell.run_id]:g} as {cell.run_id}, as sweep.rescue asks"
        for cell in plan.cells
        if cell.rescues is not None and cell.run_id not in known
    ]

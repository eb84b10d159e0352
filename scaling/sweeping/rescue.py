"""Diverged cells again at a lower learning rate, where the sweep says so: runs of their own, named beside the
cell that they stand in for.

A rescue follows from records alone, so that every later call, here or elsewhere, finds the same runs again.
The diverged record stays what it is.
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
    """The plan with the rescues that records call for, and the status of every cell that has a record."""
    while True:
        statuses = ledger.finished(plan.results, plan.sweep, plan.run_ids)
        more = rescued(plan, statuses, compose)
        if more is plan:
            return plan, statuses
        plan = more


def rescued(plan: Plan, statuses: Mapping[str, str], compose: Compose) -> Plan:
    """The plan with a cell more for every one that diverged and has not been tried as often as `plan.rescue`
    allows; the plan itself where there is none.

    A lower rate that the plan asks for already is not asked for twice.
    """
    rescue = plan.rescue
    if rescue is None:
        return plan
    cells = {cell.run_id: cell for cell in plan.cells}
    tried = {cell.rescues for cell in plan.cells}
    for cell in plan.cells:
        fallen = statuses.get(cell.run_id) == "diverged" and cell.run_id not in tried
        if fallen and _tries(cell, cells) < rescue.times:
            made = _lowered(cell, rescue.factor, compose)
            cells.setdefault(made.run_id, made)
    return plan if len(cells) == len(plan.cells) else dataclasses.replace(plan, cells=tuple(cells.values()))


def _lowered(cell: Planned, factor: float, compose: Compose) -> Planned:
    rate = six_digits(float(cell.row["learning_rate"]) * factor)
    overrides = [*(one for one in cell.overrides if not one.startswith(f"{_RATE}=")), f"{_RATE}={rate!r}"]
    made = planned_cell(compose(overrides), {_RATE: rate}, overrides, {})
    return dataclasses.replace(made, rescues=cell.run_id)


def _tries(cell: Planned, cells: Mapping[str, Planned]) -> int:
    count = 0
    while cell.rescues is not None:
        cell, count = cells[cell.rescues], count + 1
    return count


def sentences(plan: Plan, known: set[str]) -> list[str]:
    """A line for every rescue that is not `known`: what diverged, and what is tried instead."""
    rates = {cell.run_id: cell.row["learning_rate"] for cell in plan.cells}
    return [
        f"{cell.rescues} diverged at a learning rate of {rates[cell.rescues]:g}; again at "
        f"{rates[cell.run_id]:g} as {cell.run_id}, for sweep.rescue says so"
        for cell in plan.cells
        if cell.rescues is not None and cell.run_id not in known
    ]

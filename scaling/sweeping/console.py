"""Print plans, outcomes and states as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from scaling.folders import reader
from scaling.sweeping.slots.display import human_seconds
from scaling.tables.ledger import CURVES, LEDGER, POSITIONS
from scaling.terminal.console import plain_console

if TYPE_CHECKING:  # these import corpora and families, which a status does not need
    from scaling.sweeping.differences import Difference
    from scaling.sweeping.driver import Outcome
    from scaling.sweeping.planning.planned import Plan, Rule
    from scaling.sweeping.status import Status

_MOST_ROWS = 200
_LESS_NEEDED = ("C budget", "memory", "epochs", "seed", "steps", "D/N")
"""Columns of a plan that a narrow terminal leaves out, the first of them first."""


def wide_console() -> Console:
    """Return a console that is 140 columns wide if the output is not a terminal."""
    return plain_console(piped_width=140)


def plan_table(plan: Plan, edited: str) -> None:
    """Print the plan, its totals, how the sweep was edited, and the files that it writes."""
    console = wide_console()
    columns, left_out = fitting(plan_columns(plan), console.width)
    table = Table(box=None, pad_edge=False)
    for title in columns:
        table.add_column(title, justify="left" if title == "run" else "right")
    for texts in zip(*columns.values(), strict=True):
        table.add_row(*texts)
    console.print(table)
    if left_out:
        console.print(f"not shown here: {', '.join(left_out)}; a wider terminal or --json shows all")
    if len(plan.cells) > _MOST_ROWS:
        console.print(f"... and {len(plan.cells) - _MOST_ROWS} more cells; --json prints all")
    for sentence in plan.dropped[:5]:
        console.print(f"dropped: {sentence}", soft_wrap=True)
    if len(plan.dropped) > 5:
        console.print(f"... and {len(plan.dropped) - 5} more dropped cells; --json prints all")
    if edited:
        console.print(edited, soft_wrap=True)
    for rule in plan.rules():
        console.print(rule_line(rule), soft_wrap=True)
    total = plan.total()
    console.print(
        f"total: {total['cells']} cells, {total['flops']:.3g} FLOPs, {total['tokens']:,} tokens, at most "
        f"{total['epochs_most']:.2f} epochs and {human_bytes(total['memory_bytes_most'])} of memory a run"
    )
    console.print(disk_line(total))
    if plan.rescue is not None:
        console.print(
            f"a diverged cell is run again as a new run at {plan.rescue.factor:g} of its learning rate, "
            f"at most {plan.rescue.times} times; these runs are not counted here",
            soft_wrap=True,
        )
    if total["saving"] > 1:
        console.print(
            f"shared trunks reduce the FLOPs spent to {total['flops_spent']:.3g}, "
            f"{total['saving']:.2f} times fewer"
        )
    if total["seconds"] is None:
        console.print("time: not measured on this machine; run `scaling bench`")
    else:
        known = [
            f"{total[key]:.3g} {unit}"
            for key, unit in (("dollars", "dollars"), ("kwh", "kWh"))
            if total[key] is not None
        ]
        between = "a rough estimate between" if total["seconds_assumed"] else "80 % interval"
        origin = (
            "device.assumed_flops; measure with `scaling bench`"
            if total["seconds_assumed"]
            else "the bench table"
        )
        console.print(
            f"time: {human_seconds(total['seconds'])} of one seat, {between} "
            f"{human_seconds(total['seconds_low'])} to "
            f"{human_seconds(total['seconds_high'])}, from {origin}"
            + (f"; {', '.join(known)}" if known else "; no price: set device.price_per_hour and device.watts")
        )
    console.print(
        f"`scaling run` writes {plan.results}/runs/RUN_ID, {plan.folder}/{LEDGER}, {CURVES}, "
        f"{POSITIONS} and plan.json",
        soft_wrap=True,
    )


def plan_columns(plan: Plan) -> dict[str, list[str]]:
    """Return the columns of the plan's table: title → texts. Columns without values are left out.

    The keys that vary between cells have a column each, where no other column shows them.
    """
    shown = plan.cells[:_MOST_ROWS]
    rows = [cell.row for cell in shown]
    set_keys = [dict(text.lstrip("+").partition("=")[::2] for text in cell.overrides) for cell in shown]
    varied = {
        key: [given.get(key, "") for given in set_keys]
        for key in dict.fromkeys(key for given in set_keys for key in given)
        if key not in ("family.size", "seed", "budget.flops", "budget.tokens")
    }
    columns = {
        "run": [cell.run_id for cell in shown],
        **{key.rpartition(".")[2]: texts for key, texts in varied.items() if len(set(texts)) > 1},
        "size": [f"{row['size']:g}" for row in rows],
        "seed": [str(row["seed"]) for row in rows],
        "N": [f"{row['params']:,}" for row in rows],
        "D": [f"{row['tokens']:,}" for row in rows],
        "D/N": [f"{row['tokens_per_parameter']:.1f}" for row in rows],
        "epochs": [f"{row['epochs']:.2f}" for row in rows],
        "steps": [f"{row['steps']:,}" for row in rows],
        "C budget": ["" if row["budget_flops"] is None else f"{row['budget_flops']:.3g}" for row in rows],
        "C": [f"{row['flops']:.4g}" for row in rows],
        "memory": [human_bytes(row["memory_bytes"]) for row in rows],
        "seconds": ["" if row["seconds"] is None else f"{row['seconds']:.0f}" for row in rows],
    }
    return {title: texts for title, texts in columns.items() if any(texts)}


def fitting(columns: Mapping[str, list[str]], width: int) -> tuple[dict[str, list[str]], list[str]]:
    """Return the columns that fit into `width` characters, and the titles of those that were left out."""
    kept, left_out = dict(columns), []
    for title in _LESS_NEEDED:
        if sum(max(map(len, (name, *texts))) + 2 for name, texts in kept.items()) - 2 <= width:
            break
        if kept.pop(title, None) is not None:
            left_out.append(title)
    return kept, left_out


def rule_line(rule: Rule) -> str:
    """Return the line on one derived hyperparameter: its values over the cells, and their rule."""
    low, high = (f"{end:.4g}" if isinstance(end, float) else str(end) for end in (rule.low, rule.high))
    values = low if low == high else f"{low} to {high}"
    return f"recipe: {rule.name} {values}: {rule.words}{'' if rule.same else ' (in the first cell)'}"


def disk_line(total: Mapping[str, Any]) -> str:
    """Return the line on the disk space that a plan needs and the space that is free."""
    stays, beside, free = total["disk_bytes"], total["disk_bytes_working_most"], total["disk_bytes_free"]
    line = f"disk: {human_bytes(stays)} kept, and up to {human_bytes(beside)} for each running cell"
    if free is None:
        return line
    short = (
        "" if stays + beside < free else ", which is too little; see checkpoint.weights and `scaling clean`"
    )
    return f"{line}; {human_bytes(free)} are free{short}"


def outcome_payload(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome of `scaling run` as JSON values."""
    return {
        "sweep": outcome.plan.sweep,
        "ledger": str(outcome.plan.folder / LEDGER),
        "cells": len(outcome.plan.cells),
        "trained": outcome.trained,
        "reused": outcome.reused,
        "statuses": outcome.statuses,
        "reasons": outcome.reasons,
        "failed": outcome.failed,
        "exit_code": 3 if outcome.failed else 0,
    }


def outcome_table(outcome: Outcome) -> None:
    """Print how many cells are done, which are not, and why."""
    console = wide_console()
    counts: dict[str, int] = {}
    for status in outcome.statuses.values():
        counts[status] = counts.get(status, 0) + 1
    summary = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    console.print(
        f"sweep {outcome.plan.sweep}: {summary} ({outcome.trained} trained now, {outcome.reused} before)"
    )
    common = set.intersection(*(set(cell.overrides) for cell in outcome.plan.cells))
    troubled = [run_id for run_id, status in outcome.statuses.items() if status != "done"]
    if troubled:
        table = Table("run", "status", "cell", "why", box=None, pad_edge=False)
        overrides = {cell.run_id: cell.overrides for cell in outcome.plan.cells}
        for run_id in troubled[:_MOST_ROWS]:
            table.add_row(
                run_id,
                outcome.statuses[run_id],
                " ".join(one for one in overrides[run_id] if one not in common),
                outcome.reasons.get(run_id, ""),
            )
        console.print(table)
    if outcome.failed:
        console.print(
            f"{len(outcome.failed)} failed: exit code 3; the same command runs cells without a record again"
        )
    console.print(
        f"ledger: {outcome.plan.folder / LEDGER}; next: {reader('fit', outcome.plan.folder)}", soft_wrap=True
    )


def status_table(found: Sequence[Status], results: Path) -> None:
    """Print the states of all sweeps, or one sweep in detail."""
    console = wide_console()
    for one in found:
        counts = one.counts()
        console.print(
            f"sweep {one.sweep} in {one.folder}: "
            + ", ".join(f"{number} {state}" for state, number in sorted(counts.items())),
            soft_wrap=True,
        )
        for note in one.notes:
            console.print(note, soft_wrap=True)
    if len(found) != 1:
        return
    (one,) = found
    heads = ("run", "state", "size", "seed", "N", "D", "step", "loss", "s", "left", "why")
    table = Table(*heads, box=None, pad_edge=False)
    for cell in [c for c in one.cells if c["state"] != "waiting"][:_MOST_ROWS]:
        known = {
            name: "" if cell.get(name) is None else f"{cell[name]:{how}}"
            for name, how in (
                ("size", "g"), ("seed", "d"), ("params", ",d"), ("tokens", ",d"), ("step", ",d"),
                ("steps", ",d"), ("loss", ".4f"),
            )
        }  # fmt: skip
        table.add_row(
            cell["run_id"],
            cell["state"],
            *(known[name] for name in ("size", "seed", "params", "tokens")),
            f"{known['step']}/{known['steps']}" if known["step"] else known["steps"],
            known["loss"],
            f"{cell['seconds_spent']:.1f}" if cell.get("seconds_spent") else "",
            human_seconds(cell["seconds_left"]) if "seconds_left" in cell else "",
            cell.get("reason") or (f"in place of {cell['rescues']}" if cell["rescues"] else ""),
        )
    console.print(table)
    for best in one.best():
        console.print(
            f"best at C = {best['budget_flops']:.3g}: loss {best['loss']:.4f} with N = {best['params']:,} "
            f"({best['run_id']})"
        )
    if not one.planned:
        console.print(f"imported runs, without a plan; next: {reader('fit', one.folder)}")
        return
    payload = one.payload()
    more = [
        f"{payload[name]:.3g} {unit}, "
        for name, unit in (("dollars_spent", "dollars"), ("kwh_spent", "kWh"))
        if payload[name]
    ]
    left = payload["seconds_left"]
    console.print(
        f"spent: {human_seconds(payload['seconds_spent'])} of seats, {''.join(more)}"
        f"{payload['flops_spent']:.3g} FLOPs"
        + (f"; about {human_seconds(left)} of seats left" if left else "")
        + f"; runs in {results}/runs"
    )


def diff_table(pairs: Sequence[Difference], new: Sequence[str], orphans: Sequence[str]) -> None:
    """Print why cells are new, with cells of the same reason on one line."""
    console = wide_console()
    if not (pairs or new or orphans):
        console.print("nothing differs: the sweep has the same cells as in its saved plan")
    reasons: dict[str, list[str]] = {}
    for pair in pairs:
        words = ", ".join(f"{name} {before!r} -> {now!r}" for name, (before, now) in pair.fields.items())
        reasons.setdefault(words, []).append(f"{pair.before} -> {pair.run_id}")
    for words, changed in reasons.items():
        console.print(f"{len(changed)} cells, the first {changed[0]}: {words}", soft_wrap=True)
    for title, runs in (("new", new), ("orphans", orphans)):
        if runs:
            console.print(
                f"{len(runs)} {title}: {', '.join(runs[:10])}{' ...' if len(runs) > 10 else ''}",
                soft_wrap=True,
            )


def human_bytes(count: float) -> str:
    """Return a number of bytes with a unit, such as 1.5 TB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"

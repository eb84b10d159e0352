"""Finish a run: evaluate it and write its record, or write the traceback of a crash."""

from __future__ import annotations

import datetime
import json
import math
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from scaling.config import Config, plain
from scaling.errors import Diverged
from scaling.files import atomic
from scaling.tables import schema
from scaling.terminal.text import say
from scaling.training import record
from scaling.training.cell import COMPONENTS, Cell
from scaling.training.checkpoints import checkpoint
from scaling.training.evaluation import Evaluation, bits_per_byte
from scaling.training.hardware.team import SOLO, Team
from scaling.training.lifecycle import provenance
from scaling.training.lifecycle.placement import Placement
from scaling.training.loop import State, Trainer
from scaling.training.optional import line_of, optional
from scaling.training.paths import RunPaths


def finish(trainer: Trainer, paths: RunPaths, placement: Placement) -> dict[str, Any]:
    """Evaluate the trained model, save its curve and its weights, and return the columns of the outcome.

    The curve, which ends with the loss, is written first. What fails after that is printed and left out.
    """
    trainer.fetch()
    cell, state = trainer.cell, trainer.state
    final = trainer.evaluate(measures=True)
    if not math.isfinite(final.loss):
        raise Diverged(f"the held-out loss is {final.loss} after the last step, {state.step}")
    # earlier evaluations used the thinned set; its difference from the whole set at the end corrects them,
    # since it hardly changes during training
    thinned, whole_set = final.thinned()
    shift = whole_set - thinned
    state.rows = [row if row.loss is None else row._replace(loss=row.loss + shift) for row in state.rows]
    state.rows[-1] = state.rows[-1]._replace(loss=final.loss)
    if trainer.team.leads:
        optional("the curve", lambda: write_curve(paths, state.rows))
        optional("the loss by position", lambda: write_positions(paths, final))
    if placement.keep_weights:
        optional("the weights", lambda: checkpoint.save_weights(trainer, paths.weights))
    if placement.keep_best and best_step(state) == state.step:
        optional("the best weights", lambda: checkpoint.save_weights(trainer, paths.best))
    after = optional("further measures", lambda: trainer.task.after(trainer.module, trainer.heldout))
    measured = {**final.measures, **(after or {})}
    text = trainer.task.bytes_heldout
    share = state.step / cell.steps
    columns = cell.columns()
    of_this_run = ("tokens", "epochs", "flops", *COMPONENTS)
    early = {k: type(columns[k])(columns[k] * share) for k in of_this_run} if state.stopped else {}
    return {
        "status": "done",
        "reason": f"stopped early: no better held-out loss since step {best_step(state)}"
        if state.stopped
        else None,
        "loss": final.loss,
        "loss_se": None if math.isnan(final.loss_se) else final.loss_se,
        "bits_per_byte": bits_per_byte(final.sums.sum(), text) if text else None,
        "loss_train": math.fsum(state.tail) / len(state.tail) if state.tail else None,
        "loss_best": min(row.loss for row in state.rows if row.loss is not None),
        **{name: value for name, value in measured.items() if name in schema.COLUMNS},
        **early,
    }


def conclude(
    cell: Cell,
    state: State,
    outcome: Mapping[str, Any],
    *,
    paths: RunPaths,
    placement: Placement,
    config: Config | None,
    device: Any,
    micro_batch: int,
    compiled: str | None = None,
    started: str,
    seconds: float,
    team: Team = SOLO,
) -> dict[str, Any]:
    """Write curve and record, remove checkpoints that nothing continues from, and return the record.

    What fails before the record is printed and left out of it, so that the loss is not lost.
    `outcome` has the columns of `finish` or `crash`. `seconds` is the duration of a run that ended before its
    first step. Only the leader of a team writes. Raises StorageError.
    """
    seconds = state.seconds_training + state.seconds_evaluating or seconds
    tokens_done = (state.step - state.inherited) * cell.batch_tokens
    speed = tokens_done / state.seconds_training if state.seconds_training else None
    result = {
        **dict.fromkeys(schema.COLUMNS),
        **cell.columns(),
        **(optional("the provenance", provenance.columns) or provenance.UNKNOWN),
        "sweep": placement.sweep,
        "steps_done": state.step,
        "steps_inherited": state.inherited,
        "seconds": seconds,
        "tokens_per_second": speed,
        "mfu": speed * cell.flops_per_token / (placement.peak_flops * team.size)
        if speed and placement.peak_flops
        else None,
        "device": (optional("the name of the device", lambda: provenance.device(device)) or "unknown")
        + (f" x {team.size}" if team.size > 1 else ""),
        "threads": torch.get_num_threads(),
        "micro_batch": micro_batch,
        "compiled": compiled,
        "memory_bytes": optional("the peak memory", lambda: torch.cuda.max_memory_allocated(device))
        if device.type == "cuda"
        else None,
        **(optional("the energy", lambda: energy(state, placement, seconds, team)) or {}),
        "price": optional("the price", lambda: price(placement, seconds, team)),
        "started": started,
        "ended": now(),
        "config": json.dumps(plain(config) if config else {}, sort_keys=True, default=str),
        **outcome,
    }
    result = {name: finite(name, value) for name, value in result.items()}
    if not team.leads:
        return result
    optional("the curve", lambda: write_curve(paths, state.rows))
    record.write(paths, result)
    if result["status"] not in record.CONTINUED:
        checkpoint.remove(paths)
    paths.progress.unlink(missing_ok=True)
    return result


def energy(state: State, placement: Placement, seconds: float, team: Team) -> dict[str, Any]:
    """Return the columns kwh and kwh_by, for all processes.

    The energy is that of the leader's device, measured or from the config's watts, times the processes.
    """
    if state.joules is not None and math.isfinite(state.joules):
        return {"kwh": state.joules * team.size / 3.6e6, "kwh_by": "nvml"}
    if placement.watts:
        return {"kwh": placement.watts * team.size * seconds / 3.6e6, "kwh_by": "watts"}
    return {"kwh": None, "kwh_by": None}


def price(placement: Placement, seconds: float, team: Team) -> float | None:
    """Return the price of all processes in dollars; None if the device has no price."""
    return placement.price_per_hour * team.size * seconds / 3600 if placement.price_per_hour else None


def finite(name: str, value: Any) -> Any:
    """Return the value of a column; a number that is infinite or not a number becomes None."""
    if isinstance(value, float) and not math.isfinite(value):
        say(f"scaling: {name} is {value}; the record goes without")
        return None
    return value


def best_step(state: State) -> int:
    """Return the step of the lowest held-out loss on the curve."""
    return min((row.loss, row.step) for row in state.rows if row.loss is not None)[1]


def crash(error: Exception, paths: RunPaths) -> dict[str, Any]:
    """Write the traceback and return the columns of the outcome."""
    text = "".join(traceback.format_exception(error))
    with atomic(paths.error, "the traceback") as file:
        file.write(text.encode())
    return {"status": "failed", "reason": f"{line_of(error)} (traceback in {paths.error.name})"}


def write_curve(paths: RunPaths, rows: Sequence[schema.CurveRow]) -> None:
    """Write `curve.csv`; a missing value is an empty field."""
    lines = [",".join(schema.CURVE_COLUMNS)]
    lines += [",".join("" if v is None else repr(v) for v in row) for row in rows]
    with atomic(paths.curve, "the curve") as file:
        file.write(("\n".join(lines) + "\n").encode())


def write_positions(paths: RunPaths, final: Evaluation) -> None:
    """Write `positions.csv`, the held-out loss at each position in the context.

    A missing value is an empty field. Nothing is written for examples with a single target.
    """
    if final.by_position.shape[1] < 2:
        return
    lines = [",".join(schema.POSITION_COLUMNS)]
    for i, values in enumerate(final.by_position.T):
        lines.append(",".join([str(i), *("" if math.isnan(v) else repr(float(v)) for v in values)]))
    with atomic(paths.positions, "the loss by position") as file:
        file.write(("\n".join(lines) + "\n").encode())


def now() -> str:
    """Return the current UTC time in ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")

"""Copy finished runs to TensorBoard, W&B or trackio after the ledger is collected. They are not read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scaling.errors import LaunchError

_INSTALL = "install it with: pip install 'scaling[mirrors]'"
_CURVE = ("loss_train", "loss", "learning_rate", "gradient_norm")
Run = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]
"""A ledger row, and the rows of its curve."""


def tensorboard(sweep: str, folder: Path, runs: Iterable[Run]) -> None:
    """Write event files to `folder/tensorboard/RUN_ID`, with the run's record as text."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise LaunchError(f"sweep.mirrors names tensorboard, which is not installed; {_INSTALL}") from None
    del sweep
    for row, curve in runs:
        with SummaryWriter(str(folder / "tensorboard" / row["run_id"])) as writer:
            for point in curve:
                for name in _CURVE:
                    if point[name] is not None:
                        writer.add_scalar(name, point[name], point["step"])
            settings = {
                key: value for key, value in row.items() if isinstance(value, (bool, int, float, str))
            }
            writer.add_text("record", "\n".join(f"    {key}: {value}" for key, value in settings.items()))


def wandb(sweep: str, folder: Path, runs: Iterable[Run]) -> None:
    """Write W&B runs, named by run id, in the project of the sweep; offline unless WANDB_MODE is set."""
    try:
        import wandb as wb
    except ImportError:
        raise LaunchError(f"sweep.mirrors names wandb, which is not installed; {_INSTALL}") from None
    import os

    for row, curve in runs:
        (folder / "wandb").mkdir(parents=True, exist_ok=True)
        run = wb.init(
            project=f"scaling-{sweep}",
            id=row["run_id"],
            name=row["run_id"],
            dir=str(folder / "wandb"),
            mode=os.environ.get("WANDB_MODE", "offline"),  # type: ignore[arg-type]
            config={key: value for key, value in row.items() if value is not None},
            reinit="finish_previous",
        )
        for point in curve:
            run.log({name: point[name] for name in _CURVE if point[name] is not None}, step=point["step"])
        run.summary.update({name: row[name] for name in ("loss", "bits_per_byte", "seconds", "status")})
        run.finish()


def trackio(sweep: str, folder: Path, runs: Iterable[Run]) -> None:
    """Write trackio runs to its local store, with one project per sweep."""
    try:
        import trackio as tr
    except ImportError:
        raise LaunchError(f"sweep.mirrors names trackio, which is not installed; {_INSTALL}") from None
    del folder
    for row, curve in runs:
        tr.init(project=f"scaling-{sweep}", name=row["run_id"], config=dict(row))
        for point in curve:
            tr.log({name: point[name] for name in _CURVE if point[name] is not None}, step=point["step"])
        tr.finish()  # type: ignore[no-untyped-call, unused-ignore]


MIRRORS: dict[str, Callable[[str, Path, Iterable[Run]], None]] = {
    "tensorboard": tensorboard,
    "wandb": wandb,
    "trackio": trackio,
}
"""Name of a mirror → the function that writes runs to it."""


def show(names: Sequence[str], sweep: str, folder: Path, run_ids: Iterable[str]) -> None:
    """Write the runs `run_ids` of a sweep's ledger to each mirror."""
    from scaling.tables import ledger

    wanted = set(run_ids)
    if not (names and wanted):
        return
    curves: dict[str, list[dict[str, Any]]] = {run_id: [] for run_id in wanted}
    for point in ledger.arrow(folder / ledger.CURVES).to_pylist():
        if point["run_id"] in wanted:
            curves[point["run_id"]].append(
                {
                    key: None if isinstance(value, float) and math.isnan(value) else value
                    for key, value in point.items()
                }
            )
    rows = [row for row in ledger.rows(folder / ledger.LEDGER) if row["run_id"] in wanted]
    for name in names:
        MIRRORS[name](sweep, folder / "mirrors", [(row, curves[row["run_id"]]) for row in rows])

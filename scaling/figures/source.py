"""What figures and reports are made from: one folder of results, read once and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling import files, folders
from scaling.errors import ScalingError, TableError
from scaling.figures import kinds, units
from scaling.tables import ledger
from scaling.tables.expression import evaluate

TOKEN = "nats per token"
LOSS_UNITS = {"classification": "nats per text", "regression": "squared error"}
"""What losses are counted in, by objective; those of all others in nats per token."""
NEEDED = ("run_id", "params", "tokens", "flops", "loss")


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One sweep's results."""

    name: str
    """What people call it: the folder's name."""
    folder: Path
    """Where it lies."""
    runs: pd.DataFrame
    """Every row of the ledger, also those that failed."""
    curves: pd.DataFrame
    """Loss curves (run_id, step, tokens, flops, loss_train, loss …); empty when none were collected."""
    fit: dict[str, Any] | None
    """The fit beside the ledger, if there is one."""
    plan: dict[str, Any] | None
    """The plan that was priced before anything ran, if there is one."""
    comparison: dict[str, Any] | None
    """What `scaling compare` left here, if anything."""
    positions: pd.DataFrame
    """Held-out loss by position (run_id, position, loss, loss_se); empty when none was collected."""
    samples: dict[str, Any] | None = None
    """Text that runs of this sweep wrote, if any was kept."""
    digest: str
    """First eight hex digits of the ledger's SHA-256."""
    implied: int = 0
    """Rows that do not say C, as many imported ones: for them it is taken as 6 N D."""

    @cached_property
    def done(self) -> pd.DataFrame:
        """Rows with a finite loss and positive N, D, C, each with its `budget` in FLOP and its `kind` in
        words."""
        numbers = self.runs[["params", "tokens", "flops", "loss"]].apply(pd.to_numeric, errors="coerce")
        fine = np.isfinite(numbers).all(axis=1) & (numbers > 0).all(axis=1)
        if "status" in self.runs:
            fine &= self.runs["status"].fillna("done").eq("done")
        kept = pd.DataFrame(self.runs[fine]).reset_index(drop=True)
        return kept.assign(kind=kinds.kinds(kept, self.plan), budget=kinds.budgets(kept))

    @cached_property
    def several(self) -> list[str]:
        """The kinds of the finished runs, the baseline first; empty where all are of one kind."""
        found = sorted(set(self.done["kind"]), key=kinds.in_order)
        if len(found) < 2:
            return []
        against = kinds.base(self.done, self.plan, self.comparison)
        return [against, *(kind for kind in found if kind != against)]

    @cached_property
    def fitted(self) -> pd.DataFrame:
        """The finished runs that the fit was made from: those that its own filter keeps."""
        where = ((self.fit or {}).get("input") or {}).get("where")
        try:
            return self.done if not where else pd.DataFrame(self.done[evaluate(where, self.done)])
        except ScalingError:
            return self.done.head(0)

    @property
    def unfitted(self) -> str:
        """Why there is no fit that a figure may show, in a sentence; empty where there is one."""
        command = f"scaling fit {self.name}"
        if self.several and (self.fit is None or self.fitted["kind"].nunique() > 1):
            one = f"`{command} --where ...`"
            if "family" in self.done and self.done["family"].nunique() == len(self.several):
                first = self.done["family"].iloc[0]
                one = f"""`{command} --where "family == '{first}'"`, or compare them with """ + (
                    f"`scaling compare {self.name} --by family`"
                )
            pooled = "its fit mixes them and is not drawn" if self.fit else "there is no fit of one of them"
            return f"{self.name} holds {len(self.several)} kinds of runs and {pooled}; fit one with {one}."
        if self.fit is None:
            return f"{self.name} has no fit yet; make one with `{command}`."
        return ""

    @cached_property
    def loss_unit(self) -> str:
        """What a loss of the ledger is counted in."""
        objectives = set(self.done["objective"].dropna()) if "objective" in self.done else set()
        return LOSS_UNITS.get(next(iter(objectives)), TOKEN) if len(objectives) == 1 else TOKEN

    @cached_property
    def per_byte(self) -> bool:
        """Whether losses of different kinds compare per byte alone."""
        return kinds.per_byte(self.done)

    def footer(
        self, *, n: int, window: str = "", interval: str = "", note: str = "", command: str = ""
    ) -> list[str]:
        """The small print under a figure: n, window, interval, then source and the command that redraws
        it."""
        taken = "C taken as 6 N D" if self.implied else ""
        parts = (f"n = {units.things(n, 'run')}", window, interval, note, taken)
        first = " · ".join(part for part in parts if part)
        return [
            first,
            f"Source: {self.name}/ledger.parquet {self.digest} · redraw: "
            f"{command or f'scaling figures {self.name}'}",
        ]


def locate(sweep: str | Path) -> Path:
    """The folder of a sweep, by its name under the results folder or by path.

    Raises TableError when there is none, naming the folders that there are.
    """
    if found := ledger.find(sweep):
        return found.parent
    for folder in (Path(sweep), folders.results() / str(sweep)):
        if folder.is_dir() and (folder != Path(sweep) or "/" in str(sweep)):
            return folder
    if Path(sweep).is_file():
        raise TableError(
            f"{sweep} is a file; give the folder of a ledger.parquet, or make one of your own table with "
            f"`scaling import {sweep} --into NAME` and give NAME"
        )
    known = ledger.names()
    have = f"there are {', '.join(map(repr, known))}" if known else f"{folders.results()} has none yet"
    raise TableError(
        f"there are no results called {str(sweep)!r}; {have}; make them with `scaling run {sweep}`, or "
        "give a folder with a ledger.parquet"
    )


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    return files.read_json(path, "make it again with the command that wrote it")


def read(sweep: str | Path) -> Source:
    """Reads one folder of results.

    Raises TableError: no such folder, no ledger in it, a ledger of another schema version or without the
    needed columns, a damaged file.
    """
    folder = locate(sweep)
    name = folder.resolve().name
    path = folder / ledger.LEDGER
    if not path.is_file():
        raise TableError(
            f"{folder} has no ledger.parquet; a folder of results has one: run `scaling run {name}` "
            "first, or name another folder"
        )
    runs = ledger.frame(path)
    missing = [c for c in NEEDED if c not in runs]
    if missing:
        raise TableError(
            f"{path} has no column {', '.join(map(repr, missing))}; a ledger has {', '.join(NEEDED)} "
            f"and more: remove it, and `{folders.maker(folder)}` makes it again"
        )
    if runs.empty:
        raise TableError(f"{path} has no rows; type `{folders.maker(folder)}` until a run is done")
    silent = runs["flops"].isna()
    runs["flops"] = runs["flops"].fillna(6.0 * runs["params"] * runs["tokens"])
    curves, by_position = folder / ledger.CURVES, folder / ledger.POSITIONS
    return Source(
        name=name,
        folder=folder,
        runs=runs.sort_values("run_id").reset_index(drop=True),
        curves=ledger.frame(curves)
        if curves.is_file()
        else pd.DataFrame(columns=["run_id", "step", "tokens", "flops", "loss_train", "loss"]),
        positions=ledger.frame(by_position)
        if by_position.is_file()
        else pd.DataFrame(columns=["run_id", "position", "loss", "loss_se"]),
        fit=_json(folder / "fit.json"),
        plan=_json(folder / "plan.json"),
        comparison=_json(folder / "compare.json"),
        samples=_json(folder / "samples.json"),
        digest=hashlib.sha256(path.read_bytes()).hexdigest()[:8],
        implied=int(silent.sum()),
    )

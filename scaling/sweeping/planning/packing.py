"""Which cells of a sweep go side by side: as many as were told, or as a measured table says pay. No torch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.planning.price import path_of
from scaling.training.cell import Cell
from scaling.training.checkpoints import trunk
from scaling.training.config.fields import whole
from scaling.training.packs.stack import key

LEAST_GAIN = 1.2
"""Runs per hour against runs one by one, below which a pack is not worth its loss of independence."""
REACH = 2.0
"""A table speaks for models up to so many times larger or smaller than those that it measured."""

ALONE = {
    "processes": (1, "the one puts many cells on a device, the other one cell on many"),
    "compile": (None, "a pack's step is vectorised by torch.vmap, which takes no compiled blocks"),
    "loss_chunk": (None, "a pack's step is vectorised by torch.vmap, which takes no loss in chunks"),
}
"""Keys of `device` that keep cells out of packs: each with the value that does not, and why."""


def members(config: Mapping[str, Any]) -> Callable[[Cell], int] | None:
    """Cell → how many of its shape go side by side; None where every cell goes alone.

    `device.pack` of them; where that is null, on CUDA as many as were the fastest in the table that
    `scaling bench --ablate` left here, at the nearest number of parameters. 1 where packs did not pay, where
    nothing near was measured, and on a CPU, on which a pack is the slower one.
    Raises ConfigError.
    """
    device = config["device"]
    apart = [key for key, (plain, _) in ALONE.items() if device.get(key) not in (None, plain)]
    if device.get("pack") is not None:
        told = whole(device, "pack", "device.pack")
        if told > 1 and apart:
            key = apart[0]
            raise ConfigError(
                f"device.pack is {told} and device.{key} is {device[key]!r}: {ALONE[key][1]}; leave one of "
                f"them out"
            )
        return (lambda cell: told) if told > 1 else None
    if not str(device["name"]).startswith("cuda") or apart:
        return None
    rows = _table(switches_path(config))
    return partial(paying, rows) if rows else None


def paying(rows: Sequence[Mapping[str, Any]], cell: Cell) -> int:
    """Members of a pack that were the fastest by a table with the columns family, params, members and gain
    (runs per hour over those of runs one by one); 1 where none paid or nothing near was measured.
    """
    near = [row for row in rows if row["family"] == cell.family and _distance(row, cell) <= math.log(REACH)]
    if not near:
        return 1
    nearest = min(near, key=lambda row: _distance(row, cell))["params"]
    best = max((row for row in near if row["params"] == nearest), key=lambda row: row["gain"])
    return int(best["members"]) if best["gain"] >= LEAST_GAIN else 1


def lay(cells: Sequence[Cell], many: Callable[[Cell], int]) -> list[list[int]]:
    """Cells, by their position, laid into packs of at most `many(cell)`, in the order of their first members.

    The longest go together, so that few end early. Of runs that share a trunk each waits for the one before,
    so that no two of them are in a pack.
    """
    alike: dict[tuple[str, int], list[int]] = {}
    laid: list[list[int]] = []
    trunks: dict[str, int] = {}
    for i in sorted(range(len(cells)), key=lambda i: trunk.branch_step(cells[i])):
        cell = cells[i]
        name, shared = key(cell), trunk.trunk_id(cell)
        if name is None or many(cell) < 2:
            laid.append([i])
            continue
        turn = 0
        if shared is not None:
            turn = trunks[shared] = trunks.get(shared, -1) + 1
        alike.setdefault((name, turn), []).append(i)
    for group in alike.values():
        group.sort(key=lambda i: (-cells[i].steps, i))
        most = many(cells[group[0]])
        laid += [sorted(group[first : first + most]) for first in range(0, len(group), most)]
    return sorted(laid)


def switches_path(config: Mapping[str, Any]) -> Path:
    """Where `scaling bench --ablate` keeps what it measured on this device: beside the table of speeds."""
    return path_of(config).with_suffix(".switches.json")


def _table(path: Path) -> list[dict[str, Any]]:
    try:
        return [row for row in json.loads(path.read_text(encoding="utf-8"))["packs"] if row["gain"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _distance(row: Mapping[str, Any], cell: Cell) -> float:
    return abs(math.log(row["params"] / cell.counts.params_total))

"""Print measured speeds as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from scaling.sweeping.console import wide_console
from scaling.tables.schema import COLUMNS

_MFU = f"MFU: {COLUMNS['mfu'].meaning.partition(';')[0]}"


def bench_table(path: Path, speeds: Sequence[Mapping[str, Any]]) -> None:
    """Print the measured speeds and the path of their file."""
    console = wide_console()
    heads = ("family", "N", "width", "depth", "batch", "ms a step", "tokens/s", "FLOP/s", "MFU")
    table = Table(*heads, box=None, pad_edge=False)
    for row in speeds:
        tokens = row["batch_sequences"] * row["context"]
        table.add_row(
            row["family"],
            f"{row['params']:,}",
            str(row["width"]),
            str(row["depth"]),
            f"{row['batch_sequences']} × {row['context']}",
            f"{1000 * tokens / row['tokens_per_second']:.2f}",
            f"{row['tokens_per_second']:,.0f}",
            f"{row['flops_per_second']:.3g}",
            _percent(row["mfu"]),
        )
    console.print(table)
    console.print(_MFU, soft_wrap=True)
    if not any(row["mfu"] for row in speeds):
        console.print(
            "MFU needs the peak FLOP/s: set device.peaks, or measure one core with `scaling bench --ablate`"
        )
    console.print(f"kept in {path}; `scaling plan` predicts from it", soft_wrap=True)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def switches_table(path: Path, found: Mapping[str, Any]) -> None:
    """Print the speed with each switch relative to the plain step, and the path of the file."""
    console = wide_console()
    console.print(
        f"{found['family']} on {found['device']}, {found['dtype']}, median of {found['turns']} steps",
        soft_wrap=True,
    )
    heads = ("N", "batch", "switch", "tokens/s", "MFU", "× plain speed", "95 %", "")
    table = Table(*heads, box=None, pad_edge=False)
    for row in found["switches"]:
        at = (f"{row['params']:,}", f"{row['batch_sequences']} × {row['context']}", row["switch"])
        if row["ratio"] is None:
            table.add_row(*at, "", "", "", "", f"not measured: {row['why']}")
            continue
        between = f"{row['low']:.2f} … {row['high']:.2f}"
        speed = f"{row['tokens_per_second']:,.0f}"
        table.add_row(*at, speed, _percent(row["mfu"]), f"{row['ratio']:.2f}", between, "")
    console.print(table)
    console.print(_MFU, soft_wrap=True)
    for dtype, peak in found["peaks"].items():
        console.print(f"peak in {dtype}: {peak['flops_per_second']:.3g} FLOP/s, {peak['by']}", soft_wrap=True)
    console.print(f"kept in {path}", soft_wrap=True)

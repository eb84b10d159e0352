"""Compare shipped facts with the rows of the same name in public snapshots."""

from __future__ import annotations

import pandas as pd

from scaling.trends import facts
from scaling.trends.verify import mirror


def _plain(name: object) -> str:
    return "".join(c for c in str(name).lower() if c.isalnum())


_COMPARED = (
    ("models", "training_flops", "epoch_all_ml_systems_2025-06.csv", "Model", "Training compute (FLOP)"),
    ("models", "params", "epoch_all_ml_systems_2025-06.csv", "Model", "Parameters"),
    (
        "accelerators",
        "flops_fp32",
        "epoch_ml_hardware_2026-01.csv",
        "Hardware name",
        "FP32 (single precision) performance (FLOP/s)",
    ),
    ("accelerators", "watts", "epoch_ml_hardware_2026-01.csv", "Hardware name", "TDP (W)"),
    (
        "accelerators",
        "bandwidth_bytes",
        "epoch_ml_hardware_2026-01.csv",
        "Hardware name",
        "Memory bandwidth (byte/s)",
    ),
    ("accelerators", "memory_bytes", "epoch_ml_hardware_2026-01.csv", "Hardware name", "Memory (bytes)"),
    ("accelerators", "price", "epoch_ml_hardware_2026-01.csv", "Hardware name", "Release price (USD)"),
)


def disagreements(factor: float = 2.0) -> list[tuple[str, str, str, float, float]]:
    """Return the facts that differ by more than `factor` from a snapshot's row of the same name.

    Each entry is (table, row, column, fact, snapshot). Raises `TableError` where the snapshots are absent.
    """
    apart = []
    for table, column, file, name, other in _COMPARED:
        snapshot = pd.read_csv(mirror.file(file)).dropna(subset=[other])
        values = {_plain(n): float(v) for n, v in zip(snapshot[name], snapshot[other], strict=True) if v > 0}
        for _, row in facts.load(table).dropna(subset=[column]).iterrows():
            names = {_plain(row["name"]), _plain(f"{row['organisation']} {row['name']}")}
            for key in names & values.keys():
                if not 1 / factor <= row[column] / values[key] <= factor:
                    apart.append((table, str(row["name"]), column, float(row[column]), values[key]))
                break
    return apart

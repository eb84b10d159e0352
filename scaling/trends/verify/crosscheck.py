"""Compare shipped facts with the rows of the same name in public snapshots."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from scaling.trends import facts
from scaling.trends.tables import rows
from scaling.trends.verify import mirror


def _plain(name: object) -> str:
    return "".join(c for c in str(name).lower() if c.isalnum())


def disagreements(factor: float = 2.0) -> list[tuple[str, str, str, float, float]]:
    """Return the facts that differ by more than `factor` from a snapshot's row of the same name.

    Each entry is (table, row, column, fact, snapshot). Raises `TableError` where the snapshots are absent.
    """
    apart = []
    for pair in rows(Path(__file__).with_name("compared.csv")):
        table, column, file, name, other = pair.values()
        snapshot = pd.read_csv(mirror.file(file)).dropna(subset=[other])
        values = {_plain(n): float(v) for n, v in zip(snapshot[name], snapshot[other], strict=True) if v > 0}
        for _, row in facts.load(table).dropna(subset=[column]).iterrows():
            names = {_plain(row["name"]), _plain(f"{row['organisation']} {row['name']}")}
            for key in names & values.keys():
                if not 1 / factor <= row[column] / values[key] <= factor:
                    apart.append((table, str(row["name"]), column, float(row[column]), values[key]))
                break
    return apart

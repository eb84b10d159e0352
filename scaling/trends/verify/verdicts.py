"""Run every check of a published number, on the shipped facts and on the snapshots where present."""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.errors import ScalingError
from scaling.trends.verify import mirror
from scaling.trends.verify.checks import checks
from scaling.trends.verify.crosscheck import disagreements


def verify() -> dict[str, Any]:
    """Run every check and return its verdict: `agrees`, `differs` or `absent` (no snapshot).

    `failed` counts the checks that differ.
    """
    rows: list[dict[str, Any]] = []
    for check in checks():
        try:
            number = float(check.value())
            verdict = "agrees" if check.low - 1e-9 <= number <= check.high + 1e-9 else "differs"
        except ScalingError as error:
            gone = check.on == "snapshot" and mirror.folder() is None
            number, verdict = np.nan, "absent" if gone else f"differs: {error}"
        value = number if np.isfinite(number) else None
        rows.append(
            {
                "figure": check.name,
                "on": check.on,
                "published": check.published,
                "value": value,
                "verdict": verdict,
            }
        )
    failed = [r for r in rows if r["verdict"].startswith("differs")]
    absent = [r for r in rows if r["verdict"] == "absent"]
    where = mirror.folder()
    apart = disagreements() if where is not None else []
    answer = f"{len(rows) - len(failed) - len(absent)} of {len(rows)} published numbers agree"
    if failed:
        answer += f", {len(failed)} differ"
    if absent:
        answer += (
            f"; {len(absent)} need the public snapshots (set SCALING_MIRROR to a folder that has trends/)"
        )
    elif where is not None:
        answer += (
            f" (snapshots in {where}); {len(apart)} facts differ from a snapshot by more than a factor of 2"
        )
    tables = [
        {
            "title": "Published numbers, recomputed",
            "columns": ["number", "data", "published", "recomputed", "verdict"],
            "rows": [
                [
                    r["figure"],
                    r["on"],
                    r["published"],
                    "∞"
                    if r["value"] is None and r["verdict"] == "agrees"
                    else "–"
                    if r["value"] is None
                    else f"{r['value']:.4g}",
                    r["verdict"],
                ]
                for r in rows
            ],
        }
    ]
    if apart:
        tables.append(
            {
                "title": "Facts that differ from a snapshot by more than a factor of 2 (facts come from "
                "primary sources)",
                "columns": ["table", "row", "column", "fact", "snapshot", "ratio"],
                "rows": [[*d[:3], f"{d[3]:.3g}", f"{d[4]:.3g}", f"{d[3] / d[4]:.2g}"] for d in apart],
            }
        )
    return {
        "question": "verify",
        "answer": answer + ".",
        "failed": len(failed),
        "absent": len(absent),
        "rows": rows,
        "disagreements": [
            dict(zip(("table", "row", "column", "fact", "snapshot"), d, strict=True)) for d in apart
        ],
        "tables": tables,
    }

"""What runs of growing size write after the same prompt: the table of samples."""

from __future__ import annotations

from typing import Any

from scaling.figures import units
from scaling.figures.report.tables import Cell, Table
from scaling.figures.source import Source


def table(source: Source) -> Table:
    """Samples from `samples.json`, the smallest model first; no rows where there are none."""
    rows = []
    found = [s for s in (source.samples or {}).get("samples") or [] if isinstance(s, dict)]
    for s in sorted(found, key=lambda s: float(s.get("params") or 0)):
        rows.append(
            (
                Cell(text=str(s.get("run_id", ""))[:8], number=False),
                Cell(text=_said(s.get("params"), units.count)),
                Cell(text=_said(s.get("loss"), lambda v: f"{v:.3f}")),
                Cell(text=str(s.get("text", "")), number=False),
            )
        )
    heads = (
        ("run", "identity of the run"),
        ("N", "parameters"),
        ("L", "held-out loss, nats per token"),
        ("text", "prompt and what the model wrote after it"),
    )
    return Table(columns=heads, rows=tuple(rows))


def how(source: Source) -> str:
    """How the samples were drawn, in a sentence."""
    found = source.samples or {}
    prompt = str(found.get("prompt") or "")
    begins = f"after “{prompt}”" if prompt else "from the start of a document"
    return (
        f"Each model writes {found.get('tokens', '')} tokens {begins} at temperature "
        f"{found.get('temperature', '')}, seed {found.get('seed', '')}."
    )


def _said(value: Any, say: Any) -> str:
    return str(say(float(value))) if isinstance(value, int | float) else "–"

"""Build the table of samples: text that models of growing size generate after one prompt."""

from __future__ import annotations

from typing import Any

from scaling.figures import units
from scaling.figures.report.tables import Cell, Table
from scaling.figures.source import Source


def table(source: Source) -> Table:
    """Return the samples of `samples.json`, the smallest model first; no rows where there are none."""
    rows = []
    samples = [s for s in (source.samples or {}).get("samples") or [] if isinstance(s, dict)]
    for s in sorted(samples, key=lambda s: float(s.get("params") or 0)):
        rows.append(
            (
                Cell(text=str(s.get("run_id", ""))[:8], number=False),
                Cell(text=_format(s.get("params"), units.count)),
                Cell(text=_format(s.get("loss"), lambda v: f"{v:.3f}")),
                Cell(text=str(s.get("text", "")), number=False),
            )
        )
    heads = (
        ("run", "identity of the run"),
        ("N", "parameters"),
        ("L", "held-out loss, nats per token"),
        ("text", "prompt and generated text"),
    )
    return Table(columns=heads, rows=tuple(rows))


def how(source: Source) -> str:
    """Return how the samples were generated, in a sentence."""
    settings = source.samples or {}
    prompt = str(settings.get("prompt") or "")
    begins = f"after “{prompt}”" if prompt else "from the start of a document"
    return (
        f"Each model generates {settings.get('tokens', '')} tokens {begins} at temperature "
        f"{settings.get('temperature', '')}, seed {settings.get('seed', '')}."
    )


def _format(value: Any, say: Any) -> str:
    return str(say(float(value))) if isinstance(value, int | float) else "–"

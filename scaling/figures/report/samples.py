"""Build the table of samples: text that models of growing size generate after one prompt."""

from __future__ import annotations

from typing import Any

from scaling.figures import units
from scaling.figures.report.tables import Cell, Table
from scaling.figures.source import Source


def table(source: Source) -> Table:
    """Return the samples of `samples.json`, the smallest model first; no rows where there are none."""
    rows = []
    for s in sorted(kept(source.samples), key=lambda s: float(s["params"])):
        rows.append(
            (
                Cell(text=s["run_id"][:8], number=False),
                Cell(text=units.count(float(s["params"]))),
                Cell(text=f"{s['loss']:.3f}"),
                Cell(text=s["text"], number=False),
            )
        )
    heads = (
        ("run", "identity of the run"),
        ("N", "parameters"),
        ("L", "held-out loss, nats per token"),
        ("text", "prompt and generated text"),
    )
    return Table(columns=heads, rows=tuple(rows))


def kept(content: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the samples of the content of `samples.json`, without those that are damaged."""
    found = (content or {}).get("samples")
    kinds = {"run_id": str, "params": int | float, "loss": int | float, "text": str}
    return [
        s
        for s in (found if isinstance(found, list) else [])
        if isinstance(s, dict) and all(isinstance(s.get(name), kind) for name, kind in kinds.items())
    ]


def how(source: Source) -> str:
    """Return how the samples were generated, in a sentence."""
    settings = source.samples or {}
    prompt = str(settings.get("prompt") or "")
    begins = f"after “{prompt}”" if prompt else "from the start of a document"
    return (
        f"Each model generates {settings.get('tokens', '')} tokens {begins} at temperature "
        f"{settings.get('temperature', '')}, seed {settings.get('seed', '')}."
    )

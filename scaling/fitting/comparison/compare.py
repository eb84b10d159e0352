"""Fit one law to several tables and compare the fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws, ranges
from scaling.fitting.comparison.exponents import Quantity, exponents
from scaling.fitting.comparison.gain import Gain, gain
from scaling.fitting.comparison.pairing import alike, paired
from scaling.fitting.comparison.shared import shared_models, verdict
from scaling.fitting.fit import fit, read_for
from scaling.fitting.law import Law
from scaling.fitting.options import within
from scaling.fitting.result import Fit
from scaling.fitting.table import Table
from scaling.fitting.uncertainty.estimate import Estimate, html


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """A comparison of several fits, the first of which is the baseline."""

    labels: tuple[str, ...]
    """Names of the tables, the baseline first."""
    fits: tuple[Fit, ...]
    """Fits of the tables, in the order of `labels`."""
    pairs: str | None
    """Columns or variables that pair the runs; None where the tables are independent."""
    exponents: list[Quantity]
    """Quantities with differences to the baseline."""
    shared: list[dict[str, Any]]
    """Joint models."""
    gains: list[Gain]
    """Compute-equivalent gain of each later table over the first."""
    warnings: tuple[str, ...]
    """In words."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "schema": 1,
            "kind": "comparison",
            "labels": list(self.labels),
            "law": self.fits[0].law.name,
            "formula": self.fits[0].law.formula,
            "pairs": self.pairs,
            "inputs": {
                label: {"path": f.table.path, "sha256": f.table.sha256, "rows_used": f.table.n}
                for label, f in zip(self.labels, self.fits, strict=True)
            },
            "exponents": [row.to_json() for row in self.exponents],
            "shared": self.shared,
            "gains": [gain.to_json() for gain in self.gains],
            "warnings": list(self.warnings),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per quantity and table: value, low, high, difference to the baseline, p."""
        rows = []
        for row in self.exponents:
            for label, estimate in row.estimates.items():
                low, high = estimate.interval or (np.nan, np.nan)
                gap = row.differences.get(label)
                rows.append(
                    {
                        "quantity": row.name,
                        "table": label,
                        "value": estimate.value,
                        "low": low,
                        "high": high,
                        "difference": gap.estimate.value if gap else np.nan,
                        "p": gap.p if gap else np.nan,
                    }
                )
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return html(self.to_frame())

    def __repr__(self) -> str:
        first = self.fits[0]
        lines = [
            f"{first.law.name}: {first.law.formula}",
            ", ".join(f"{label} ({f.table.n} runs)" for label, f in zip(self.labels, self.fits, strict=True))
            + (f"; paired by {self.pairs}" if self.pairs else "; independent runs"),
            f"{first.options.level:.0%} intervals",
            "",
        ]
        for row in self.exponents:
            parts = [f"{label} {_span(e)}" for label, e in row.estimates.items()]
            parts += [
                f"{label} − {self.labels[0]} {_span(d.estimate)}"
                + (f" p {_p(d.p)}" if d.estimate.interval else "")
                for label, d in row.differences.items()
            ]
            lines.append(f"  {row.name:<6} " + " | ".join(parts))
        if self.shared:
            lines += ["", f"shared against separate ({verdict(self.shared)}):"]
            for model in self.shared:
                parts = [f"ΔAICc {model['delta_aicc']:.4g}"] if model["delta_aicc"] is not None else []
                if "p_against_separate" in model:
                    parts.append(f"p against separate {_p(model['p_against_separate'])}")
                lines.append(f"  {model['model']:<24} {', '.join(parts)}".rstrip())
        for found in self.gains:
            lines += [
                "",
                f"compute-equivalent gain of {found.of} over {found.over}: {_span(found.headline)}",
            ]
            lines.append(f"  for C in {found.span[0]:.3g} to {found.span[1]:.3g}, that both cover")
            floors = found.by_floor
            if "shared" in floors:
                low, high = floors["profiled"]["gain"]
                lines.append(
                    f"  E free {_n(floors['free'])}; E shared {_n(floors['shared']['gain'])}, over all "
                    f"shared E that the data allow {_n(low)} to {_n(high)}"
                )
            lines.append(f"  crossing: {found.crossing.words}")
        if self.warnings:
            lines += ["", "warnings:", *(f"  - {w}" for w in self.warnings)]
        return "\n".join(lines)


def _n(value: float | None) -> str:
    return "unbounded" if value is None or not np.isfinite(value) else f"{value:.3g}"


def _p(value: float | None) -> str:
    """Return a p-value as text. Below 0.001 it comes from the tail of a normal, t or F distribution, not from
    draws."""
    if value is None or not np.isfinite(value):
        return "unknown"
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _span(entry: Estimate) -> str:
    if entry.method.startswith("undetermined"):
        return "undetermined"
    value = _n(entry.value)
    return value if not entry.interval else f"{value} [{_n(entry.interval[0])}, {_n(entry.interval[1])}]"


def compare(
    sources: Mapping[str, Any],
    law: str | Law = "chinchilla",
    *,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    decimal: str | None = None,
    **options: Any,
) -> Comparison:
    """Fit one law to several tables and compare them; the first is the baseline.

    sources: a table, as `fit` takes it, by the name under which it is compared.
    columns, where, decimal: as for `fit`, the same for every table.
    options: fields of `Options`, the same for every table.

    Raises ConfigError with fewer than two tables.
    """
    if not isinstance(sources, Mapping) or len(sources) < 2:
        raise ConfigError(
            "a comparison needs two tables or more; name them, or one ledger and a column with --by"
        )
    law = laws.get(law) if isinstance(law, str) else law
    labels, tables = list(map(str, sources)), []
    for source in sources.values():
        given = isinstance(source, Table) and not (columns or where or decimal)
        tables.append(
            source if given else read_for(law, source, columns=columns, where=where, decimal=decimal)
        )
    matched = paired(tables, law.variables)
    used, pairs = matched if matched is not None else (list(tables), None)
    cluster = options.get("cluster")
    if pairs and cluster:
        used = alike(used, labels, cluster)
    seed = options.pop("seed", 0)
    within("seed", seed, ranges.SEED)
    # Paired tables share a seed, so that the same rows or clusters are drawn from each; independent tables
    # have different seeds.
    fits = tuple(
        fit(t, law, seed=seed if pairs else (seed + 7919 * k) % 2**32, **options) for k, t in enumerate(used)
    )
    said = [f"{label}: {w}" for label, f in zip(labels, fits, strict=True) for w in f.warnings]
    gains = []
    for label, other in zip(labels[1:], fits[1:], strict=True):
        try:
            gains.append(gain(fits[0], other, (labels[0], label)))
        except FitError as error:
            said.append(f"no gain of {label} over {labels[0]}: {error}")
    return Comparison(
        labels=tuple(labels),
        fits=fits,
        pairs=pairs,
        exponents=exponents(fits, labels, pairs),
        shared=shared_models(fits, labels, paired=pairs is not None),
        gains=gains,
        warnings=tuple(said),
    )

"""A fit as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.fitting.uncertainty.estimate import finite

if TYPE_CHECKING:
    from scaling.fitting.fit import Fit
    from scaling.fitting.options import Options


def to_json(fit: Fit, *, quick: bool = False) -> dict[str, Any]:
    """Return plain data in the schema of `fit.json`, without the checks when `quick`; nothing in it depends
    on time or machine."""
    table, loss = fit.table, fit.problem.loss
    return {
        "schema": 1,
        "law": fit.law.name,
        "formula": fit.law.formula,
        "source": fit.law.source,
        "input": {
            "path": table.path,
            "sha256": table.sha256,
            "rows": table.rows,
            "rows_used": table.n,
            "columns": dict(table.columns),
            "where": table.where,
            "decimal": table.decimal,
            "range": {key: [float(value.min()), float(value.max())] for key, value in table.values.items()},
        },
        "options": options_json(fit.options),
        "n": table.n,
        "parameters": {name: value.to_json() for name, value in fit.parameters.items()},
        "objective": {
            "name": loss.name,
            "scale": loss.scale,
            "delta": None if loss.delta is None else finite(loss.delta),
            "value": finite(fit.optimum.objective),
            "words": loss.words(),
        },
        "derived": {name: value.to_json() for name, value in fit.derived.items()},
        "certificate": fit.certificate.to_json(fit.law.names),
        "warnings": list(fit.warnings),
        "approaches": None if fit.approaches is None else fit.approaches.to_json(),
        "bootstrap": draws_json(fit),
        "validation": None if quick else fit.validation.to_json(),
    }


def text(fit: Fit, *, quick: bool = False) -> str:
    """Return the report for people, without the checks when `quick`."""
    loss, certificate = fit.problem.loss, fit.certificate
    method = fit.draws.method if fit.draws is not None else "no intervals asked"
    lines = [
        f"{fit.law.name}: {fit.law.formula}   ({fit.law.source})",
        f"{fit.table.n} of {fit.table.rows} rows of {fit.table.path}",
        f"{loss.words()} = {fit.optimum.objective:.10g}",
        f"{fit.options.level:.0%} intervals: {method}",
        "",
    ]
    rows = [(name, value) for name, value in (*fit.parameters.items(), *fit.derived.items())]
    width = max(len(name) for name, _ in rows)
    lines += [f"  {name:<{width}}  {value}" for name, value in rows]
    if fit.approaches is not None:
        lines += ["", f"approaches: {fit.approaches.words}"]
    lines += [
        "",
        f"certificate: {'holds' if certificate.ok else 'does not hold'}; "
        f"{certificate.reached} of {certificate.starts} starts reached the best of "
        f"{len(certificate.basins)} basins; "
        f"{certificate.steepness}; Hessian "
        f"{'definite' if certificate.definite else 'not definite'}",
        f"  {certificate.ridge}",
    ]
    if certificate.rescaling is not None:
        lines.append(f"  in other units predictions change by {certificate.rescaling:.1e}")
    checks = ["skipped, as --quick asks"] if quick else fit.validation.lines()
    lines += ["", "validation:", *(f"  {line}" for line in checks)]
    if fit.warnings:
        lines += ["", "warnings:", *(f"  - {warning}" for warning in fit.warnings)]
    return "\n".join(lines)


def options_json(options: Options) -> dict[str, Any]:
    """Options as plain data."""
    return {
        key: (dict(value) if isinstance(value, Mapping) else value) for key, value in asdict(options).items()
    }


def draws_json(fit: Fit, rows: int = 200) -> dict[str, Any] | None:
    """Return the first draws of the bootstrap, null where a parameter is undetermined."""
    if fit.draws is None:
        return None
    open_ = [name in fit.certificate.undetermined for name in fit.law.names]
    drawn = np.where(open_, np.nan, fit.draws.theta[:rows])
    return {"names": list(fit.law.names), "draws": [[finite(value) for value in row] for row in drawn]}

"""Put the fit's certificate, its validation and the provenance of the runs into words."""

from __future__ import annotations

import json
from typing import Any

from scaling import folders
from scaling.figures import units
from scaling.figures.source import Source

_ERRORS = ("rows", "rms_error", "mean_error", "parameters")
"""Keys of a left-out size beside the letter of the variable that it is a size of."""


def _leaf(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        small = 0 < abs(value) < 1e-4 or abs(value) >= 1e6
        return (f"{value:.1e}" if small else units.digits(value, 4)).replace("-", "−")
    if isinstance(value, list):
        return "; ".join(_leaf(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k.replace('_', ' ')} {_leaf(v)}" for k, v in value.items())
    return "none" if value is None else str(value)


def certificate(fit: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (label, text) of the fit's certificate: known entries as sentences, others unchanged."""
    entries = fit.get("certificate") or {}
    if not isinstance(entries, dict):
        return [("certificate", _leaf(entries))]
    rest = dict(entries)
    lines = []
    if "starts" in rest and "starts_reaching_best" in rest:
        minima = rest.pop("basins_found", None)
        best, starts = rest.pop("starts_reaching_best"), rest.pop("starts")
        reached = f"{best} of {starts} random starts reached the best minimum"
        lines.append(("search", reached + (f"; distinct minima reached: {minima}" if minima else "")))
        rest.pop("basins", None)
    if "gradient_norm" in rest and "hessian_positive_definite" in rest:
        fine = rest.pop("hessian_positive_definite")
        norm = _leaf(float(rest.pop("gradient_norm") or 0.0))
        lines.append(
            (
                "point",
                f"a {'true minimum' if fine else 'flat or saddle point'}: gradient norm {norm}, Hessian "
                f"{'positive definite' if fine else 'not positive definite'}",
            )
        )
    if rest.get("ridge"):
        lines.append(("ridge", str(rest.pop("ridge"))))
        rest.pop("condition_number", None)
    if "at_bounds" in rest:
        bounds = rest.pop("at_bounds")
        lines.append(("bounds", _leaf(bounds) if bounds else "no parameter lies at a bound"))
    if rest.get("rescaling_change") is not None:
        lines.append(
            (
                "units",
                "refitted in other units, predictions change by "
                f"{_leaf(float(rest.pop('rescaling_change')))}",
            )
        )
    if "ok" in rest:
        lines.insert(
            0,
            (
                "verdict",
                "the certificate holds"
                if rest.pop("ok")
                else "the certificate does not hold: see the lines below",
            ),
        )
    return lines + [(str(key).replace("_", " "), _leaf(value)) for key, value in rest.items()]


def validation(fit: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (label, text) of each automatic check, such as the backtest or the influence of one run."""
    checks = fit.get("validation") or {}
    lines = []
    everything = ((checks.get("backtest") or {}).get("by_decades_beyond") or {}).get("all") or {}
    if everything.get("forecasts") and everything.get("nominal_coverage") is not None:
        level = checks["backtest"].get("level", 0.95)
        lines.append(
            (
                "backtest",
                f"with the law fitted to the lower budgets, {units.percent(level)} intervals covered "
                f"{units.percent(everything['nominal_coverage'])} of "
                f"{everything['forecasts']} forecasts of larger runs",
            )
        )
    selection = checks.get("selection") or {}
    if selection.get("words"):
        lines.append(("selection", selection["words"]))
    if (checks.get("lack_of_fit") or {}).get("words"):
        lines.append(("replicates", checks["lack_of_fit"]["words"]))
    sizes = [s for s in checks.get("leave_one_size_out") or [] if s.get("rms_error") is not None]
    if sizes:
        worst = max(sizes, key=lambda s: s["rms_error"])
        letter = next(key for key in worst if key not in _ERRORS)
        lines.append(
            (
                "left-out sizes",
                "each size predicted from the others; the largest error is "
                f"{units.digits(worst['rms_error'])} at {letter} = {units.count(worst[letter])}",
            )
        )
    influence = checks.get("influence") or {}
    if influence.get("most_influential"):
        first = influence["most_influential"][0]
        moves = (
            f"without its most influential run, {units.formula(str(first.get('moves')))} moves by "
            f"{units.digits(float(first.get('by_standard_errors') or 0))} standard errors"
        )
        lines.append(("influence", f"{moves}; {influence.get('outlier_count', 0)} outliers"))
    return lines


def checklist(fit: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the reporting checklist of the fit: (section, [(question, answer)])."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for entry in (fit.get("validation") or {}).get("checklist") or []:
        line = (str(entry.get("question", "")), units.formula(str(entry.get("answer", ""))))
        sections.setdefault(str(entry.get("section", "")), []).append(line)
    return list(sections.items())


def method(fit: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (label, text) of how the fit was made."""
    objective = fit.get("objective") or {}
    lines = [
        ("law", f"{fit.get('law', '')}: {units.formula(str(fit.get('formula', '')))}"),
        ("law from", str(fit.get("source") or "not stated")),
    ]
    if objective:
        lines.append(("objective", str(objective.get("words") or _leaf(objective))))
    inputs = fit.get("input") or {}
    if inputs:
        lines.append(("rows", f"{inputs.get('rows_used', fit.get('n'))} used of {inputs.get('rows')}"))
    if agreement := (fit.get("approaches") or {}).get("agreement"):
        lines.append(("agreement", str(agreement)))
    if fit.get("options"):
        lines.append(("options", _leaf({k: v for k, v in fit["options"].items() if v not in (None, {}, [])})))
    return lines


def _distinct(source: Source, column: str) -> str:
    values = [str(v) for v in source.runs[column].dropna().unique()] if column in source.runs else []
    return ", ".join(values[:6]) + (f" and {len(values) - 6} more" if len(values) > 6 else "")


def provenance(source: Source) -> list[tuple[str, str]]:
    """Return the provenance: ledger, corpus, recipe, machines, commit, versions and times."""
    fit = source.fit or {}
    made = fit.get("made") or fit
    lines = [
        ("ledger", f"{source.name}/ledger.parquet, SHA-256 begins {source.digest}, {len(source.runs)} rows")
    ]
    for label, column in (
        ("corpus", "corpus"),
        ("corpus manifest", "corpus_hash"),
        ("family", "family"),
        ("recipe", "recipe"),
        ("schedule", "schedule"),
        ("device", "device"),
        ("number format", "dtype"),
        ("host", "host"),
        ("commit", "git_commit"),
    ):
        if text := _distinct(source, column):
            lines.append((label, text))
    if "git_dirty" in source.runs and source.runs["git_dirty"].fillna(False).astype(bool).any():
        lines.append(("caution", "some runs came from a working tree with uncommitted changes"))
    if "started" in source.runs and source.runs["started"].notna().any():
        lines.append(
            (
                "trained",
                f"{source.runs['started'].dropna().min()} to "
                f"{source.runs['ended'].dropna().max() if 'ended' in source.runs else ''}",
            )
        )
    for text in (
        sorted({str(v) for v in source.runs["versions"].dropna()}) if "versions" in source.runs else []
    ):
        try:
            lines.append(("versions of training", _leaf(json.loads(text))))
        except ValueError:
            lines.append(("versions of training", text))
    if made.get("versions"):
        lines.append(("versions of the fit", _leaf(made["versions"])))
    if made.get("created"):
        lines.append(("fitted", str(made["created"])))
    if sha := (fit.get("input") or {}).get("sha256"):
        lines.append(("input of the fit", f"SHA-256 {sha}"))
    return lines


def commands(source: Source) -> list[str]:
    """Return the commands that make everything on the page again."""
    fit = source.fit or {}
    fitted = str((fit.get("made") or fit).get("command") or f"scaling fit {source.name}")
    compared = str(((source.comparison or {}).get("made") or {}).get("command") or "")
    return [
        folders.maker(source.folder),
        *([fitted] if fit or not compared else []),
        *([compared] if compared else []),
        f"scaling figures {source.name}",
        f"scaling report {source.name}",
    ]

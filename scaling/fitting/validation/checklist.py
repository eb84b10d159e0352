"""Fill in the checklist of "(Mis)Fitting: A Survey of Scaling Laws" from a table and its fit.

Source: Li et al. 2025, arXiv 2502.18969.
"""

from __future__ import annotations

import numpy as np

from scaling.fitting.approaches.budgets import budgets, compute
from scaling.fitting.result import Fit

UNKNOWN = "not recorded in this table"
"""Answer to a question that the table does not answer."""


def checklist(fit: Fit) -> list[dict[str, str]]:
    """Return one row per question: section, question, answer. A missing answer reads `UNKNOWN`."""
    table, frame, law = fit.table, fit.table.frame, fit.law
    loss, certificate = fit.problem.loss, fit.certificate
    answers: list[tuple[str, str, str]] = []

    def column(names: str | tuple[str, ...]) -> str:
        columns = []
        for name in (names,) if isinstance(names, str) else names:
            if name in frame.columns and frame[name].notna().any():
                values = frame[name].dropna().unique()
                shown = ", ".join(_short(v) for v in values[:4]) + (
                    f", … ({len(values)} values)" if len(values) > 4 else ""
                )
                columns.append(f"{name}: {shown}")
        return "; ".join(columns) or UNKNOWN

    hypothesis, setup, data, fitting = "hypothesis", "training setup", "data collection", "fitting algorithm"
    answers += [
        (hypothesis, "What form is fitted?", f"{law.formula} ({law.source})"),
        (
            hypothesis,
            "What are the variables and their units?",
            "; ".join(f"{k} = {v}" for k, v in table.columns.items()),
        ),
        (hypothesis, "What are the parameters?", ", ".join(f"{p.name}: {p.meaning}" for p in law.parameters)),
        (hypothesis, "What question is answered?", "; ".join(["predicted " + law.target, *law.derived])),
        (setup, "Which architectures?", column(("family", "objective"))),
        (setup, "Which data, and how much of it?", column(("corpus", "corpus_hash", "tokens_unique"))),
        (setup, "How often is data repeated?", column("epochs")),
        (
            setup,
            "How are hyperparameters set as scale grows?",
            column(("recipe", "learning_rate", "batch_tokens")),
        ),
        (setup, "Which schedule?", column(("schedule", "warmup_steps"))),
        (setup, "How many seeds?", column("seed")),
        (setup, "How are parameters counted?", f"N = {table.columns.get('N', UNKNOWN)}"),
        (setup, "How is compute counted?", f"C = {table.columns.get('C', '6 N D')}"),
        (
            data,
            "How many runs?",
            f"{table.n} of {table.rows} rows" + (f", where {table.where}" if table.where else ""),
        ),
        (data, "What range is covered?", _ranges(fit)),
        (data, "How many budgets?", _budgets(fit)),
        (data, "Final losses or checkpoints?", _checkpoints(fit)),
        (
            data,
            "On what is the loss measured?",
            column(("corpus", "loss_se")) if "loss_se" in frame.columns else UNKNOWN,
        ),
        (
            data,
            "Were rows left out, and why?",
            table.where or ("none" if table.n == table.rows else "runs that are not done"),
        ),
        (fitting, "What objective?", loss.words()),
        (
            fitting,
            "What algorithm?",
            "damped Newton with exact Hessian in centred logarithmic coordinates, batched",
        ),
        (
            fitting,
            "How many starts, from where?",
            f"{certificate.starts} random starts, seed {fit.options.seed}",
        ),
        (
            fitting,
            "Did they agree?",
            f"{certificate.reached} of {certificate.starts} reached the best of "
            f"{len(certificate.basins)} optima",
        ),
        (
            fitting,
            "Is it an optimum?",
            f"{certificate.steepness}, Hessian {'definite' if certificate.definite else 'not definite'}",
        ),
        (fitting, "What is badly determined?", certificate.ridge),
        (
            fitting,
            "What uncertainty?",
            fit.draws.method + f", {fit.options.level:.0%}" if fit.draws else "none asked",
        ),
        (fitting, "Is the table available?", f"{table.path}, SHA-256 {table.sha256}"),
    ]
    return [
        {"section": section, "question": question, "answer": answer} for section, question, answer in answers
    ]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _ranges(fit: Fit) -> str:
    parts = []
    for name, value in fit.table.values.items():
        low, high = float(value.min()), float(value.max())
        ratio = f" (×{high / low:.3g})" if low > 0 else ""
        parts.append(f"{name} {low:.3g} to {high:.3g}{ratio}")
    return "; ".join(parts)


def _budgets(fit: Fit) -> str:
    if "C" not in fit.table.values and not {"N", "D"} <= set(fit.table.values):
        return UNKNOWN
    groups = budgets(fit.table)
    flops = compute(fit.table)
    return f"{len(groups)} groups of like compute over {np.log10(flops.max() / flops.min()):.1f} decades"


def _checkpoints(fit: Fit) -> str:
    frame = fit.table.frame
    for name in ("run_id", "run_name", "run", "name"):
        if name in frame.columns:
            runs = frame[name].nunique()
            return f"{fit.table.n} rows of {runs} runs" + (
                ": checkpoints of a run are not independent" if runs < fit.table.n else ""
            )
    return UNKNOWN

"""Refit the rectified law and the power law to the fine-tuning curves of thirty models on FLAN."""

from __future__ import annotations

from functools import partial

import numpy as np

from scaling.published.outcome import Entry, Refit
from scaling.published.refit import fit, frame, printed, problem

RMSD = printed("fine_tuning")
"""Root mean square deviation of log loss by model and law, from results/rmsd.csv of the repository."""
_LAWS = (
    ("rectified", "fine-tuning-rectified", "mean square of log loss"),
    (
        "power",
        "fine-tuning-power",
        "sum of Huber 1e-3 of log loss in the paper, mean square of log loss here",
    ),
)


def _run(model: str, law: str, published: float) -> Refit:
    table = frame("fine-tuning-flan").set_index("config name")
    columns = [name for name in table.columns if name.isdigit() and int(name) > 0]
    loss = table.loc[model, columns].to_numpy(dtype=np.float64)
    refit = fit(problem(law, {"D": [float(name) for name in columns]}, loss, objective="squares", starts=24))
    assert refit.objective is not None
    rmsd = float(np.sqrt(refit.objective / len(loss)))
    return Refit(
        values={"rmsd": rmsd},
        objective=rmsd,
        at_published=published,
        detail={"parameters": dict(refit.values)},
    )


def _note(kind: str, model: str) -> str:
    if kind == "rectified":
        return "The paper searches in two steps through a surrogate, which stops a little above the optimum."
    if model == "facebook/bart-large-cnn":
        return "Here alone the paper's ten random starts found the branch where both exponents are negative."
    return (
        "The better optimum has both exponents negative, where the power law bends as the rectified law does."
    )


ENTRIES = tuple(
    Entry(
        name=f"fine-tuning/{kind}/{model.split('/')[-1]}",
        paper="Lin et al. 2024, arXiv 2402.02314, results of the repository",
        claim=f"Root mean square deviation of log loss of {model} on FLAN at 14 amounts of data.",
        data=("fine-tuning-flan",),
        law=law,
        objective=words,
        published={"rmsd": rmsd},
        run=partial(_run, model, law, rmsd),
        within=0.002,
        note=_note(kind, model),
    )
    for kind, law, words in _LAWS
    for model, rmsd in ((row["model"], row[kind]) for row in RMSD)
)

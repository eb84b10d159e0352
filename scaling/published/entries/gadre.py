"""Refit the laws of over-training and downstream error to small runs, and predict the two large runs."""

from __future__ import annotations

from functools import cache, partial

import pandas as pd

from scaling.fitting import laws
from scaling.published.outcome import Entry, Refit
from scaling.published.refit import fit, frame, problem

_PAPER = "Gadre et al. 2024, arXiv 2403.08540"
_SMALL = ("d=96_l=8_h=4", "d=512_l=8_h=4", "d=576_l=24_h=8", "d=1024_l=24_h=8")
LOSS = {"E": 1.8366, "a": 212.24, "b": 366.69, "eta": 0.1364}
ERROR = {"epsilon": 0.857, "k": 2.2065, "gamma": 0.7146}
# The default of table 2: the tasks on which the smallest run scores ten points above chance or more.
TASKS = (
    "bigbench_operators",
    "pubmed_qa_labeled",
    "hellaswag_zeroshot",
    "boolq",
    "arc_easy",
    "coqa",
    "bigbench_dyck_languages",
    "lambada_openai",
    "bigbench_novel_concepts",
    "winograd",
    "bigbench_cs_algorithms",
    "commonsense_qa",
    "bigbench_qa_wikidata",
    "hellaswag",
    "copa",
    "squad",
    "piqa",
)


@cache
def runs() -> pd.DataFrame:
    """Return all RedPajama runs with their tokens, D = 20 cc_mult N, and their error averaged over the tasks.

    The columns `five` and `six` mark the runs to which the loss and the error are fitted.
    """
    table = frame("gadre-redpajama").copy()
    table["tokens"] = 20 * table["cc_mult"] * table["N"]
    table["error"] = 1 - table[[f"acc_{task}" for task in TASKS]].mean(axis=1)
    chinchilla = table["model"].isin(_SMALL) & (table["cc_mult"] == 1)
    table["five"] = chinchilla | ((table["model"] == _SMALL[0]) & (table["cc_mult"] == 16))
    table["six"] = table["five"] | (table["name"] == "rpj-open_lm_1b-1.0")
    return table


@cache
def _loss() -> Refit:
    five = runs()[runs()["five"]]
    x = {"N": five["N"], "D": five["tokens"]}
    return fit(problem("over-training", x, five["loss_c4_val"], objective="squares", scale="raw"), LOSS)


@cache
def _error() -> Refit:
    six = runs()[runs()["six"]]
    return fit(
        problem("error", {"L": six["loss_c4_val"]}, six["error"], objective="squares", scale="raw"), ERROR
    )


def _held_out(name: str, of: str) -> Refit:
    run = runs()[runs()["name"] == name]
    parameters = {key: _loss().values[key] for key in LOSS}
    loss = laws.get("over-training").predict(parameters, {"N": run["N"], "D": run["tokens"]})
    if of == "loss":
        predicted, seen = float(loss[0]), float(run["loss_c4_val"].iloc[0])
    else:
        parameters = {key: _error().values[key] for key in ERROR}
        predicted, seen = (
            float(laws.get("error").predict(parameters, {"L": loss})[0]),
            float(run["error"].iloc[0]),
        )
    return Refit(
        values={"percent": 100 * abs(predicted - seen) / seen}, detail={"predicted": predicted, "seen": seen}
    )


_LARGE = (
    ("1b-m640", "rpj-open_lm_1b-32.0", "loss", 0.7103),
    ("7b-m20", "rpj-open_lm_7b-1.0", "loss", 0.7320),
    ("1b-m640", "rpj-open_lm_1b-32.0", "error", 3.6365),
    ("7b-m20", "rpj-open_lm_7b-1.0", "error", 0.0464),
)

ENTRIES = (
    Entry(
        name="gadre/loss",
        paper=_PAPER + ", table 2",
        claim=(
            "Over-training law of C4 loss on five RedPajama runs: four sizes at M = 20, the smallest also "
            "at M = 320."
        ),
        data=("gadre-redpajama",),
        law="over-training",
        objective="least squares of loss",
        published=LOSS,
        run=_loss,
        within={"E": 1e-4, "a": 0.01, "b": 0.01, "eta": 1e-4},
    ),
    Entry(
        name="gadre/error",
        paper=_PAPER + ", table 2",
        claim="Average error on 17 tasks against C4 loss, on the same five runs and the 1.4B run at M = 20.",
        data=("gadre-redpajama",),
        law="error",
        objective="least squares of error",
        published=ERROR,
        run=_error,
        within={"epsilon": 1e-3, "k": 1e-3, "gamma": 1e-3},
    ),
    *(
        Entry(
            name=f"gadre/held-out-{of}-{label}",
            paper=_PAPER + ", the repository's notebook",
            claim=f"Error in percent of the predicted {of} of the run {name}, which no fit has seen.",
            data=("gadre-redpajama",),
            law="over-training" if of == "loss" else "over-training, then error",
            objective="as in gadre/loss" + ("" if of == "loss" else " and gadre/error"),
            published={"percent": percent},
            run=partial(_held_out, name, of),
            within={"percent": 1e-3},
        )
        for label, name, of, percent in _LARGE
    ),
)

"""What a trained network is worth: tokens from scratch that reach the same loss, and accuracy over labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from claim import bare, digits, window
from schema import Number

EXAMPLES = 1000
"""Held-out reviews that `sentiment` is evaluated on."""


def frontier(runs: pd.DataFrame) -> pd.DataFrame:
    """Loss against distinct tokens at the best number of epochs."""
    return runs.loc[runs.groupby("tokens_unique")["loss"].idxmin()].sort_values("tokens_unique")


def worth(scratch: pd.DataFrame, loss: float) -> float:
    """Distinct tokens that reach a loss from scratch, between the measured ones evenly in logs; infinite
    beyond them."""
    if loss < scratch["loss"].min():
        return float("inf")
    order = scratch.sort_values("loss")
    return float(np.exp(np.interp(loss, order["loss"], np.log(order["tokens_unique"]))))


def transferred(study_name: str, runs: pd.DataFrame) -> tuple[list[Number], str]:
    """D_T = D(loss) − D_F for every D_F (arXiv:2102.01293, section 2.1)."""
    scratch, tuned = frontier(runs[runs["parent"].isna()]), frontier(runs[runs["parent"].notna()])
    numbers, said = [], []
    most = scratch["tokens_unique"].max()
    for row in tuned.itertuples():
        equal = worth(scratch, row.loss)
        bound = np.isinf(equal)
        method = (
            f"more: the loss lies below that of {most:,} tokens"
            if bound
            else "between measured runs; one seed"
        )
        name = f"tokens transferred, D_F {row.tokens_unique:,}, {study_name}"
        numbers.append(
            bare(name, (most if bound else equal) - row.tokens_unique, method, len(scratch) + 1, window(runs))
        )
        factor = (most if bound else equal) / row.tokens_unique
        said.append(
            f"{'more than ' if bound else ''}{digits(factor, 2)} times its {row.tokens_unique:,} tokens"
        )
    return numbers, f"pre-training makes fine-tuning worth {', '.join(said)}"


def labels(study_name: str, runs: pd.DataFrame) -> tuple[list[Number], str]:
    """Accuracy and F1 over labels, mean of the seeds, at the best number of epochs for each."""
    runs = runs.assign(begun=np.where(runs["parent"].isna(), "from scratch", "pre-trained"))
    runs["labels"] = runs["tokens_unique"] // runs["context"]
    means = runs.groupby(["begun", "labels", "epochs"])[["loss", "accuracy", "f1"]].mean().reset_index()
    best = means.loc[means.groupby(["begun", "labels"])["loss"].idxmin()]
    numbers = [
        bare(
            f"{what}, {r.labels:,} labels, {r.begun}, {study_name}",
            getattr(r, what),
            "mean of 2 seeds",
            2,
            window(runs),
        )
        for r in best.itertuples()
        for what in ("accuracy", "f1")
    ]
    table = best.pivot_table(index="labels", columns="begun", values="accuracy")
    few, many = table.index.min(), table.index.max()
    spread = " and ".join(
        f"{table.loc[at, 'pre-trained']:.1%} against {table.loc[at, 'from scratch']:.1%} with {at:,} labels"
        for at in (few, many)
    )
    # binomial, over the same held-out examples for every run
    error = float(np.sqrt(0.25 / EXAMPLES))
    return numbers, (
        f"for the sentiment of reviews accuracy after pre-training is {spread} from scratch, at a standard "
        f"error of about {error:.1%} each, so no saving of labels is told from chance"
    )

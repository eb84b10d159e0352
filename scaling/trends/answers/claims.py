"""List the claims of the founding essays, and answer the claim about parameters (Q3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from scaling.trends import facts
from scaling.trends.ahead.loss_law import published
from scaling.trends.growth.rate import check_level
from scaling.trends.verify import mirror

PUBLISHED = (("Kaplan 2020", 0.076, "arXiv:2001.08361"), ("Hoffmann 2022", 0.34, "arXiv:2203.15556"))


def claims(level: float = 0.9) -> dict[str, Any]:
    """Return every claim with the number that answers it and the command that prints it."""
    check_level(level)
    t = facts.load("claims")
    rows = t[["id", "claim", "answer", "command"]].values.tolist()
    return {
        "question": "claims",
        "answer": f"{len(t)} claims; for {sum(bool(c) for c in t['command'])} of them a command prints the "
        "number.",
        "claims": t[["id", "claim", "essay", "answer", "command", "room", "source"]].to_dict("records"),
        "tables": [
            {
                "title": "Claims of the essays",
                "columns": ["", "claim", "answer", "command"],
                "rows": rows,
            }
        ],
    }


def aicc_gap(n: np.ndarray, d: np.ndarray, loss: np.ndarray) -> dict[str, float]:
    """Return the AICc of L = E + B D^-beta + N-term, with a power-law and an exponential N-term, and the gap.

    n, d, loss: parameters, tokens and loss, [m]. Both models have five parameters and are fitted by least
    squares of log loss from several starts. The gap is the exponential's AICc minus the power law's.
    """
    x, z, y = np.log(n) - np.log(n).mean(), np.log(d) - np.log(d).mean(), np.log(loss)
    size = n / np.exp(np.log(n).mean())

    def residual(p: np.ndarray, power: bool) -> np.ndarray:
        with np.errstate(over="ignore"):
            term = -np.exp(p[2]) * x if power else -np.exp(p[2]) * size
        parts = np.stack([np.broadcast_to(p[0], x.shape), p[1] + term, p[3] - np.exp(p[4]) * z])
        return np.asarray(np.logaddexp.reduce(parts, axis=0) - y)

    scores = {}
    for name, power in (("power law", True), ("exponential", False)):
        runs = [
            least_squares(residual, [y.min() - 0.2, a, r, -1.0, np.log(0.3)], args=(power,), max_nfev=400)
            for a in (-2.0, 0.0)
            for r in (np.log(0.1), np.log(0.4), np.log(2.0))
        ]
        rss = min(2 * r.cost for r in runs)
        k, m = 6, len(y)
        scores[name] = float(m * np.log(rss / m) + 2 * k + 2 * k * (k + 1) / (m - k - 1))
    return {**scores, "gap": scores["exponential"] - scores["power law"]}


def q3(level: float = 0.9) -> dict[str, Any]:
    """Answer Q3, whether performance grows exponentially with parameters."""
    check_level(level)
    law = published()
    draws = 2 ** -law.draws[:, 3] - 1
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    rows = [[who, f"{alpha:g}", f"{2**-alpha - 1:.1%}", "–", source] for who, alpha, source in PUBLISHED]
    alpha = law.values["alpha"]
    interval = f"{low:.1%} – {high:.1%} ({level:.0%})"
    rows.append(["Besiroglu 2024", f"{alpha:.3g}", f"{2**-alpha - 1:.1%}", interval, "arXiv:2404.10102"])
    gap = None
    folder = mirror.folder()
    table = None if folder is None else folder / "runs" / "epoch_chinchilla_240.csv"
    if table is not None and table.is_file():
        runs = pd.read_csv(table)
        n = runs["Model Size"].to_numpy(float)
        gap = aicc_gap(n, runs["Training FLOP"].to_numpy(float) / (6 * n), runs["loss"].to_numpy(float))
    comparison = (
        f" On the 240 Chinchilla runs an exponential in N has an AICc (criterion of fit, lower is better) "
        f"{gap['gap']:.0f} higher."
        if gap
        else " The comparison of AICc needs the 240 Chinchilla runs; set SCALING_MIRROR to a folder that "
        "has them."
    )
    return {
        "question": "Q3",
        "claim": facts.claim("Q3"),
        "answer": "No: published laws are power laws with a floor. Each doubling of N takes 5 % (α = "
        f"0.076) to 21 % (α = 0.35) off the N-term A/N^α of the loss.{comparison}",
        "per_doubling": {r[0]: r[2] for r in rows},
        "aicc": gap,
        "tables": [
            {
                "title": "Effect of one doubling of N on the N-term of the loss",
                "columns": ["law", "α", "N-term", "interval", "source"],
                "rows": rows,
            }
        ],
    }

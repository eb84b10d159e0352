"""Answer questions about algorithms, exchange rates, task horizons and projections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scaling.trends import facts, shipped
from scaling.trends.ahead.hindcast import hindcast as small_first
from scaling.trends.ahead.loss_law import from_fit, published
from scaling.trends.ahead.project import project
from scaling.trends.answers.rows import RATE_COLUMNS, rate_row
from scaling.trends.dates import calendar_month
from scaling.trends.growth.choose import choose
from scaling.trends.growth.frontier import record, top
from scaling.trends.growth.rate import rate, span_short, span_words
from scaling.trends.progress.shapley import shapley
from scaling.trends.worth.exchange import exchange
from scaling.trends.worth.target import target

LSTM_2014 = (2.0e7, 9.3e5, 2014.7)
"""N, distinct tokens and date of the medium LSTM on Penn Treebank, arXiv:1409.2329."""
TRANSFORMER_2019 = (2.57e8, 1.03e8, 2019.0)
"""N, distinct tokens and date of Transformer-XL large on WikiText-103, arXiv:1901.02860."""


def fixed_targets() -> list[dict[str, Any]]:
    """Return every fixed target with two or more records: first and cheapest, their factor, halving time."""
    made = [
        (str(t), shipped.efficiency(str(t)), "FLOP")
        for t in dict.fromkeys(facts.load("efficiency")["target"])
    ]
    tokens = facts.load("prices")
    levels = dict.fromkeys(tokens["quality"][(tokens["kind"] == "tokens") & (tokens["quality"] != "")])
    made += [(f"a token at {q}", shipped.token_price(str(q)), "USD") for q in levels]
    rows = []
    for name, s, unit in made:
        best = record(s, falling=True)
        if len(best) < 2:
            continue
        factor, years = float(best.value[0] / best.value[-1]), float(best.year[-1] - best.year[0])
        rows.append(
            {
                "target": name,
                "unit": unit,
                "from": str(best.names[0]),
                "to": str(best.names[-1]),
                "records": len(best),
                "factor": factor,
                "years": years,
                "halving_months_end_to_end": 12 * years * float(np.log10(2) / np.log10(factor)),
            }
        )
    return rows


def algorithms(level: float = 0.95) -> dict[str, Any]:
    """Answer how fast algorithms progress: effective compute, shares by cause, and fixed targets."""
    p = shipped.language_progress(level=level)
    mixed = shipped.language_progress(level=level, elsewhere=True).as_dict()
    split = shapley(p, LSTM_2014, TRANSFORMER_2019)
    alex = target(shipped.efficiency("AlexNet"), "AlexNet level")
    summary = p.as_dict()
    doubling = "no trend"
    if summary["doubling_months"]:
        low, high = summary["doubling_months_interval"]
        doubling = (
            f"effective compute doubles in {summary['doubling_months']:.1f} months [{low:.1f}, {high:.1f}]"
        )
    apart = "models trained on other text are left out"
    if mixed["doubling_months"]:
        apart += f" (with them: {mixed['doubling_months']:.1f} months, n {mixed['n']})"
    share = ", ".join(f"{k} {v[0]:.0%} [{v[1]:.0%}, {v[2]:.0%}]" for k, v in split.items())
    gains = facts.load("innovations").dropna(subset=["gain"]).sort_values("date_year")
    rows = [
        [r["date"], r["switch"], r["name"], f"×{r['gain']:.3g}", r["gain_kind"], r["source"].split(" ; ")[0]]
        for _, r in gains.iterrows()
    ]
    reached = fixed_targets()
    return {
        "question": "algorithms",
        "answer": f"{doubling} ({level:.0%}, cluster bootstrap by paper, n {p.n} models of {p.groups} "
        "papers; published 8 [5, 14]); "
        f"{apart}; from an LSTM of 2014 to a Transformer-XL of 2019 the fall in loss splits into {share}. "
        f"AlexNet level: {alex.factor:.0f}× less compute "
        f"in {alex.years:.1f} years, halving in {12 * alex.halving_years_end_to_end:.1f} months.",
        "progress": summary,
        "with_models_trained_on_other_text": mixed,
        "shapley": {k: list(v) for k, v in split.items()},
        "alexnet": alex.as_dict(),
        "fixed_targets": reached,
        "tables": [
            {
                "title": "Fixed targets: lowest compute or price so far, first against last record (no "
                "interval: few records)",
                "columns": ["target", "from", "to", "records", "factor", "years", "halves in"],
                "rows": [
                    [
                        t["target"],
                        t["from"],
                        t["to"],
                        t["records"],
                        f"÷{t['factor']:.3g} {t['unit']}",
                        f"{t['years']:.1f}",
                        span_short(t["halving_months_end_to_end"] / 12),
                    ]
                    for t in reached
                ],
            },
            {
                "title": "Published gains of single innovations",
                "columns": ["date", "switch", "change", "gain", "of", "source"],
                "rows": rows,
            },
        ],
    }


def exchange_rates(gains: tuple[float, ...] = (1.25, 1.5, 2, 3, 5, 10), level: float = 0.9) -> dict[str, Any]:
    """Answer what gains are worth in months of each trend."""
    exchanges = [exchange(g, level=level) for g in gains]
    names = [w.currency.name for w in exchanges[0].worths]
    rows = [
        [f"×{e.gain:g}", *(f"{w.months:.1f} [{w.low:.1f}, {w.high:.1f}]" for w in e.worths)]
        for e in exchanges
    ]
    two = exchange(2, level=level)
    return {
        "question": "exchange",
        "answer": two.words() + ".",
        "exchange": [e.as_dict() for e in exchanges],
        "tables": [
            {
                "title": f"Months of each trend ({level:.0%} intervals of the trend; `scaling compare` "
                "adds the interval of the gain)",
                "columns": ["gain", *names],
                "rows": rows,
            }
        ],
    }


def horizons(level: float = 0.9) -> dict[str, Any]:
    """Answer how fast the task horizon doubles, and with which shape."""
    s = record(shipped.horizons())
    r = rate(s, level=level)
    recent = s.between(2024)
    rows = [rate_row(r)]
    if len(recent) >= 3:
        rows.append(["task horizon since 2024", *rate_row(rate(recent, level=level))[1:]])
    choice = choose(s, names=("exponential", "1 kink", "quadratic", "hyperbolic"), horizon=1.0, level=level)
    month = r.height + np.log10(1 / (167 * 60))  # 167 working hours a month
    when = r.at - month / r.slope if r.trending else None
    return {
        "question": "horizons",
        "answer": "The task horizon (length of a task that a system completes in half of the attempts) "
        f"grows {r.words()}. Extrapolated, it reaches a working month (167 hours) in "
        f"{calendar_month(when) if when else 'no year'}. {choice.verdict()}",
        "rate": r.as_dict(),
        "shapes": choice.as_dict(),
        "tables": [
            {"title": "Task horizon at release", "columns": RATE_COLUMNS, "rows": rows},
            {
                "title": "Records",
                "columns": ["system", "date", "minutes"],
                "rows": [[s.names[i], calendar_month(s.year[i]), f"{s.value[i]:.3g}"] for i in range(len(s))],
            },
        ],
    }


def projection(
    level: float = 0.9,
    *,
    fit: Path | None = None,
    until: float = 2035.0,
    thresholds: tuple[float, ...] = (2.0, 1.95, 1.9, 1.85),
    frontier: int = 5,
    hindcast: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Answer how the loss falls along the trend of frontier compute.

    fit: a `fit.json` of your own; by default a published law. hindcast: arguments of `ahead.hindcast`.
    """
    law = published() if fit is None else from_fit(fit)
    trend = rate(top(shipped.training_compute("language"), frontier).between(2017), method="ols", level=level)
    p = project(law, trend, until=until, thresholds=thresholds, level=level)
    rows = []
    for c in p.crossings:
        date = "never" if c.middle is None else calendar_month(c.middle)
        ends = (
            f"{'–' if c.low is None else calendar_month(c.low)} – "
            f"{'never' if c.high is None else calendar_month(c.high)}"
        )
        rows.append([f"{c.loss:g}", date, ends, f"{c.share:.0%}"])
    wall = "beyond the horizon" if p.wall_year[0] is None else calendar_month(p.wall_year[0])
    known = {} if hindcast is None else {"hindcast": small_first(**hindcast, level=level)}
    tested = ""
    if known:
        h = known["hindcast"]
        tested = (
            f" Hindcast: fitted to the {h['fitted']} smallest runs, the law predicts the {h['predicted']} "
            "others with an error of "
            f"{h['rmse_percent']:.2g} % (bias {h['bias_percent']:+.2g} %, coverage {h['coverage']:.0%} of "
            f"{level:.0%})."
        )
    own = "" if len(law.draws) else " The fit has no bootstrap draws, so the law has no band."
    return {
        "question": "project",
        "answer": f"Along {trend.quantity} of the top {frontier} (doubling in "
        f"{span_words(trend.doubling_years)}) the loss of {law.name} falls from "
        f"{p.loss[0]:.2f} to {p.loss[-1]:.2f} by {until:.0f}, towards a floor E = {p.floor:.2f}; one pass "
        "over the public text "
        f"(300 T tokens) ends in {wall}.{own} Values after {calendar_month(p.data_until)} are "
        "extrapolated."
        f"{tested}",
        **p.as_dict(),
        **known,
        "tables": [
            {
                "title": f"Date at which a loss is reached ({level:.0%} intervals from law, trend and "
                "stock of text)",
                "columns": ["loss", "median date", "interval", "share of draws"],
                "rows": rows,
            }
        ],
    }

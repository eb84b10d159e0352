"""Answer questions about models: Moore's law, the shape of compute growth, eras, the multiverse analysis."""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.trends import facts, shipped
from scaling.trends.answers.accounts import account_table, chips_account
from scaling.trends.answers.hero import algorithms_rate
from scaling.trends.answers.rows import RATE_COLUMNS, rate_row
from scaling.trends.dates import calendar_month
from scaling.trends.growth import kinks
from scaling.trends.growth.choose import choose
from scaling.trends.growth.multiverse import multiverse
from scaling.trends.growth.rate import Rate, rate, rates, span_words


def drivers(level: float = 0.9) -> list[Rate]:
    """Return the growth rates of compute, data and algorithms, each from its own rows."""
    return [
        rate(shipped.training_compute("language").between(2012), method="cluster", level=level),
        rate(shipped.training_tokens().between(2012), method="cluster", level=level),
        algorithms_rate(shipped.language_progress(level=level)),
    ]


def q1(level: float = 0.9) -> dict[str, Any]:
    """Answer Q1, whether Moore's law holds for language models through compute, data and algorithms."""
    three = drivers(level)
    names = ["compute of language models", "training tokens", "algorithms (effective compute)"]
    parts = [
        f"{n} ×{r.times_per_year:.2g} a year" if r.trending else f"{n}: no trend"
        for n, r in zip(names, three, strict=True)
    ]
    moore = rate(shipped.transistors("cpu"), level=level)
    split = chips_account(level)
    biggest = max(split.parts, key=lambda p: p.share)
    return {
        "question": "Q1",
        "claim": facts.claim("Q1"),
        "answer": f"They grow exponentially, each at its own rate: {'; '.join(parts)}; transistors "
        f"×{moore.times_per_year:.2g}. "
        f"The largest estimated share of the growth of compute is {biggest.name} ({biggest.share:.0%}).",
        "rates": [r.as_dict() for r in (*three, moore)],
        "accounting": split.as_dict(),
        "tables": [
            {
                "title": "Growth rates",
                "columns": RATE_COLUMNS,
                "rows": [rate_row(r) for r in (*three, moore)],
            },
            account_table(split),
        ],
    }


def q2(level: float = 0.9) -> dict[str, Any]:
    """Answer Q2, whether computing power for models rises exponentially."""
    everything = shipped.training_compute()
    choices = {
        "1950-": choose(everything, level=level),
        "2010-": choose(everything.between(2010), level=level),
    }
    tables = []
    for name, c in choices.items():
        rows = []
        for x in c.candidates:
            h = x.hindcast
            rmse = "–" if h is None else ("∞" if not np.isfinite(h.rmse) else f"{h.rmse:.2f}")
            rows.append(
                [
                    x.curve.shape,
                    f"{x.curve.bic:.0f}",
                    f"{x.curve.aicc:.0f}",
                    rmse,
                    "–" if h is None else f"{h.bias:+.2f}",
                    "–" if h is None else f"{h.coverage:.0%}",
                ]
            )
        title = (
            f"Training compute {name} (n {c.n}); lower is better; errors of hindcasts 3 years ahead in "
            "orders of magnitude"
        )
        columns = ["shape", "BIC", "AICc", "hindcast RMSE", "bias", f"coverage of {level:.0%}"]
        tables.append({"title": title, "columns": columns, "rows": rows})
    return {
        "question": "Q2",
        "claim": facts.claim("Q2"),
        "answer": f"Since 1950: {choices['1950-'].verdict()} Since 2010: {choices['2010-'].verdict()}",
        "choices": {k: c.as_dict() for k, c in choices.items()},
        "tables": tables,
    }


def eras(level: float = 0.9) -> dict[str, Any]:
    """Answer when the growth of training compute changed, with intervals and a test of each break."""
    s = shipped.training_compute()
    tests = []
    k = 0
    for k in range(3):
        test = kinks.break_test(s.year, s.log, k)
        tests.append(test)
        if test.p > 1 - level:
            break
    else:
        k = 3
    fitted = kinks.fit(s.year, s.log, k)
    intervals = [kinks.profile_interval(s.year, s.log, fitted, i, level) for i in range(k)]
    edges = [s.window[0], *fitted.breaks, s.window[1]]
    rows = []
    for i, slope in enumerate(fitted.slopes):
        inside = int(np.sum((s.year >= edges[i]) & (s.year <= edges[i + 1])))
        begins = (
            f"{calendar_month(fitted.breaks[i - 1])} [{int(intervals[i - 1][0])}, {int(intervals[i - 1][1])}]"
            if i
            else "–"
        )
        own = rate(s.between(edges[i], edges[i + 1]), method="cluster", level=level)
        doubling = span_words(np.log10(2) / slope) if slope > 0 else "–"
        rows.append(
            [
                f"era {i + 1}",
                begins,
                inside,
                f"×{10**slope:.3g}",
                doubling,
                own.words() if own.trending else "no trend",
            ]
        )
    words = ", ".join(
        f"{calendar_month(b)} [{int(a)}, {int(c)}]"
        for b, (a, c) in zip(fitted.breaks, intervals, strict=True)
    )
    return {
        "question": "eras",
        "answer": f"{k} break{'s' * (k != 1)}{': ' + words if k else ''} ({level:.0%} profile intervals, n "
        f"{len(s)}); "
        + "; ".join(f"{t.k} against {t.k + 1}: p {t.p:.3f}" for t in tests)
        + f" (bootstrap, {tests[0].draws} draws).",
        "breaks": [
            {"year": b, "interval": list(i), "level": level}
            for b, i in zip(fitted.breaks, intervals, strict=True)
        ],
        "tests": [
            {"k": t.k, "statistic": t.statistic, "p": t.p, "draws": t.draws, "davies_p": t.davies_p}
            for t in tests
        ],
        "slopes_orders_per_year": fitted.slopes.tolist(),
        "tables": [
            {
                "title": "Eras of training compute",
                "columns": [
                    "era",
                    "begins",
                    "n",
                    "growth a year (continuous fit)",
                    "doubling",
                    "fit to this era alone",
                ],
                "rows": rows,
            }
        ],
    }


def many_worlds(level: float = 0.9) -> dict[str, Any]:
    """Answer how the growth rate depends on filter, window and estimator."""
    m = multiverse(shipped.training_compute(), level=level)
    low, high = m.span()
    rows = []
    for f in m.filters():
        mine = [w for w in m.worlds if w.filter == f]
        a, b = m.span(f)
        middle = float(np.median([w.rate.times_per_year for w in mine]))
        rows.append([f, len(mine), f"×{a:.2f}", f"×{middle:.2f}", f"×{b:.2f}"])
    steady = m.filters()[0]
    return {
        "question": "multiverse",
        "answer": f"{len(m.worlds)} combinations of filter, window and estimator give ×{low:.1f} to "
        f"×{high:.1f} a year (median ×{m.median():.1f}); "
        f"the filter that varies least is {steady}: ×{m.span(steady)[0]:.1f} to ×{m.span(steady)[1]:.1f}.",
        **{k: v for k, v in m.as_dict().items() if k != "quantity"},
        "tables": [
            {
                "title": "Growth of training compute by filter",
                "columns": ["filter", "choices", "lowest", "median", "highest"],
                "rows": rows,
            }
        ],
    }


def methods(level: float = 0.9) -> dict[str, Any]:
    """Answer how the interval of one slope depends on the method."""
    fitted = rates(shipped.training_compute().between(2010), level=level)
    return {
        "question": "methods",
        "answer": "Rows of one organisation are correlated, so the cluster intervals are the reliable ones "
        "among these eight.",
        "rates": [r.as_dict() for r in fitted],
        "tables": [
            {
                "title": "Training compute since 2010",
                "columns": RATE_COLUMNS,
                "rows": [rate_row(r) for r in fitted],
            }
        ],
    }

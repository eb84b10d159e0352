"""Answer questions about hardware, prices, and the cost and energy of a fixed loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.errors import ScalingError
from scaling.trends import facts, shipped
from scaling.trends.ahead.loss_law import LossLaw, published
from scaling.trends.ahead.project import trend_draws
from scaling.trends.answers.hero import algorithms_rate
from scaling.trends.answers.rows import RATE_COLUMNS, rate_row
from scaling.trends.growth.rate import Rate, rate, span_within, span_words
from scaling.trends.series import Quantity, series
from scaling.trends.tables import FORMATS
from scaling.trends.worth.exchange import CURRENCIES
from scaling.trends.worth.price import MFU, bill, chip, cost_of_loss

ALGORITHMS = next((c.doubling_years, c.low, c.high) for c in CURRENCIES if c.name == "algorithms")
LAW_YEAR = 2022.0
"""Year of the methods behind the published law; with earlier methods the same loss takes more compute."""
LEAST_ROWS = 6


def _try(make: Any) -> Rate | None:
    try:
        fitted = make()
    except ScalingError:
        return None
    return fitted if fitted.n >= LEAST_ROWS else None


def by_format(segment: str | None = None, level: float = 0.9) -> list[Rate]:
    """Return the growth rate of FLOP/s per chip for each number format."""
    fitted = [_try(lambda f=f: rate(shipped.chip_peak(f, segment), level=level)) for f in FORMATS]
    return [r for r in fitted if r is not None]


def chip_columns(level: float = 0.9) -> list[Rate]:
    """Return the growth rates of memory, bandwidth, power, transistors, price and efficiency of chips."""
    makers = [
        lambda: rate(shipped.chip_column("memory_bytes", "memory per chip", "bytes"), level=level),
        lambda: rate(shipped.chip_column("bandwidth_bytes", "memory bandwidth", "bytes/s"), level=level),
        lambda: rate(shipped.chip_column("transistors", "transistors per accelerator", "1"), level=level),
        lambda: rate(shipped.chip_column("watts", "power per chip", "W"), level=level),
        lambda: rate(shipped.chip_column("price", "release price", "USD"), level=level),
        lambda: rate(shipped.per_watt("fp32"), level=level),
        lambda: rate(shipped.peak_per_dollar("fp32"), level=level),
        lambda: rate(shipped.lifetime_flops_per_dollar("fp32"), level=level),
    ]
    return [r for r in map(_try, makers) if r is not None]


def pooled(level: float = 0.9) -> Rate:
    """Return the spurious rate of each chip's largest peak over all number formats, to show the artefact."""
    t = facts.load("accelerators")
    t["mixed"] = t[[f"flops_{f}" for f in FORMATS]].max(axis=1)
    t = t[t["mixed"].notna()]
    s = series(
        Quantity(name="ARTEFACT: largest peak, formats mixed", format="mixed"),
        list(t["date"]),
        list(t["mixed"]),
        label=t["name"],
    )
    return rate(s, level=level)


def hardware(level: float = 0.9) -> dict[str, Any]:
    """Answer how fast hardware grows, by number format and by column, and show the artefact of mixing."""
    formats, columns, wrong = by_format(None, level), chip_columns(level), pooled(level)
    spans = [r.doubling_years for r in formats if r.trending and r.n >= 20]
    return {
        "question": "hardware",
        "answer": f"Within one number format the FLOP/s of a chip double in {span_words(min(spans))} to "
        f"{span_words(max(spans))}; with mixed formats they appear to "
        f"double in {span_words(wrong.doubling_years)}.",
        "formats": [r.as_dict() for r in formats],
        "columns": [r.as_dict() for r in columns],
        "mixed_formats": wrong.as_dict(),
        "tables": [
            {
                "title": "Peak per chip, by number format",
                "columns": RATE_COLUMNS,
                "rows": [rate_row(r) for r in (*formats, wrong)],
            },
            {
                "title": "Other columns",
                "columns": RATE_COLUMNS,
                "rows": [rate_row(r) for r in columns],
            },
        ],
    }


def q7(level: float = 0.9) -> dict[str, Any]:
    """Answer Q7, whether Moore's law has ended, so that software must carry progress."""
    cpu = shipped.transistors("cpu")
    recent, before = rate(cpu.between(2005), level=level), rate(cpu.between(end=2005), level=level)
    segments = [
        r
        for segment in ("datacentre", "consumer")
        for r in by_format(segment, level)
        if r.quantity.endswith("fp32")
    ]
    named = []
    for segment, r in zip(("data centre", "consumer"), segments, strict=False):
        named.append([f"{r.quantity}, {segment}", *rate_row(r)[1:]])
    algorithms = algorithms_rate(shipped.language_progress(level=level))
    per_watt = rate(shipped.per_watt("fp32"), level=level)
    slower = recent.trending and recent.high < before.low
    state = "has slowed" if slower else "has not measurably slowed"
    transistors = f"transistors per CPU doubled in {span_words(before.doubling_years)} until 2005"
    transistors += (
        f" and in {span_words(recent.doubling_years)} since"
        if recent.trending
        else " and show no trend since"
    )
    software = (
        f"algorithms double effective compute in {span_words(algorithms.doubling_years)}"
        if algorithms.trending
        else "algorithms: no trend"
    )
    return {
        "question": "Q7",
        "claim": facts.claim("Q7"),
        "answer": f"Moore's law {state}: {transistors}; FLOP/s per watt doubles in "
        f"{span_words(per_watt.doubling_years)}; {software} "
        f"(published: 8 months [5, 14]).",
        "rates": [r.as_dict() for r in (before, recent, *segments, per_watt, algorithms)],
        "tables": [
            {
                "title": "Hardware against software",
                "columns": RATE_COLUMNS,
                "rows": [
                    ["transistors per CPU until 2005", *rate_row(before)[1:]],
                    ["transistors per CPU since 2005", *rate_row(recent)[1:]],
                    *named,
                    rate_row(per_watt),
                    rate_row(algorithms),
                ],
            }
        ],
    }


def price_rates(format: str = "fp32", level: float = 0.9) -> tuple[Rate, Rate]:
    """Return the rates of FLOP per dollar over a chip's lifetime and of FLOP per kWh, in one format."""
    from scaling.trends.worth.price import PUE, SERVER

    dollars = rate(shipped.lifetime_flops_per_dollar(format), level=level)
    watts = shipped.per_watt(format)
    per_kwh = series(
        Quantity(name=f"FLOP per kWh, {format}", unit="FLOP/kWh", format=format),
        list(watts.year),
        list(watts.value * MFU * 3.6e6 / (SERVER * PUE)),
        label=watts.names,
    )
    return dollars, rate(per_kwh, level=level)


def costs(
    level: float = 0.9,
    *,
    loss: float = 2.2,
    years: tuple[float, float] = (2012, 2030),
    law: LossLaw | None = None,
) -> dict[str, Any]:
    """Answer what one fixed loss costs in each year, by hardware alone and with algorithmic progress.

    loss: nats per token. years: first and last calendar year. law: by default `loss_law.published()`.
    """
    law = law or published()
    dollars, kwh = price_rates(level=level)
    at = np.arange(years[0], years[1] + 0.5)
    still = cost_of_loss(law, loss, at, dollars, per_kwh=kwh, level=level)
    moving = cost_of_loss(
        law, loss, at, dollars, per_kwh=kwh, algorithms=ALGORITHMS, algorithms_of=LAW_YEAR, level=level
    )
    rows = []
    for i in range(0, len(at), 2):
        a, b = still["dollars"], moving["dollars"]
        rows.append(
            [
                f"{at[i]:.0f}",
                f"${a['value'][i]:,.3g} [{a['low'][i]:,.3g}, {a['high'][i]:,.3g}]",
                f"{still['kwh']['value'][i]:,.3g}",
                f"${b['value'][i]:,.3g} [{b['low'][i]:,.3g}, {b['high'][i]:,.3g}]",
            ]
        )
    fall = dollars.doubling_years
    return {
        "question": "costs",
        "answer": f"A loss of {loss:g} nats per token takes {still['flops']:.2g} FLOP by the law "
        f"{law.name}; its price halves every "
        f"{span_words(fall)} by hardware alone, and every {span_words(1 / (1 / fall + 1 / ALGORITHMS[0]))} "
        "with algorithmic progress.",
        "law": f"{law.name} ({law.source})",
        "hardware_only": dict(still),
        "with_algorithms": dict(moving),
        "flop_per_dollar": dollars.as_dict(),
        "flop_per_kwh": kwh.as_dict(),
        "data_until": dollars.window[1],
        "tables": [
            {
                "title": f"Price of a loss of {loss:g}: FP32 hardware prices, MFU {MFU:.0%}, {level:.0%} "
                "intervals",
                "columns": [
                    "year",
                    "dollars, hardware alone",
                    "kWh, hardware alone",
                    "dollars, with algorithms",
                ],
                "rows": rows,
            }
        ],
    }


def over_years(
    flops: float, years: tuple[float, ...] = (2012, 2016, 2020, 2024, 2028), *, level: float = 0.9
) -> list[dict[str, float]]:
    """Return the price in dollars of `flops` in each year, by the price trend of FP32 hardware."""
    trend = price_rates(level=level)[0]
    slopes, heights = trend_draws(trend, 2000, np.random.default_rng(0))
    ends = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for year in years:
        low, high = flops / 10 ** np.quantile(heights + slopes * (year - trend.at), ends[::-1])
        middle = flops / 10 ** float(trend.predict(year))
        rows.append({"year": year, "dollars": middle, "low": float(low), "high": float(high)})
    return rows


def q8(level: float = 0.9) -> dict[str, Any]:
    """Answer Q8, whether compute keeps getting cheaper."""
    peak = rate(shipped.peak_per_dollar("fp32"), level=level)
    life = rate(shipped.lifetime_flops_per_dollar("fp32"), level=level)
    cost = costs(level)
    growth = (
        f"FLOP/s per dollar in FP32 doubles in {span_within(peak.doubling_years, *peak.doubling_interval)}"
        if peak.trending
        else "FLOP/s per dollar shows no trend"
    )
    return {
        "question": "Q8",
        "claim": facts.claim("Q8"),
        "answer": f"{'Yes' if peak.trending else 'Not shown'}: {growth} ({level:.0%}, n {peak.n}). "
        + cost["answer"],
        "rates": [peak.as_dict(), life.as_dict()],
        "cost": {k: v for k, v in cost.items() if k != "tables"},
        "tables": [
            {"title": "FLOP per dollar", "columns": RATE_COLUMNS, "rows": [rate_row(peak), rate_row(life)]},
            *cost["tables"],
        ],
    }


BILL_CHIPS = (
    ("V100 SXM2 32GB", "fp16_tensor"),
    ("A100 SXM4 80GB", "bf16_tensor"),
    ("H100 SXM", "bf16_tensor"),
    ("H100 SXM", "fp8_tensor"),
)
BILL_MODELS = ("GPT-3 175B", "Llama 3.1 405B", "DeepSeek-V3")


def q9(level: float = 0.9) -> dict[str, Any]:
    """Answer Q9, whether cost and energy are the barrier."""
    t = facts.load("models").set_index("name")
    rows, bills = [], []
    for model in BILL_MODELS:
        if model not in t.index:
            continue
        for name, format in BILL_CHIPS:
            try:
                b = bill(float(t["training_flops"][model]), chip(name, format=format))
            except ScalingError:
                continue
            bills.append({"model": model, "chip": name, "format": format} | b.as_dict())
            rows.append(
                [
                    model,
                    f"{name}, {format.replace('_', ' ')}",
                    f"{b.chip_hours:,.3g}",
                    f"${b.dollars:,.3g}",
                    f"{b.kwh / 1000:,.3g} MWh",
                ]
            )
    cost = rate(shipped.rebuilt_cost(), method="cluster", level=level)
    compute = rate(shipped.training_compute().between(2010), method="cluster", level=level)
    per_watt = rate(shipped.per_watt("fp32"), level=level)
    gap = compute.slope - per_watt.slope
    return {
        "question": "Q9",
        "claim": facts.claim("Q9"),
        "answer": f"Both grow: training compute ×{compute.times_per_year:.2g} a year against "
        f"×{per_watt.times_per_year:.2g} FLOP/s per watt, so the energy "
        f"of the largest runs grows about ×{10**gap:.2g} a year; cost estimated from chip-hours and prices: "
        f"{cost.words()}.",
        "bills": bills,
        "rates": [cost.as_dict(), compute.as_dict(), per_watt.as_dict()],
        "tables": [
            {
                "title": f"The same run on other chips (MFU {MFU:.0%})",
                "columns": ["model", "chip", "chip-hours", "price", "energy"],
                "rows": rows,
            },
            {
                "title": "Growth of cost, compute and efficiency",
                "columns": RATE_COLUMNS,
                "rows": [rate_row(r) for r in (cost, compute, per_watt)],
            },
        ],
    }

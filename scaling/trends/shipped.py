"""Return the shipped facts as series, one function per quantity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from scaling.errors import ConfigError, TableError, one_of
from scaling.trends import facts
from scaling.trends.progress.law import Progress, progress
from scaling.trends.series import Quantity, Series, series
from scaling.trends.tables import FORMATS, rows
from scaling.trends.worth.price import flops_per_dollar as per_dollar
from scaling.trends.worth.price import hourly

_FOLDER = Path(__file__).parent
ALIASES = {row["paper"]: row["accelerator"] for row in rows(_FOLDER / "chip_names.csv")}
"""Names of chips in papers → names in accelerators.csv."""
ML_SEGMENTS = ("datacentre", "accelerator", "tpu")
NATS_PER_BIT = float(np.log(2))


def _series(
    t: pd.DataFrame,
    quantity: Quantity,
    column: str,
    *,
    table: str,
    low: str = "",
    high: str = "",
    group: str = "organisation",
) -> Series:
    t = t[t[column].notna()]
    if t.empty:
        raise TableError(
            f"{table}.csv has no row with {column!r} for {quantity.name}; add facts with their sources"
        )
    return series(
        quantity,
        list(t["date"]),
        list(t[column]),
        low=list(t[low]) if low else None,
        high=list(t[high]) if high else None,
        group=[str(g).split(" ; ")[0] for g in t[group]] if group else None,
        label=list(t["name"]) if "name" in t else None,
        source=f"facts/{table}.csv",
    )


def training_compute(domain: str | None = None) -> Series:
    """Return the training FLOP of the final run of each model, optionally of one domain.

    Raises `ConfigError` for an unknown domain.
    """
    t = facts.load("models")
    if domain is not None:
        if domain not in set(t["domain"]):
            raise ConfigError(one_of("domain", domain, set(t["domain"])))
        t = t[t["domain"] == domain]
    name = "training compute" if domain is None else f"training compute, {domain}"
    ends = {"low": "training_flops_low", "high": "training_flops_high"}
    return _series(t, Quantity(name=name, unit="FLOP"), "training_flops", table="models", **ends)


def training_tokens() -> Series:
    """Return the training tokens of language models, epochs included."""
    t = facts.load("models")
    return _series(
        t[t["domain"] == "language"],
        Quantity(name="training data, language", unit="tokens"),
        "tokens",
        table="models",
    )


def parameters(counts: str) -> Series:
    """Return the parameters of language models.

    counts: `total` or `active`. Raises `ConfigError` for any other value.
    """
    if counts not in ("total", "active"):
        raise ConfigError(
            f"parameter counts must be 'total' or 'active'; not {counts!r}: mixtures of experts have both, "
            "and they grow differently"
        )
    t = facts.load("models")
    t = t[t["domain"] == "language"].copy()
    if counts == "active":
        t["params"] = t["params_active"].fillna(t["params"])
    return _series(t, Quantity(name=f"parameters ({counts})", counts=counts), "params", table="models")


def training_cost() -> Series:
    """Return the stated cost of the final run, in dollars of the day."""
    return _series(
        facts.load("models"), Quantity(name="stated training cost", unit="USD"), "dollars", table="models"
    )


def priced_models() -> pd.DataFrame:
    """Return the models with a known chip, number of chips, hours and price, with `rebuilt` in dollars.

    `rebuilt` is chip-hours × hourly price. The price is the rent dated nearest to the run, or for old boards
    the purchase price with its server over four years. It estimates a market price, not the price paid.
    """
    chips = facts.load("accelerators").set_index("name")
    t = facts.load("models")
    t["known"] = t["chip"].map(lambda c: ALIASES.get(c, c))
    t = t[
        t["known"].isin(chips.index) & t["chips"].notna() & t["hours"].notna() & t["training_flops"].notna()
    ].copy()
    rates = [hourly(c, chips.loc[c], y)[0] for c, y in zip(t["known"], t["date_year"], strict=True)]
    t["rebuilt"] = t["chips"] * t["hours"] * np.array(rates)
    return t[t["rebuilt"].notna()]


def rebuilt_cost() -> Series:
    """Return the cost of training runs estimated from chip-hours and prices, in dollars of the day."""
    return _series(
        priced_models(), Quantity(name="rebuilt training cost", unit="USD"), "rebuilt", table="models"
    )


def _accelerators(segment: str | None) -> pd.DataFrame:
    t = facts.load("accelerators")
    if segment is None:
        return t
    known = {*t["segment"], "ml"}
    if segment not in known:
        raise ConfigError(one_of("segment", segment, known))
    return t[t["segment"].isin(ML_SEGMENTS) if segment == "ml" else t["segment"] == segment]


def _format(format: str) -> str:
    if format not in FORMATS:
        raise ConfigError(
            f"{one_of('number format', format, FORMATS)}; formats are not pooled, because a mixed column "
            "fakes a doubling of 1.4-1.9 years"
        )
    return format


def chip_peak(format: str, segment: str | None = None) -> Series:
    """Return the dense peak FLOP/s of accelerators in one number format.

    segment: a market segment, or `ml` for data centre, accelerator and TPU. Raises `ConfigError` for an
    unknown format or segment.
    """
    t = _accelerators(segment)
    quantity = Quantity(
        name=f"FLOP/s per chip, {format.replace('_', ' ')}", unit="FLOP/s", format=_format(format)
    )
    return _series(t, quantity, f"flops_{format}", table="accelerators")


def chip_column(column: str, name: str, unit: str, segment: str | None = None) -> Series:
    """Return one column of accelerators: memory, bandwidth, power, transistors or price."""
    return _series(_accelerators(segment), Quantity(name=name, unit=unit), column, table="accelerators")


def per_watt(format: str, segment: str | None = None) -> Series:
    """Return FLOP/s per watt of TDP in one number format."""
    t = _accelerators(segment).copy()
    t["per_watt"] = t[f"flops_{_format(format)}"] / t["watts"]
    quantity = Quantity(name=f"FLOP/s per watt, {format.replace('_', ' ')}", unit="FLOP/s/W", format=format)
    return _series(t, quantity, "per_watt", table="accelerators")


def peak_per_dollar(format: str, segment: str | None = None) -> Series:
    """Return FLOP/s per dollar of release price in one number format."""
    t = _accelerators(segment).copy()
    t["per_dollar"] = t[f"flops_{_format(format)}"] / t["price"]
    quantity = Quantity(
        name=f"FLOP/s per dollar, {format.replace('_', ' ')}", unit="FLOP/s/USD", format=format
    )
    return _series(t, quantity, "per_dollar", table="accelerators")


def lifetime_flops_per_dollar(format: str, segment: str | None = None) -> Series:
    """Return FLOP per dollar of hardware, server and electricity over a chip's lifetime (`worth.price`)."""
    t = _accelerators(segment).copy()
    t["flop"] = per_dollar(t, _format(format))
    quantity = Quantity(name=f"FLOP per dollar, {format.replace('_', ' ')}", unit="FLOP/USD", format=format)
    return _series(t, quantity, "flop", table="accelerators")


def transistors(kind: str = "cpu") -> Series:
    """Return the transistor counts of one kind of chip, or of `all` kinds."""
    t = facts.load("moore")
    if kind not in {*t["kind"], "all"}:
        raise ConfigError(one_of("kind of chip", kind, {*t["kind"], "all"}))
    t = t if kind == "all" else t[t["kind"] == kind]
    return _series(t, Quantity(name=f"transistors per chip, {kind}"), "transistors", table="moore")


def efficiency(target: str) -> Series:
    """Return the compute that reached one target of efficiency.csv, named by its first words."""
    t = facts.load("efficiency")
    names = [name for name in dict.fromkeys(t["target"]) if str(name).lower().startswith(target.lower())]
    if len(names) != 1:
        raise ConfigError(one_of("efficiency target", target, set(t["target"])))
    t = t[t["target"] == names[0]]
    quantity = Quantity(name=f"compute to {names[0]}", unit="FLOP", benchmark=str(names[0]))
    return _series(
        t,
        quantity,
        "training_flops",
        table="efficiency",
        low="training_flops_low",
        high="training_flops_high",
        group="",
    )


def horizons(benchmark: str | None = None) -> Series:
    """Return the 50 % task horizons of one benchmark version, which must be named where there are several."""
    t = facts.load("horizons")
    known = sorted(set(t["benchmark"]))
    if benchmark is None and len(known) > 1:
        raise ConfigError(
            f"the horizons come from {len(known)} benchmark versions, which are not pooled; name one of "
            f"{', '.join(known)}"
        )
    benchmark = benchmark or known[0]
    if benchmark not in known:
        raise ConfigError(one_of("benchmark", benchmark, known))
    quantity = Quantity(name="task horizon", unit="minutes", benchmark=benchmark)
    return _series(
        t[t["benchmark"] == benchmark],
        quantity,
        "minutes",
        table="horizons",
        low="minutes_low",
        high="minutes_high",
    )


def token_price(quality: str) -> Series:
    """Return the price of a million output tokens at one fixed quality, in dollars."""
    t = facts.load("prices")
    t = t[(t["kind"] == "tokens") & (t["unit"] == "million_tokens_out")]
    names = [
        name for name in dict.fromkeys(t["quality"]) if name and name.lower().startswith(quality.lower())
    ]
    if len(names) != 1:
        raise ConfigError(one_of("quality", quality, {q for q in t["quality"] if q}))
    t = t[t["quality"] == names[0]].rename(columns={"item": "name"})
    quantity = Quantity(
        name=f"price of output tokens at {names[0]}", unit="USD per million tokens", benchmark=names[0]
    )
    return _series(t, quantity, "price", table="prices", group="provider")


BENCHMARK_TOKENS = {row["benchmark"]: float(row["tokens"]) for row in rows(_FOLDER / "benchmark_tokens.csv")}
"""Distinct tokens of a benchmark's training set, in its own units (words or bytes)."""
OTHER_TEXT = 1e11
"""Tokens above which a model was trained on other text than the benchmark's training set."""


def language_progress(*, level: float = 0.95, draws: int = 200, elsewhere: bool = False) -> Progress:
    """Fit algorithmic progress to the shipped language models, with D as distinct tokens (arXiv:2403.05812).

    It uses rows with a certain result and with N, trained on the training set of the benchmark. A law over N
    and D does not hold for models trained on other text; `elsewhere` includes them, to show their effect.
    """
    t = facts.load("language_models")
    other = (
        t["name"].str.contains("zero-shot")
        | t["note"].str.contains("other text")
        | (t["tokens"] > OTHER_TEXT)
    )
    keep = (t["confidence"] == "certain") & ~(other & t["tokens"].isna())
    t = t[keep if elsewhere else keep & ~other]
    nats = np.where(t["metric"] == "perplexity", np.log(t["value"]), t["value"] * NATS_PER_BIT)
    distinct = (t["tokens"] / t["epochs"].fillna(1)).fillna(t["benchmark"].map(BENCHMARK_TOKENS))
    # units differ by benchmark (words, bytes), so the law has one height per benchmark
    return progress(
        t["params"].to_numpy(),
        distinct.to_numpy(),
        t["date_year"].to_numpy(),
        nats,
        t["benchmark"].to_numpy(),
        t["source"].to_numpy(),
        level=level,
        draws=draws,
    )

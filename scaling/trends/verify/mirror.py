"""Read public snapshots of trend data from the folder that `SCALING_MIRROR` names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from scaling.errors import TableError
from scaling.trends.growth.frontier import FILTERS
from scaling.trends.series import Quantity, Series, series

MIXED_FORMATS = (
    "Max performance",
    "ML OP/s",
    "Energy efficiency",
    "Price-performance",
    "Total processing performance (bit-OP/s)",
)
"""Columns of the hardware snapshot that take the number format in which a chip is fastest."""


def folder() -> Path | None:
    """Return the folder that `SCALING_MIRROR` names if it holds `trends/`, else None."""
    named = os.environ.get("SCALING_MIRROR")
    return Path(named) if named and (Path(named) / "trends").is_dir() else None


def file(name: str) -> Path:
    """Return the path of one snapshot. Raises `TableError` where it is absent."""
    root = folder()
    if root is None or not (root / "trends" / name).is_file():
        raise TableError(
            f"there is no snapshot {name}; set SCALING_MIRROR to a folder that has trends/{name}"
        )
    return root / "trends" / name


def transistors() -> Series:
    """Return transistor counts 1971-2021."""
    years, thousands = np.loadtxt(file("transistors.dat"), unpack=True)
    return series(Quantity(name="transistors per chip"), years, thousands * 1e3, source="transistors.dat")


def training_compute(notable: bool = True) -> Series:
    """Return the training FLOP of models, by default only those with a notability criterion."""
    t = pd.read_csv(file("epoch_all_ml_systems_2025-06.csv"))
    t = t[t["Training compute (FLOP)"].notna() & t["Publication date"].notna()]
    t = t[t["Notability criteria"].notna()] if notable else t
    return series(
        Quantity(name="training compute", unit="FLOP"),
        t["Publication date"],
        t["Training compute (FLOP)"],
        group=t["Organization"].fillna("unknown").str.split(",").str[0],
        label=t["Model"],
        source="epoch_all_ml_systems_2025-06.csv",
        keep_duplicates=True,
    )


def model_costs(column: str = "Hardware_Capex_Energy_Cost") -> Series:
    """Return the cost of training runs, in dollars of 2023."""
    costs = pd.read_csv(file("epoch_model_costs.csv"))
    models = pd.read_csv(file("epoch_all_ml_systems_2025-06.csv"))[["Model", "Publication date"]]
    t = costs.merge(models, on="Model", how="left").dropna(subset=[column, "Publication date"])
    return series(
        Quantity(name="training cost", unit="USD 2023"),
        t["Publication date"],
        t[column],
        label=t["Model"],
        source="epoch_model_costs.csv",
    )


def hardware(column: str, *, format: str = "") -> Series:
    """Return one column of the hardware snapshot.

    Raises `TableError` for a column that mixes number formats.
    """
    if column in MIXED_FORMATS:
        raise TableError(
            f"{column!r} mixes number formats, which fakes a doubling of 1.4-1.9 years; fit one format at "
            "a time, "
            "for example 'FP32 (single precision) performance (FLOP/s)'"
        )
    return mixed(column, format=format)


def mixed(column: str, *, format: str = "mixed") -> Series:
    """Return a hardware column without the check for mixed formats, to show the effect of mixing."""
    t = pd.read_csv(file("epoch_ml_hardware_2026-01.csv"))
    if column not in t:
        raise TableError(f"the hardware snapshot has no column {column!r}; it has {', '.join(t.columns)}")
    t = t[t[column].notna() & t["Release date"].notna()]
    t = t[t[column] > 0]
    return series(
        Quantity(name=column, format=format),
        t["Release date"],
        t[column],
        group=t["Manufacturer"],
        label=t["Hardware name"],
        source="epoch_ml_hardware_2026-01.csv",
    )


def dataset_sizes() -> Series:
    """Return the training tokens of language models."""
    t = pd.read_csv(file("epoch_dataset_sizes.csv")).dropna(subset=["date", "dataset"])
    return series(
        Quantity(name="training data", unit="tokens"),
        t["date"],
        t["dataset"],
        label=t["system"],
        source="epoch_dataset_sizes.csv",
        keep_duplicates=True,
    )


def horizons(until: float = 2025.2) -> Series:
    """Return the 50 % task horizons, in minutes, of systems that were the best on the day they appeared."""
    rows = yaml.safe_load(file("metr_horizons_1_0.yaml").read_text(encoding="utf-8"))["results"]
    names, when, value, low, high = [], [], [], [], []
    for name, row in rows.items():
        p50 = row["metrics"]["p50_horizon_length"]
        names.append(name)
        when.append(str(row["release_date"]))
        value.append(p50["estimate"])
        low.append(p50["ci_low"])
        high.append(p50["ci_high"])
    s = series(
        Quantity(name="task horizon", unit="minutes", benchmark="METR-Horizon-v1"),
        when,
        value,
        low=low,
        high=high,
        range_level=0.95,
        label=names,
        source="metr_horizons_1_0.yaml",
    )
    return FILTERS["top-1"](s).between(end=until)


def efficiency() -> Series:
    """Return AlexNet-level training compute, in teraflop/s-days; other targets have broken dates."""
    t = pd.read_csv(file("openai_efficiency.csv"))
    t = t[t["Metric"] == "AlexNet"]
    return series(
        Quantity(name="compute to AlexNet level", unit="TFLOP/s-days"),
        t["Publication Date"],
        t["Compute (teraflops-s/days)"],
        label=t["Publication"],
        source="openai_efficiency.csv",
    )


def top500() -> Series:
    """Return the speed of the fastest supercomputer of each year, in FLOP/s."""
    t = pd.read_csv(file("top500_no1.csv"))
    return series(
        Quantity(name="fastest supercomputer", unit="FLOP/s", format="fp64"),
        t["Year"].astype(float) + 0.5,
        t["Floating-Point Operations per Second"],
        source="top500_no1.csv",
    )

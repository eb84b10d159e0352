"""Results folders made from a surface that we know: L = E + A N^-alpha + B D^-beta with noise (Hoffmann
2022's form, our numbers)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.figures.drawing import to_json

LAW = {"E": 1.2, "A": 22.0, "B": 60.0, "alpha": 0.32, "beta": 0.30}
A_EXPONENT = LAW["beta"] / (LAW["alpha"] + LAW["beta"])


def loss(N: Any, D: Any) -> Any:
    """The surface."""
    return LAW["E"] + LAW["A"] * N ** -LAW["alpha"] + LAW["B"] * D ** -LAW["beta"]


def ledger(
    *,
    budgets: tuple[float, ...] = (1.6e10, 4e10, 1e11, 2.5e11),
    sizes: int = 6,
    seeds: int = 3,
    noise: float = 0.004,
    sweep: str = "made",
    seed: int = 0,
) -> pd.DataFrame:
    """A ledger: `sizes` runs a budget around the optimum, the middle budget repeated with `seeds` seeds."""
    rng = np.random.default_rng(seed)
    rows = []
    for i, C in enumerate(budgets):
        G = (LAW["alpha"] * LAW["A"] / (LAW["beta"] * LAW["B"])) ** (1 / (LAW["alpha"] + LAW["beta"]))
        best = G * (C / 6) ** A_EXPONENT
        for N in best * np.geomspace(0.2, 5, sizes):
            for s in range(seeds if i == len(budgets) // 2 else 1):
                D = C / (6 * N)
                L = float(loss(N, D) * np.exp(noise * rng.standard_normal()))
                rows.append(
                    {
                        "run_id": f"{rng.integers(0, 2**63):016x}",
                        "schema": 1,
                        "sweep": sweep,
                        "family": "llama",
                        "size": round((N / 2e4) ** (1 / 3), 2),
                        "seed": s,
                        "objective": "causal",
                        "status": "done",
                        "reason": None,
                        "params": int(N),
                        "params_embedding": int(2 * N**0.5),
                        "params_head": int(2 * N**0.5),
                        "params_block": int(0.9 * N),
                        "params_active": int(N),
                        "width": 32,
                        "depth": 2,
                        "heads": 2,
                        "tokens": int(D),
                        "tokens_unique": 11_000_000,
                        "epochs": D / 11e6,
                        "steps": int(D / 512),
                        "batch_sequences": 8,
                        "batch_tokens": 512,
                        "context": 64,
                        "vocab": 256,
                        "bytes_per_token": 1.0,
                        "corpus": "sotu",
                        "corpus_hash": "0123abcd",
                        "budget_flops": C,
                        "flops": 6.0 * int(N) * int(D),
                        "flops_attention_scores_full": 0.5 * int(N) ** 0.7 * 40 * int(D),
                        "flops_attention_scores_causal": 0.25 * int(N) ** 0.7 * 40 * int(D),
                        "flops_head": 60.0 * int(N) ** 0.33 * int(D),
                        "learning_rate": 0.01,
                        "weight_decay": 0.1,
                        "schedule": "linear",
                        "recipe": "default",
                        "loss": L,
                        "loss_se": 0.004,
                        "bits_per_byte": L / np.log(2),
                        "loss_train": L - 0.02,
                        "seconds": C / 2e9,
                        "tokens_per_second": D / (C / 2e9),
                        "device": "cpu",
                        "dtype": "float32",
                        "git_commit": "abc1234",
                        "git_dirty": False,
                        "versions": json.dumps({"torch": "2.9", "numpy": "2.4"}),
                        "host": "box",
                        "started": f"2026-01-01T00:{len(rows) // 2 % 60:02d}:00Z",
                        "ended": f"2026-01-01T00:{len(rows) // 2 % 60:02d}:40Z",
                    }
                )
    return pd.DataFrame(rows).sort_values("run_id").reset_index(drop=True)


def curves(runs: pd.DataFrame, points: int = 60, seed: int = 1) -> pd.DataFrame:
    """A noisy training curve a run that ends at its loss, with held-out values at ten of its points."""
    rng = np.random.default_rng(seed)
    parts = []
    for row in runs.to_dict("records"):
        share = np.geomspace(0.01, 1, points)
        L = (
            loss(row["params"], row["tokens"] * share)
            + 0.5 * np.exp(-share * 30)
            + row["loss"]
            - loss(row["params"], row["tokens"])
        )
        held = np.where(np.arange(points) % 6 == 5, L, np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "run_id": row["run_id"],
                    "step": (row["steps"] * share).astype(int),
                    "tokens": (row["tokens"] * share).astype(int),
                    "flops": row["flops"] * share,
                    "loss_train": L + 0.03 * rng.standard_normal(points),
                    "learning_rate": 0.01,
                    "gradient_norm": 1.0,
                    "loss": held,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def positions(runs: pd.DataFrame, context: int = 64) -> pd.DataFrame:
    """Loss by position of every run: above its own by what falls as 2^-position."""
    at = np.arange(context)
    return pd.concat(
        [
            pd.DataFrame({"run_id": run, "position": at, "loss": end + 2.0 ** (1.0 - at), "loss_se": 0.01})
            for run, end in zip(runs["run_id"], runs["loss"], strict=True)
        ],
        ignore_index=True,
    )


def fit(runs: pd.DataFrame) -> dict[str, Any]:
    """A fit as the fitting room writes it; parabolas by least squares, the law's parameters as they are."""
    budgets = []
    for C, rows in runs.groupby("budget_flops"):
        x, y = np.log(rows["params"].to_numpy(float)), rows["loss"].to_numpy(float)
        c2, c1, c0 = np.polyfit(x, y, 2)
        top = -c1 / (2 * c2)
        best = float(np.exp(top))
        rest = y - np.polyval([c2, c1, c0], x)
        budgets.append(
            {
                "C": float(C),
                "n": len(rows),
                "N_opt": best,
                "N_interval": [best / 1.2, best * 1.2],
                "D_opt": float(C) / 6 / best,
                "loss_min": float(np.polyval([c2, c1, c0], top)),
                "r2": float(1 - rest.var() / y.var()),
                "opens_upwards": bool(c2 > 0),
                "inside": bool(x.min() < top < x.max()),
                "coefficients": [float(c0), float(c1), float(c2)],
            }
        )
    logC, logN = np.log([b["C"] for b in budgets]), np.log([b["N_opt"] for b in budgets])
    a, k = np.polyfit(logC, logN, 1) if len(budgets) > 1 else (float("nan"), 0.0)
    estimate = {"level": 0.95, "method": "pairs bootstrap, 1000 resamples"}
    rng = np.random.default_rng(2)
    names = list(LAW)
    draws = np.array([LAW[n] for n in names]) * np.exp(
        rng.standard_normal((200, 5)) * [0.03, 0.1, 0.1, 0.04, 0.04]
    )
    parameters = {n: {"value": v, "interval": [v * 0.9, v * 1.1], **estimate} for n, v in LAW.items()}
    return {
        "schema": 1,
        "law": "chinchilla",
        "formula": "L = E + A N^-alpha + B D^-beta",
        "source": "arXiv 2203.15556, eq. 10",
        "input": {
            "path": "ledger.parquet",
            "sha256": "0" * 64,
            "rows": len(runs),
            "rows_used": len(runs),
            "columns": {"N": "params", "D": "tokens", "C": "flops", "L": "loss"},
        },
        "options": {"objective": "huber", "seed": 0},
        "n": len(runs),
        "parameters": parameters,
        "objective": {"name": "huber", "scale": "log", "delta": 1e-3, "value": 0.01},
        "derived": {
            "a": {"value": A_EXPONENT, "interval": [0.45, 0.52], **estimate},
            "b": {"value": 1 - A_EXPONENT, "interval": [0.48, 0.55], **estimate},
            "G": {"value": 0.3, "interval": [0.2, 0.4], **estimate},
        },
        "certificate": {
            "starts": 200,
            "converged": 198,
            "basins": [{"objective": 0.01, "starts": 198}],
            "gradient_norm": 1e-9,
            "condition_number": 3.1e4,
            "ridge": "A and alpha trade off",
        },
        "warnings": ["E and B trade off along a ridge; their intervals are not independent"],
        "approaches": {
            "2": {
                "budgets": budgets,
                "a": {"value": float(a), "interval": [float(a) - 0.04, float(a) + 0.05], **estimate},
                "b": {"value": 1 - float(a), "interval": [0.95 - float(a), 1.04 - float(a)], **estimate},
                "N_coefficient": float(np.exp(k)),
                "D_coefficient": float(np.exp(-k) / 6),
                "warnings": [],
            }
        },
        "bootstrap": {"names": names, "draws": draws.tolist()},
        "validation": {
            "multiverse": multiverse(float(a)),
            "profiles": profiles(),
            "backtest": backtest(sorted(b["C"] for b in budgets)),
        },
        "created": "2026-01-01T00:02:00Z",
        "command": "scaling fit made",
        "versions": {"numpy": "2.4", "scipy": "1.17"},
    }


def profiles() -> list[dict[str, Any]]:
    """A parabola along each parameter, the last one open-ended, as the fitting room writes profiles."""
    rows = []
    for name, value in LAW.items():
        steps = np.linspace(-1, 1, 21) if name != "B" else np.linspace(-0.4, 1, 21)
        rise = 9 * steps**2 if name != "B" else np.where(steps < 0, 2 * steps**2, 9 * steps**2)
        low = -0.66 if name != "B" else -0.4
        rows.append(
            {
                "name": name,
                "grid": (value * np.exp(0.5 * steps)).tolist(),
                "rise": rise.tolist(),
                "value": value,
                "interval": [value * float(np.exp(0.5 * low)), value * float(np.exp(0.33))],
                "level": 0.95,
                "method": "profile of the objective, F limit",
                "open_ended": name == "B",
                "better_objective": None,
            }
        )
    return rows


def backtest(C: list[float]) -> dict[str, Any]:
    """Forecasts above each budget but the last, as the fitting room writes them."""
    rng = np.random.default_rng(5)
    cuts = []
    for i, at in enumerate(C[:-1]):
        decades = np.log10(np.repeat(C[i + 1 :], 4) / at)
        half = 0.01 * (1 + decades)
        error = half * rng.uniform(-1.3, 1.3, len(half))
        cuts.append(
            {
                "at": at,
                "fitted": 6 * (i + 1),
                "factors_before": [1.2, 1.0] if i else None,
                "forecasts": [
                    [d, e, h, *((-1.2 * h * (1 + 1.5 * d), h * (1 + 1.5 * d)) if i else (None, None))]
                    for d, e, h in zip(decades.tolist(), error.tolist(), half.tolist(), strict=True)
                ],
            }
        )
    total = sum(len(c["forecasts"]) for c in cuts[1:])
    covered = {"forecasts": total, "nominal_coverage": 0.8, "calibrated_coverage": 1.0} if total else {}
    return {
        "ladder": "C",
        "level": 0.95,
        "factors": [1.2, 1.0],
        "scale": "log",
        "by_decades_beyond": {"all": covered},
        "cuts": cuts,
    }


def multiverse(a: float) -> dict[str, Any]:
    """A dozen analyses around an exponent."""
    rng = np.random.default_rng(4)
    rows = [
        {"approach": 3, "estimator": e, "runs": r, "N": "as given", "a": a + 0.02 * rng.standard_normal()}
        for e in ("Huber 1e-3, log", "squares, raw")
        for r in ("all runs", "without the highest 10 % of losses", "without the smallest 20 % of compute")
    ]
    rows += [
        {"approach": 2, "curve": c, "C": k, "runs": "all runs", "a": a + 0.02 * rng.standard_normal()}
        for c in ("parabola", "cubic", "akima")
        for k in ("as given", "6 N D")
    ]
    return {"headline": "a", "rows": rows}


def comparison() -> dict[str, Any]:
    """Two families as `scaling compare` writes them: one worth 1.3 times the other's compute."""
    C = np.geomspace(1e9, 1e12, 31)
    gain = 1.3 * (C / 1e11) ** 0.02
    span = {"level": 0.95, "method": "pairs bootstrap, 200 resamples"}
    return {
        "schema": 1,
        "kind": "comparison",
        "labels": ["gpt2", "llama"],
        "pairs": "size and seed",
        "inputs": {"gpt2": {"rows_used": 36}, "llama": {"rows_used": 36}},
        "exponents": [
            {
                "name": "a",
                "estimates": {
                    "gpt2": {"value": 0.49, "interval": [0.45, 0.53], **span},
                    "llama": {"value": 0.48, "interval": [0.46, 0.51], **span},
                },
                "differences": {"llama": {"value": -0.01, "interval": [-0.05, 0.04], "p": 0.61, **span}},
            }
        ],
        "gains": [
            {
                "of": "llama",
                "over": "gpt2",
                "range": [1.6e10, 2.5e11],
                "headline": {"value": 1.3, "interval": [1.26, 1.34], **span},
                "curve": {
                    "C": C.tolist(),
                    "gain": gain.tolist(),
                    "lower": (0.97 * gain).tolist(),
                    "upper": (1.03 * gain).tolist(),
                    "inside": [bool(1.6e10 <= c <= 2.5e11) for c in C],
                },
                "crossing": {"C": None, "words": "none within three decades of the data"},
            }
        ],
        "warnings": [],
    }


def make(folder: Path, *, with_fit: bool = True, with_curves: bool = True, **options: Any) -> Path:
    """Writes a folder of results and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = ledger(sweep=folder.name, **options)
    runs.to_parquet(folder / "ledger.parquet")
    rng = np.random.default_rng(3)
    guess = runs["seconds"] * np.exp(0.1 * rng.standard_normal(len(runs)))
    cells = [
        {"run_id": r, "seconds": s, "seconds_low": s * 0.8, "seconds_high": s * 1.25}
        for r, s in zip(runs["run_id"], guess, strict=True)
    ]
    (folder / "plan.json").write_text(json.dumps({"schema": 1, "cells": cells}), encoding="utf-8")
    if with_curves:
        curves(runs).to_parquet(folder / "curves.parquet")
        positions(runs).to_parquet(folder / "positions.parquet")
    if with_fit:
        (folder / "compare.json").write_text(json.dumps(comparison()), encoding="utf-8")
        (folder / "fit.json").write_text(to_json(fit(runs)), encoding="utf-8")
    return folder


FAMILIES = {"llama": 1.0, "gpt2": 1.02, "lstm": 1.05}
"""Families of a mixed folder, each with its loss over llama's."""


def mixed(folder: Path) -> Path:
    """Writes a folder of three families on one grid, two seeds a cell, and returns it."""
    make(folder, seeds=1, with_fit=False)
    parts = []
    for seed in (0, 1):
        for family, factor in FAMILIES.items():
            runs = ledger(seeds=1, noise=0.0005, seed=10 * seed + len(parts), sweep=folder.name)
            parts.append(runs.assign(family=family, seed=seed, loss=factor * runs["loss"]))
    runs = pd.concat(parts, ignore_index=True)
    runs.to_parquet(folder / "ledger.parquet")
    curves(runs).to_parquet(folder / "curves.parquet")
    positions(runs).to_parquet(folder / "positions.parquet")
    return folder

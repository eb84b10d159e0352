"""Read the studies behind a claim, turn estimates into numbers, and write the claim down."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import forest
import pandas as pd
from schema import STATES, Claim, Number

from scaling.figures import catalogue
from scaling.figures import trends as trend_figures
from scaling.trends.facts import load

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
CLAIMS = RESULTS / "claims"


def studies(name: str) -> list[Path]:
    """Folders of results that are called NAME-something (* for every name), by name, their ledger tracked by
    git.

    A run of one's own, or one that is still under way, is not a published study. Without git: every such
    folder.
    """
    found = sorted(RESULTS.glob(f"{name}-*/ledger.parquet"))
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "results"], capture_output=True, text=True, check=False
    )
    tracked = set(listed.stdout.split("\n"))
    if listed.returncode == 0:
        found = [path for path in found if path.relative_to(ROOT).as_posix() in tracked]
    return [path.parent for path in found]


def done(study: Path) -> pd.DataFrame:
    """The finished runs of a study, each with `variant`: what its cell changes besides size, budget, seed
    and learning rate."""
    runs = pd.read_parquet(study / "ledger.parquet")
    runs = runs[runs["status"] == "done"].reset_index(drop=True)
    plan = (
        json.loads((study / "plan.json").read_text(encoding="utf-8"))
        if (study / "plan.json").is_file()
        else {}
    )
    apart = ("sweep.", "family.size=", "budget.", "seed=", "recipe.learning_rate=")
    named = {
        cell["run_id"]: " ".join(
            word.lstrip("+").removeprefix("family.")
            for word in cell["overrides"]
            if not word.startswith(apart)
        )
        for cell in plan.get("cells", ())
    }
    return runs.assign(variant=runs["run_id"].map(named).fillna("") if named else "")


def window(runs: pd.DataFrame) -> str:
    """The compute and the sizes that runs cover."""
    return (
        f"C {runs['flops'].min():.2g} to {runs['flops'].max():.2g}, "
        f"N {runs['params'].min():.2g} to {runs['params'].max():.2g}"
    )


def of_rate(name: str, rate: Mapping[str, Any]) -> Number:
    """A growth rate of `scaling.trends` as a number: times a year."""
    start, end = rate["window"]
    span = rate["times_per_year_interval"]
    method = (
        rate["method"]
        if rate["times_per_year"] is not None
        else f"no trend: the slope's interval holds 0; {rate['method']}"
    )
    return Number(
        name=name,
        value=rate["times_per_year"],
        interval=span,
        level=rate["level"],
        method=method,
        n=rate["n"],
        range=f"{start:.0f} to {end:.0f}",
    )


def of_estimate(name: str, entry: Mapping[str, Any], n: int, span: str) -> Number:
    """An estimate of `scaling.fitting` as a number."""
    return Number(
        name=name,
        value=entry["value"],
        interval=entry.get("interval"),
        level=entry.get("level"),
        method=str(entry.get("method")),
        n=n,
        range=span,
    )


def bare(name: str, value: float, method: str, n: int, span: str) -> Number:
    """A number without an interval; `method` says why there is none, or where it comes from."""
    return Number(name=name, value=value, interval=None, level=None, method=method, n=n, range=span)


def per_doubling(name: str, entry: Mapping[str, Any], n: int, span: str) -> Number:
    """What one doubling takes off the term, in per cent, from the exponent and its interval."""
    turned = [None if v is None else off(v) for v in entry.get("interval") or ()]
    return of_estimate(name, {**entry, "value": off(entry["value"]), "interval": turned or None}, n, span)


def off(exponent: float) -> float:
    """Per cent that one doubling takes off a power law."""
    return 100 * (1 - 2**-exponent)


def missing(id: str, needs: str) -> Claim:
    """A claim without a measurement."""
    return Claim(id=id, state=STATES[2], verdict=f"Not measured: needs {needs}.", needs=needs)


def plain(value: Any) -> Any:
    """As the figures write numbers: 10 digits, what is not finite becomes null."""
    return json.loads(catalogue.to_json({"value": value}))["value"]


def write(claim: Claim, folder: Path = CLAIMS, *, picture: bool = True) -> Path:
    """Writes qNN.json, and qNN.figure.json and qNN.svg where there is a figure; returns the first."""
    if claim.state not in STATES:
        raise ValueError(f"the state of {claim.id} is {claim.state!r}; it must be one of {', '.join(STATES)}")
    stem = f"q{int(claim.id[1:]):02d}"
    folder.mkdir(parents=True, exist_ok=True)
    if claim.figure is not None:
        figure = plain(claim.figure)
        (folder / f"{stem}.figure.json").write_text(catalogue.to_json(figure), encoding="utf-8")
        if picture:
            (folder / f"{stem}.svg").write_bytes(drawn(figure))
    told = load("claims").set_index("id").loc[claim.id]
    payload = asdict(replace(claim, figure=None, reads=())) | {
        "claim": told["claim"],
        "asked": told["answer"],
        "figure": f"results/claims/{stem}.svg" if claim.figure is not None else None,
        "reads": {p.relative_to(ROOT).as_posix(): sha256(p) for p in sorted(claim.reads)},
    }
    path = folder / f"{stem}.json"
    path.write_text(catalogue.to_json(plain(payload)), encoding="utf-8")
    return path


def drawn(figure: Mapping[str, Any]) -> bytes:
    """The SVG of a figure of the catalogue, of the trends, or of a claim's own numbers, from its JSON."""
    if figure["figure"] == forest.NAME:
        return forest.svg(figure)
    in_runs = figure["figure"] in catalogue.CATALOGUE
    return catalogue.to_svg(dict(figure)) if in_runs else trend_figures.rendered(dict(figure), "svg")


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def facts(*names: str) -> list[Path]:
    """Fact tables by name."""
    return [ROOT / "scaling" / "trends" / "facts" / f"{name}.csv" for name in names]


def digits(value: float | None, count: int = 3) -> str:
    """A number for a sentence."""
    if value is None or not math.isfinite(value):
        return "unbounded"
    return f"{value:,.0f}" if abs(value) >= 1000 and abs(value) < 1e6 else f"{value:.{count}g}"


def spoken(number: Number) -> str:
    """1.5 [1.2, 1.9]"""
    ends = number.interval
    return digits(number.value) + (f" [{digits(ends[0])}, {digits(ends[1])}]" if ends else "")

"""Writes the README's numbers from committed results, so that none is typed by hand.

python analysis/readme.py           writes what stands between the markers
python analysis/readme.py --check   says whether it is as it would be written
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
DEMO, STUDY = ROOT / "results" / "demo-2-cores", ROOT / "results" / "isoflop-2-cores"
KERNELS = ROOT / "results" / "processors" / "processors.csv"
FINDINGS = ("Q4", "Q5", "Q7")
"""Claims of `analysis/CLAIMS.md` whose verdicts stand in the README."""


def quantity(entry: dict, digits: int = 2) -> str:
    """0.46 [0.41, 0.52]"""
    low, high = entry["interval"]
    return f"{entry['value']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def runs_of(folder: Path) -> pd.DataFrame:
    """The finished runs of a study."""
    ledger = pd.read_parquet(folder / "ledger.parquet")
    return ledger[ledger["status"] == "done"]


def scatter(folder: Path) -> float:
    """Return the standard deviation of a cell's loss over seeds, pooled over a study's cells, in nats."""
    again = runs_of(folder).groupby(["budget_flops", "size"])["loss"].agg(["var", "count"]).query("count > 1")
    return ((again["var"] * (again["count"] - 1)).sum() / (again["count"] - 1).sum()) ** 0.5


def extent(folder: Path) -> str:
    """How many runs of what, and how far they reach."""
    runs = runs_of(folder)
    return (
        f"{len(runs)} runs of a {runs['family'].iloc[0]} decoder on {runs['corpus'].iloc[0]}, "
        f"{runs['flops'].min():.1e} to {runs['flops'].max():.1e} FLOPs each, "
        f"{runs['params'].min():,} to {runs['params'].max():,} parameters; "
        f"seeds scatter by {scatter(folder):.3f} nats"
    )


def rows(folder: Path) -> list[str]:
    """Exponents and floor of a study's committed fit, as rows of a table."""
    fit = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
    second, third = fit["approaches"]["2"]["a"], fit["derived"]["a"]
    return [
        "| quantity | value and 95 % interval | how |",
        "|---|---|---|",
        f"| a in N\\* ∝ C^a | {quantity(second)} | approach 2, {second['method']} |",
        f"| a = β/(α+β) | {quantity(third)} | approach 3, {third['method']} |",
        *(
            f"| {name} | {quantity(fit['parameters'][name], 3)} | L = E + A N^-α + B D^-β |"
            for name in ("alpha", "beta", "E")
        ),
    ]


def beside() -> str:
    """Our exponent of N* beside the published ones, and what makes them differ."""
    drawn = STUDY / "figures"
    published = json.loads((drawn / "exponents.json").read_text(encoding="utf-8"))["published"]
    rows = json.loads((drawn / "conventions.json").read_text(encoding="utf-8"))["rows"]
    counted = [row["a"] for row in rows]
    kaplan = next(row for row in rows if row["C"] == "6ND blocks" and row["N"] == "blocks")
    said = ", ".join(f"{one['a']:.2f} ({one['who']})" for one in published)
    small = runs_of(STUDY).nsmallest(1, "params").iloc[0]
    tables = (small["params_embedding"] + small["params_head"]) / small["params"]
    return (
        f"Published exponents of N\\*: {said}. Ours lies among them and is no test of them: "
        f"{runs_of(STUDY)['flops'].max():.1e} FLOPs at most, one small corpus, bytes instead of word pieces. "
        f"What is counted as a parameter and as compute moves it from {min(counted):.2f} to "
        f"{max(counted):.2f}, as embedding and head are {tables:.0%} of the smallest model; counted as "
        f"Kaplan did, without them, it is {kaplan['a']:.2f}."
    )


def study() -> str:
    """The first study: what it measured, and what the other studies found."""
    folder = STUDY.relative_to(ROOT)
    claims = [
        json.loads((ROOT / "results" / "claims" / f"q{int(id[1:]):02d}.json").read_text(encoding="utf-8"))
        for id in FINDINGS
    ]
    lines = [
        f"{extent(STUDY)}.",
        "",
        *rows(STUDY),
        "",
        f"From [`{folder}`]({folder}), fitted by `scaling fit {STUDY.name}`; loss in nats per byte. A law of "
        "small models on one corpus, not of language models.",
        "",
        beside(),
        "",
        "Three of the fourteen answers in [`analysis/CLAIMS.md`](analysis/CLAIMS.md):",
        "",
        *(
            f"- *{claim['claim'][:1].upper()}{claim['claim'][1:]}?* {claim['verdict']} "
            f"([{claim['id']}](analysis/CLAIMS.md#{claim['id'].lower()}))"
            for claim in claims
        ),
    ]
    return "\n".join(lines) + "\n"


def demo() -> str:
    """The demo: what it trains and what it finds."""
    fit = json.loads((DEMO / "fit.json").read_text(encoding="utf-8"))
    folder = DEMO.relative_to(ROOT)
    return (
        f"The demo as committed in [`{folder}`]({folder}): {extent(DEMO)}; "
        f"N\\* ∝ C^{quantity(fit['approaches']['2']['a'])} (approach 2, 95 %), "
        f"a = {quantity(fit['derived']['a'])} (approach 3).\n"
    )


def processors() -> str:
    """Return how far losses move between kernels and processors, beside seeds."""
    table = pd.read_csv(KERNELS).dropna(subset="loss")
    other, folder = table["capability"] == "committed ledger", KERNELS.parent.relative_to(ROOT)
    twice = (table.loc[~other, "again"] == "same bits").sum()
    kernels = table.loc[~other & (table["difference"] != 0), "difference"].abs()
    ledger = table.loc[other, "difference"].abs()
    return (
        f"Measured on {table['cell'].nunique()} cells of the demo ([`{folder}`]({folder})): "
        f"{twice} of {(~other).sum()} pairs of runs under one kernel end at the same bits. Under other "
        f"vector units of ATen or other products of MKL losses move by {spread(kernels)}. The committed "
        f"ledger, made with the same versions of torch and NumPy, lies {spread(ledger)} from these runs. "
        f"Two seeds differ by {2**0.5 * scatter(DEMO):.3f}.\n"
    )


def spread(moved: pd.Series) -> str:
    """0.004 nats (root mean square; 0.007 at most)"""
    return f"{(moved**2).mean() ** 0.5:.4f} nats (root mean square; {moved.max():.4f} at most)"


BLOCKS: dict[str, Callable[[], str]] = {"demo": demo, "study": study, "processors": processors}


def main() -> int:
    """Writes or checks; 1 when the README is not as it would be written."""
    path = ROOT / "README.md"
    old = new = path.read_text(encoding="utf-8")
    for name, block in BLOCKS.items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        text = begin + block() + end
        new, found = re.subn(f"{begin}.*?{end}", lambda _, text=text: text, new, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"README.md has {found} blocks called {name}; it must have one")
    if "--check" in sys.argv:
        if new != old:
            print("README.md does not say what the results say: run `python analysis/readme.py`")
        return int(new != old)
    path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Q6: algorithmic optimisation drives progress: the gain of one switch, optimiser, tokeniser at a time."""

from __future__ import annotations

from pathlib import Path

import gains
import pandas as pd
from claim import done, missing, spoken, studies, write
from schema import Claim, Number

from scaling import figures
from scaling.fitting.table import Table, read


def against(study: Path, runs: pd.DataFrame, column: str, base: str, words: str, loss: str) -> list[Number]:
    """Gain of every value of a column over the base value, from the runs of both."""

    def table(value: str) -> Table:
        rows = runs[runs[column].astype(str) == value]
        return read(rows, need=("C",), columns={"C": "flops", "L": loss})

    others = sorted(set(runs[column].astype(str)) - {base})
    made = [gains.few(table(base), table(v), (words, v if column == "variant" else f"{column} {v}"), study)
            for v in others]  # fmt: skip
    return [number for few in made for number in few]


def best(study: Path, column: str, loss: str) -> pd.DataFrame:
    """The run with the lowest loss of each value at each budget: each at its own best rate or size."""
    runs = done(study)
    return runs.loc[runs.groupby([column, "budget_flops"])[loss].idxmin()]


def claim() -> Claim:
    """From every study called switches-…, optimizers-… and tokenizers-…"""
    reads = {kind: studies(kind) for kind in ("switches", "optimizers", "tokenizers")}
    numbers: list[Number] = []
    for study in reads["switches"]:
        numbers += against(study, done(study), "variant", "", "the Llama-style block", "loss")
    for study in reads["optimizers"]:
        runs = best(study, "optimizer", "loss")
        numbers += against(study, runs, "optimizer", "adamw", "adamw", "loss")
    for study in reads["tokenizers"]:
        runs = best(study, "vocab", "bits_per_byte")
        numbers += against(study, runs, "vocab", "256", "bytes", "bits_per_byte")
    if not numbers:
        return missing("Q6", "studies of switches, optimisers and tokenisers (sweeps/switches.yaml)")
    above, below = gains.apart(numbers)
    top = max(numbers, key=lambda n: n.value or 0)
    known = [n for n in numbers if n.interval]
    coarser = (
        ", over windows of as many tokens, so that coarser ones see more text" if "vocab" in top.name else ""
    )
    verdict = (
        f"Of {len(numbers)} single changes {len(known)} have runs enough for an interval: {len(above)} of "
        f"them gain and {len(below)} lose beyond it, where chance alone gives {len(known) / 20:.2g}; the "
        f"largest gain is that of {gains.short(top)}, ×{spoken(top)}{coarser}. Small models on little "
        "compute, and no precision."
    )
    lacking = [f"a study of {kind}" for kind, found in reads.items() if not found]
    shown = next(found[0] for found in reads.values() if found)
    figure = figures.of(figures.read(shown), ["changes"])["changes"]
    ledgers = [study / "ledger.parquet" for found in reads.values() for study in found]
    return Claim(id="Q6", state="partly measured", verdict=verdict, numbers=numbers, reads=ledgers,
                 needs=", ".join([*lacking, "runs in several precisions on a GPU"]),
                 figure=None if figure.get("missing") else figure)  # fmt: skip


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

"""Q9: cost and energy are the barrier: what they grow by, and the bill of every study in the tree."""

from __future__ import annotations

import pandas as pd
from claim import bare, done, facts, of_rate, spoken, studies, window, write
from schema import Claim

from scaling.figures import trends
from scaling.trends.answers.questions import question
from scaling.trends.worth.price import chip, sweep_bill


def claim() -> Claim:
    """Growth of cost and energy; dollars of our own studies on a rented accelerator."""
    found = question("Q9")()
    names = (
        "stated training cost, × a year",
        "training compute, × a year",
        "FLOP/s per watt, FP32, × a year",
    )
    numbers = [of_rate(name, rate) for name, rate in zip(names, found["rates"], strict=True)]
    cost, compute, watt = numbers
    ours = studies("*")
    reads = [study / "ledger.parquet" for study in ours]
    for study in ours:
        runs = done(study)
        bill = sweep_bill(runs, on=chip("H100 SXM"), mfu=0.4)["elsewhere"]
        name = f"dollars of {study.name} on an H100"
        numbers.append(bare(name, bill["dollars"], bill["basis"], len(runs), window(runs)))
    hours = sum(float(pd.read_parquet(path, columns=["seconds"])["seconds"].sum()) for path in reads) / 3600
    verdict = (
        f"At the frontier, increasingly: compute grows ×{spoken(compute)} a year against ×{spoken(watt)} for "
        "FLOP/s per "
        "watt, so the energy of the largest runs grows with the gap; "
        + (
            f"stated costs (n {cost.n}) show no trend of their own. "
            if cost.value is None
            else f"stated costs grow ×{spoken(cost)}. "
        )
        + f"To measure exponents at the smallest scale they are none: all studies here took {hours:.1f} "
        "core-hours."
    )
    return Claim(
        id="Q9",
        state="measured",
        verdict=verdict,
        numbers=numbers,
        figure=trends.data("costs"),
        reads=[*reads, *facts("models", "accelerators", "prices")],
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

"""Q12: mixed precision and distribution raise efficiency: speed and loss by number format, where both ran."""

from __future__ import annotations

import forest
from claim import done, missing, studies, window, write
from pairs import geometric
from schema import Claim

NEEDS = (
    "speeds of the same cells in two number formats, and on one and several devices, on a GPU: no GPU was at "
    "hand; on this processor, which has no matrix unit for bfloat16, autocast says nothing about one"
)


def claim() -> Claim:
    """Loss and tokens per second of the same cells in float32 and bfloat16, where a ledger holds both."""
    numbers, reads, losses, speeds = [], [], [], []
    for study in studies("*"):
        runs = done(study)
        if not {"float32", "bfloat16"} <= set(runs["dtype"]):
            continue
        wide = runs.pivot_table(
            index=["family", "size", "seed", "tokens"], columns="dtype", values=["tokens_per_second", "loss"]
        ).dropna()
        if len(wide) < 3:
            continue
        reads.append(study / "ledger.parquet")
        paired = "the same cells and seeds, paired"
        for name, ratio, found in (
            ("loss of bfloat16 over float32", wide["loss"]["bfloat16"] / wide["loss"]["float32"], losses),
            (
                "tokens per second of bfloat16 over float32, on a CPU",
                wide["tokens_per_second"]["bfloat16"] / wide["tokens_per_second"]["float32"],
                speeds,
            ),
        ):
            found.append(geometric(f"{name}, {study.name}", ratio, paired, window(runs)))
            numbers.append(found[-1])
    if not numbers:
        return missing("Q12", NEEDS)
    low, high = losses[0].interval or (None, None)
    verdict = (
        f"At equal cells bfloat16 autocast ends at ×{losses[0].value:.4f} [{low:.4f}, {high:.4f}] the loss "
        f"of float32, {losses[0].n} pairs: no loss is paid for the format. What it gains was not measured: "
        f"on this CPU it runs at ×{speeds[0].value:.2f} the speed, for want of bfloat16 matrix units, and no "
        f"GPU was at hand; nor was distribution, whose losses are proved equal and whose speeds are not "
        f"known."
    )
    figure = forest.picture(
        forest.rows_of(numbers, r"(?P<what>.+) of bfloat16 over float32"),
        title=f"bfloat16 ends at ×{losses[0].value:.3f} the loss, at ×{speeds[0].value:.2f} a CPU's speed",
        subtitle="bfloat16 autocast over float32, the same cells and seeds in pairs",
        axis="× that of float32", at=1.0, log=True,
        sources=[path.parent.name for path in reads],
    )  # fmt: skip
    return Claim(id="Q12", state="partly measured", verdict=verdict, numbers=numbers, needs=NEEDS,
                 figure=figure, reads=reads)  # fmt: skip


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

"""Q10: parameter-efficient fine-tuning: what each way of adapting one trained network reaches, for what."""

from __future__ import annotations

import forest
import pandas as pd
from claim import bare, digits, done, missing, studies, window, write
from schema import Claim, Number

NEEDS = "a study of fine-tuning (sweeps/fine-tuning.yaml)"
LARGER = "several seeds, and sizes for the law's exponents (sweeps/gpu/fine-tuning-gpu.yaml)"


def best(runs: pd.DataFrame) -> pd.DataFrame:
    """The rate that suits each adaptation best, for each number of tokens."""
    runs = runs.assign(way=runs["adaptation"] + runs["variant"].map(rank))
    return runs.loc[runs.groupby(["way", "tokens_unique"])["loss"].idxmin()]


def rank(variant: str) -> str:
    """The rank of low-rank maps as a word; the sweep's base is rank 4."""
    word = next((w for w in variant.split() if w.startswith("start.rank=")), "")
    return f" {word.removeprefix('start.')}" if word else "" if "start=" in variant else " rank=4"


def claim() -> Claim:
    """Every study called fine-tuning-…: loss above that of full fine-tuning, and the FLOPs beside it."""
    numbers: list[Number] = []
    reads, said, costs = [], [], []
    for study in studies("fine-tuning"):
        runs = done(study)
        chosen = best(runs)
        for tokens, at in chosen.groupby("tokens_unique"):
            full = at[at["adaptation"] == "full"].iloc[0]
            rest = at[at["adaptation"] != "full"].sort_values("params_trainable")
            for row in rest.itertuples():
                share, cost = row.params_trainable / row.params, row.flops / full["flops"]
                tried = runs.loc[(runs["adaptation"] == row.adaptation), "learning_rate"]
                edge = ", the highest" if row.learning_rate == tried.max() else ""
                method = f"{share:.1%} learn, FLOPs ×{cost:.2f}; best of 3 rates{edge}; one seed"
                name = f"nats above full fine-tuning, {row.way}, {tokens:,} tokens, {study.name}"
                numbers.append(bare(name, row.loss - full["loss"], method, 3, window(at)))
            costs += list(rest["flops"] / full["flops"])
            near = rest.loc[rest["loss"].idxmin()]
            said.append(
                f"after {int(tokens):,} distinct tokens the best part ({near['way']}, "
                f"{near['params_trainable'] / near['params']:.1%} of the parameters) lies "
                f"{digits(near['loss'] - full['loss'], 2)} nats above full fine-tuning's {full['loss']:.3f} "
                "for "
                f"{near['flops'] / full['flops']:.0%} of its FLOPs"
            )
        reads.append(study / "ledger.parquet")
    if not numbers:
        return missing("Q10", NEEDS)
    verdict = (
        f"Not at equal quality here. A token costs ×{min(costs):.2f} (the head alone) to ×{max(costs):.2f} "
        "(low-rank maps as wide as half the network) of full fine-tuning, as gradients cross frozen blocks "
        f"too; {'; '.join(said)}. One seed, 14 k parameters, a body too narrow for a low rank."
    )
    figure = forest.picture(
        forest.rows_of(numbers, r"full fine-tuning, (?P<what>.+), (?P<series>[\d,]+ tokens)"),
        title=f"The best part ends {digits(min(n.value or 0 for n in numbers), 2)} nats above "
        "full fine-tuning",
        subtitle="Held-out loss less that of full fine-tuning, by what learns and by distinct tokens",
        axis="nats above full fine-tuning",
        sources=[path.parent.name for path in reads],
    )
    return Claim(id="Q10", state="partly measured", verdict=verdict, numbers=numbers, needs=LARGER,
                 figure=figure, reads=reads)  # fmt: skip


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

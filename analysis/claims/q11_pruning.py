"""Q11: pruning and quantisation: what they cost after training, against tokens per parameter, and in it."""

from __future__ import annotations

import forest
import pandas as pd
from claim import bare, digits, done, missing, of_estimate, spoken, studies, window, write
from schema import Claim

from scaling.fitting.fit import fit as run

NEEDS = "a study of compression (sweeps/compression.yaml, then scaling compress)"
LARGER = "networks above 26 k parameters and tokens per parameter above 160 (sweeps/gpu/compression-gpu.yaml)"
LAW = "quantised-after-training"


def claim() -> Claim:
    """Every study called compression-… with its table, and compressed-training-… beside it."""
    numbers, said, reads = [], [], []
    for study in studies("compression"):
        path, runs = study / "compressed.csv", done(study)
        if not path.is_file():
            continue
        table = pd.read_csv(path)
        table["ratio"] = (table["tokens"] / table["params"]).round()
        alone = table[(table["sparsity"] == 0) | table["weight_bits"].isna()]
        for (bits, share), at in alone.groupby([alone["weight_bits"].fillna(0), "sparsity"]):
            what = f"at {bits:.0f} bits" if bits else f"with {share:.0%} of the blocks' weights pruned"
            for ratio in (at["ratio"].min(), at["ratio"].max()):
                some = at[at["ratio"] == ratio]["delta_loss"]
                name = f"nats lost {what}, D/N {ratio:.0f}, {study.name}"
                numbers.append(
                    bare(name, some.mean(), "mean over sizes, after training", len(some), window(runs))
                )
        rounded = alone[alone["weight_bits"].between(2, 4) & (alone["delta_loss"] > 0)]
        columns = {"N": "params", "D": "tokens", "P": "weight_bits", "delta_L": "delta_loss"}
        fit = run(rounded, LAW, columns=columns, starts=12, resamples=300)
        for name in ("gamma_D", "gamma_N", "gamma"):
            told = f"{name} of {LAW}, {study.name}"
            numbers.append(of_estimate(told, fit.parameters[name].to_json(), len(rounded), window(runs)))
        mean = alone.groupby([alone["weight_bits"].fillna(0), "sparsity"])["delta_loss"].mean()
        said.append(
            f"after training 8 bits cost {digits(mean[8, 0], 2)} nats, 4 bits {digits(mean[4, 0], 2)} and "
            f"2 bits {digits(mean[2, 0], 2)}; half the blocks' weights pruned {digits(mean[0, 0.5], 2)} and "
            f"90 % {digits(mean[0, 0.9], 2)}; the damage of rounding grows as D^{spoken(numbers[-3])}"
        )
        reads += [study / "ledger.parquet", path]
    for study in studies("compressed-training"):
        runs = done(study)
        mean = runs.groupby("variant")["loss"].mean()
        for variant, loss in mean.drop("").items():
            name = f"nats lost in training with {variant}, {study.name}"
            numbers.append(bare(name, loss - mean[""], "mean of 2 seeds", 2, window(runs)))
        reads.append(study / "ledger.parquet")
    if not numbers:
        return missing("Q11", NEEDS)
    verdict = f"Little until a point, then much: {'; '.join(said)}. Networks of 8 k to 26 k parameters."
    rows = forest.rows_of(numbers, r"nats lost (?:at|with) (?P<what>.+), D/N (?P<series>\d+),")
    low, high = rows[0][1], rows[1][1]
    few, many = (digits(max(n.value or 0 for _, at, n in rows if at == r), 2) for r in (low, high))
    figure = forest.picture(
        [(what, f"{at} tokens each", n) for what, at, n in rows if (n.value or 0) > 1e-4],
        title=f"The same compression costs up to {many} nats at {high} tokens a parameter, {few} at {low}",
        subtitle="Rise of the held-out loss after training, by tokens per parameter; below 0.0001 left out",
        axis="nats lost", at=None, log=True,
        sources=[path.parent.name for path in reads if path.suffix == ".csv"],
    )  # fmt: skip
    return Claim(id="Q11", state="measured", verdict=verdict, numbers=numbers, needs=LARGER, figure=figure,
                 reads=reads)  # fmt: skip


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

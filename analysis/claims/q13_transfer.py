"""Q13: transfer: how many tokens from scratch a trained network is worth, and what labels it saves."""

from __future__ import annotations

import forest
from claim import done, missing, studies, write
from schema import Claim
from transferred import labels, transferred

NEEDS = "a study of transfer (sweeps/transfer.yaml)"
LARGER = (
    "more epochs from scratch at the most data (two here, which flatters transfer), several seeds, a "
    "pre-trained encoder that has learnt more, and sizes for the exponent of N (sweeps/gpu/transfer-gpu.yaml)"
)


def claim() -> Claim:
    """Every study called transfer-… and sentiment-… ."""
    numbers, said, reads = [], [], []
    for name, read in (("transfer", transferred), ("sentiment", labels)):
        for study in studies(name):
            if study.name.startswith("sentiment-pretraining"):
                continue
            more, words = read(study.name, done(study))
            numbers, said = [*numbers, *more], [*said, words]
            reads.append(study / "ledger.parquet")
    if not numbers:
        return missing("Q13", NEEDS)
    verdict = f"In this small range: {'; '.join(said)}."
    figure = forest.picture(
        forest.rows_of(numbers, r"accuracy, (?P<what>[\d,]+ labels), (?P<series>from scratch|pre-trained)"),
        title="No saving of labels is told from chance",
        subtitle="Accuracy on held-out reviews, two seeds each, standard error about 0.016; line: guessing",
        axis="accuracy", at=0.5,
        sources=[path.parent.name for path in reads if "sentiment" in path.parent.name],
    )  # fmt: skip
    return Claim(id="Q13", state="partly measured", verdict=verdict, numbers=numbers, needs=LARGER,
                 figure=figure, reads=reads)  # fmt: skip


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

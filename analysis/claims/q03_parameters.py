"""Q3: performance grows exponentially with parameters: power law or exponential, and what a doubling buys."""

from __future__ import annotations

import json

from claim import bare, digits, done, facts, off, per_doubling, spoken, studies, window, write
from schema import Claim

from scaling.figures import trends
from scaling.trends.ahead.loss_law import published
from scaling.trends.answers.claims import PUBLISHED, aicc_gap


def claim() -> Claim:
    """Our runs, and the published exponents beside them."""
    numbers, reads, gaps = [], [], []
    for study in studies("isoflop"):
        runs, fit = done(study), json.loads((study / "fit.json").read_text(encoding="utf-8"))
        gap = aicc_gap(*(runs[c].to_numpy(float) for c in ("params", "tokens", "loss")))
        told = {"n": len(runs), "span": window(runs)}
        numbers.append(
            per_doubling(
                f"% off the N-term by one doubling of N, {study.name}", fit["parameters"]["alpha"], **told
            )
        )
        words = f"AICc of an exponential in N above that of a power law, {study.name}"
        method = "a difference of AICc; above 10 is decisive"
        numbers.append(bare(words, gap["gap"], method, len(runs), window(runs)))
        gaps.append(gap["gap"])
        reads += [study / "ledger.parquet", study / "fit.json"]
    law = published()
    outside = [*PUBLISHED, ("Besiroglu 2024", law.values["alpha"], "arXiv:2404.10102")]
    numbers += [
        bare(f"% off the N-term by one doubling of N, {who}", off(alpha), source, 0, "as published")
        for who, alpha, source in outside
    ]
    ours = (
        f"{spoken(numbers[0])} % here, {digits(numbers[-3].value)} to {digits(numbers[-1].value)} % as "
        "published"
    )
    worst = min(gaps)
    verdict = (
        f"No: each doubling of N takes the same share off the N-term ({ours}), which is a power law. "
        + (
            f"An exponential in N describes our runs worse by {worst:.0f} in AICc."
            if worst > 10
            else f"Our runs alone hardly tell the two shapes apart (AICc gap {worst:.1f}): their range of N "
            "is small."
        )
    )
    return Claim(
        id="Q3",
        state="measured",
        verdict=verdict,
        numbers=numbers,
        figure=trends.data("doubling"),
        reads=[*reads, *facts("published_trends")],
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

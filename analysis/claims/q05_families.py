"""Q5: architecture drives progress: exponents, and the gain of each family over the Transformer of 2017."""

from __future__ import annotations

import gains
from claim import done, missing, of_estimate, studies, window, write
from schema import Claim

from scaling.trends.worth.exchange import of_comparison


def claim() -> Claim:
    """From every study called families-…"""
    found = {study: gains.families(study, "transformer2017") for study in studies("families")}
    if not found:
        return missing("Q5", "a study of families (sweeps/families.yaml)")
    numbers, won = [], []
    for study, compared in found.items():
        won += gains.numbers(compared, study)
        numbers += gains.estimates(compared, "a", "a in N* ∝ C^a", study)
        for worth in of_comparison([gain.to_json() for gain in compared.gains]):
            for currency, months in worth["months"].items():
                name = f"gain of {worth['of']} in months of {currency}, {study.name}"
                entry = {**months, "method": f"exchange rate, {months['source']}"}
                numbers.append(of_estimate(name, entry, len(done(study)), window(done(study))))
    above, below = gains.apart(won)
    sure = len(above) + len(below)
    return Claim(
        id="Q5",
        state="measured",
        verdict=f"Compute of the Transformer of 2017 for the same loss over that of each: {gains.told(won)}. "
        + (
            f"{sure} of {len(won)} intervals exclude 1, for models this small and no others."
            if sure
            else "No interval excludes 1: runs this small do not settle the claim."
        ),
        numbers=[*won, *numbers],
        figure=gains.picture(found),
        reads=[study / "ledger.parquet" for study in found],
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

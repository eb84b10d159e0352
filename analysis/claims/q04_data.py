"""Q4: more data is always better: what a doubling of tokens buys, and what repeated tokens are worth."""

from __future__ import annotations

import json

from claim import RESULTS, bare, digits, done, of_estimate, per_doubling, spoken, studies, window, write
from schema import Claim

from scaling import figures
from scaling.fitting.fit import fit as run

STAR = "R_D*, repeats after which a token has lost 63 % of its worth"


def claim() -> Claim:
    """Fresh tokens from studies called isoflop-…; repeats from those called repeats-…, and as published."""
    fresh, outside, stars, reads = [], [], [], []
    for study in studies("isoflop"):
        fit, runs = json.loads((study / "fit.json").read_text(encoding="utf-8")), done(study)
        name = f"% off the D-term by one doubling of fresh tokens, {study.name}"
        fresh.append(per_doubling(name, fit["parameters"]["beta"], len(runs), window(runs)))
        reads += [study / "ledger.parquet", study / "fit.json"]
    for study in studies("repeats"):
        fit, runs = run(study, "repeats", starts=12, resamples=300), done(study)
        span = f"at most {runs['epochs'].max():.0f} epochs, {window(runs)}"
        stars.append(
            of_estimate(f"{STAR}, {study.name}", fit.parameters["R_D_star"].to_json(), len(runs), span)
        )
        reads.append(study / "ledger.parquet")
    outcomes = RESULTS / "reproduce" / "outcomes.json"
    entries = json.loads(outcomes.read_text(encoding="utf-8"))["entries"]
    row = next(entry for entry in entries if entry["name"] == "repeats/stars")
    for who, values in (("as published", row["published"]), ("better optimum of that fit", row["found"])):
        outside.append(bare(f"R_D*, {who}", values["R_D_star"], row["paper"], 182, "the published runs"))
    verdict = (
        f"More fresh data always helps, by less each time: a doubling takes {spoken(fresh[0])} % off the "
        "D-term, while the N-term and the floor stay. Seen again it is worth less: R_D* is "
        + (f"{spoken(stars[0])} here and " if stars else "")
        + f"{digits(outside[0].value)} as published, though the published fit has a better optimum at "
        f"{digits(outside[1].value)}" + ("." if stars else "; repeats are not measured here.")
    )
    return Claim(
        id="Q4",
        state="measured" if stars else "partly measured",
        verdict=verdict,
        numbers=[*fresh, *stars, *outside],
        needs="" if stars else "a study of repeats (sweeps/repeats.yaml)",
        figure=figures.of(figures.read(studies("isoflop")[0]), ["contours"])["contours"],
        reads=[*reads, outcomes],
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

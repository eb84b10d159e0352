"""Q14: the Transformer beats the RNN and handles long text: exponents and gain against the LSTM, loss by
position, speed against length."""

from __future__ import annotations

from collections.abc import Mapping

import gains
import lengths
from claim import digits, done, missing, spoken, studies, write
from schema import Claim, Number

LENGTH = "a study of long text (sweeps/long_text.yaml: loss by position and tokens per second against length)"


def claim() -> Claim:
    """Every family over the LSTM, of the studies called families-… and long_text-…"""
    found = [study for study in studies("families") if (done(study)["family"] == "lstm").any()]
    if not found:
        return missing("Q14", f"a study of families with the LSTM (sweeps/families.yaml), and {LENGTH}")
    compared = {study: gains.families(study, "lstm") for study in found}
    won = [number for study, c in compared.items() for number in gains.numbers(c, study)]
    exponents = [n for study, c in compared.items() for n in gains.estimates(c, "alpha", "alpha", study)]
    above, below = gains.apart(won)
    contexts = {int(context) for study in found for context in done(study)["context"]}
    long = studies("long_text")[:1]
    gaps = lengths.against(long[0], "lstm") if long else {}
    reach = lengths.reach(long[0]) if long else {}
    speed = lengths.speed()
    full = bool(long and speed)
    return Claim(
        id="Q14",
        state="measured" if full else "partly measured",
        verdict=f"Compute of the LSTM for the same loss over that of each: {gains.told(won)}. {len(above)} "
        f"of {len(won)} Transformers have an interval above 1 and {len(below)} one below, at a context of "
        f"{max(contexts)} tokens. " + (longer(gaps, reach, speed) if full else "Long text is not measured."),
        numbers=[*won, *exponents, *gaps.values(), *reach.values(), *speed.values()],
        needs="" if full else LENGTH,
        figure=gains.picture(compared),
        reads=[
            *(study / "ledger.parquet" for study in [*found, *long]),
            *(study / "positions.parquet" for study in long),
            *([lengths.SPEED] if speed else []),
        ],
    )


def longer(
    gaps: Mapping[tuple[str, int], Number], reach: Mapping[str, Number], speed: Mapping[str, Number]
) -> str:
    """What the study of long text says."""
    contexts = sorted({context for _, context in gaps})
    lower = [gap for gap in gaps.values() if gap.interval and (gap.interval[1] or 0) < 0]
    higher = [gap for gap in gaps.values() if gap.interval and (gap.interval[0] or 0) > 0]
    last = "; ".join(f"{family} {spoken(gap)}" for (family, c), gap in gaps.items() if c == contexts[-1])
    worth = "; ".join(f"{family} {spoken(number)}" for family, number in reach.items())
    kept = ", ".join(f"{family} ×{digits(number.value, 2)}" for family, number in speed.items())
    return (
        f"With windows of {contexts[0]} to {contexts[-1]} bytes at equal compute Transformers have a lower "
        f"loss than the LSTM in {len(lower)} of {len(gaps)} comparisons and a higher one in {len(higher)}; "
        f"the gaps at {contexts[-1]}, in nats per byte: {last}. What lies more than {lengths.NEAR[1]} bytes "
        f"back takes off the loss: {worth}. Tokens per second at {contexts[-1]} over those at {contexts[0]}: "
        f"{kept}."
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

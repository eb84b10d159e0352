"""Q8: compute keeps getting cheaper: FLOP per dollar, and what a fixed loss costs in each year."""

from __future__ import annotations

from claim import digits, facts, of_rate, spoken, write
from schema import Claim, Number

from scaling.figures import trends
from scaling.trends.answers.questions import question


def claim() -> Claim:
    """Growth of FLOP per dollar; dollars for a loss of 2.2 nats in 2015 and 2025."""
    found = question("Q8")()
    names = ("FLOP/s per dollar, FP32, × a year", "FLOP per dollar over a chip's life, FP32, × a year")
    numbers = [of_rate(name, rate) for name, rate in zip(names, found["rates"], strict=True)]
    first = numbers[0]
    for key, words in (("hardware_only", "hardware alone"), ("with_algorithms", "with algorithms")):
        cost = found["cost"][key]
        for year in (2015.0, 2025.0):
            at = cost["year"].index(year)
            dollars = cost["dollars"]
            numbers.append(
                Number(
                    name=f"dollars for {cost['loss']:g} nats a token in {year:.0f}, {words}",
                    value=dollars["value"][at],
                    interval=[dollars["low"][at], dollars["high"][at]],
                    level=cost["level"],
                    method=found["cost"]["law"],
                    n=first.n,
                    range=first.range,
                )
            )
    old, new = (n for n in numbers[2:4])
    verdict = (
        f"Yes, at ×{spoken(first)} a year. On hardware alone a loss of 2.2 nats a token cost "
        f"${digits(old.value)} in 2015 "
        f"and ${digits(new.value)} in 2025 by list prices of FP32 chips; number formats and rented prices "
        "are apart."
        if first.value
        else "No trend: the interval of the slope holds 0."
    )
    return Claim(
        id="Q8",
        state="measured",
        verdict=verdict,
        numbers=numbers,
        figure=trends.data("costs"),
        reads=facts("accelerators", "prices"),
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

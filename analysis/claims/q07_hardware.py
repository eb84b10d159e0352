"""Q7: Moore's law has ended and software must carry progress: hardware by segment against algorithms."""

from __future__ import annotations

from claim import facts, of_rate, spoken, write
from schema import Claim

from scaling.figures import trends
from scaling.trends.answers.questions import question

NAMES = (
    "transistors per CPU until 2005, × a year",
    "transistors per CPU since 2005, × a year",
    "FLOP/s per chip, FP32, data centre, × a year",
    "FLOP/s per chip, FP32, consumer, × a year",
    "FLOP/s per watt, FP32, × a year",
    "algorithms (effective compute), × a year",
)


def claim() -> Claim:
    """Rates before and after 2005, and whether their intervals part."""
    numbers = [of_rate(name, rate) for name, rate in zip(NAMES, question("Q7")()["rates"], strict=True)]
    before, since, *_, software = numbers
    if since.interval is None:
        ended = "Transistors per CPU show no trend since 2005"
    elif since.interval[1] < before.interval[0]:
        ended = (
            f"Transistors per CPU have slowed from ×{spoken(before)} to ×{spoken(since)} a year, but "
            "not "
            "ended"
        )
    else:
        ended = (
            f"Transistors per CPU have not measurably slowed: ×{spoken(before)} a year until 2005, "
            f"×{spoken(since)} since"
        )
    ahead = (
        software.interval is not None
        and since.interval is not None
        and software.interval[0] > since.interval[1]
    )
    verdict = f"{ended}. Algorithms give ×{spoken(software)} a year, " + (
        "faster than the transistor already."
        if ahead
        else "an interval that still holds the transistor's pace."
    )
    return Claim(
        id="Q7",
        state="measured",
        verdict=verdict,
        numbers=numbers,
        figure=trends.data("hardware"),
        reads=facts("moore", "accelerators", "language_models"),
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

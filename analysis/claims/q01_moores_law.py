"""Q1: Moore's law "holds" for language models: three growth rates, and what compute's growth is made of."""

from __future__ import annotations

from claim import facts, of_rate, spoken, write
from schema import Claim, Number

from scaling.figures import trends
from scaling.trends.answers.questions import question


def claim() -> Claim:
    """Growth of compute, data and algorithms beside that of transistors."""
    found = question("Q1")()
    names = (
        "training compute, language, × a year",
        "training tokens, language, × a year",
        "algorithms (effective compute), × a year",
        "transistors per CPU, × a year",
    )
    numbers = [of_rate(name, rate) for name, rate in zip(names, found["rates"], strict=True)]
    compute, tokens, algorithms, moore = numbers
    faster = all(n.interval[0] > moore.interval[1] for n in (compute, tokens, algorithms))
    account = found["accounting"]
    first, last = account["window"]
    numbers += [
        Number(
            name=f"share of the growth of compute: {part['factor']}",
            value=part["share"],
            interval=part["share_interval"],
            level=account["level"],
            method=account["method"],
            n=account["n"],
            range=f"{first:.0f} to {last:.0f}",
        )
        for part in account["parts"]
    ]
    return Claim(
        id="Q1",
        state="measured",
        verdict="Exponential growth holds, but neither at one pace nor at Moore's: compute "
        f"×{spoken(compute)}, tokens "
        f"×{spoken(tokens)} and algorithms ×{spoken(algorithms)} a year, against ×{spoken(moore)} for "
        "transistors. "
        + (
            "All three are faster."
            if faster
            else "For one of them the interval reaches down to the transistor's."
        ),
        numbers=numbers,
        figure=trends.data("growth"),
        reads=facts("models", "language_models", "moore", "accelerators"),
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

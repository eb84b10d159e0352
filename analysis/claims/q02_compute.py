"""Q2: computing power rises exponentially: one exponential against kinks and curves, by BIC and hindcast."""

from __future__ import annotations

from claim import facts, write
from schema import Claim, Number

from scaling.figures import trends
from scaling.trends.answers.questions import question


def claim() -> Claim:
    """How far the best shape is ahead of one exponential, and which of the two predicted better."""
    numbers, words = [], []
    for years, choice in question("Q2")()["choices"].items():
        first, last = choice["window"]
        shapes = {shape["shape"]: shape for shape in choice["shapes"]}
        best = min(shapes.values(), key=lambda shape: shape["bic"])
        line = shapes["exponential"]
        gap = line["bic"] - best["bic"]
        told = {"n": choice["n"], "range": f"{first:.0f} to {last:.0f}", "interval": None, "level": None}
        numbers.append(
            Number(
                name=f"BIC of one exponential above that of {best['shape']}, {years}",
                value=gap,
                method="a difference of BIC; above 6 is strong",
                **told,
            )
        )
        numbers += [
            Number(
                name=f"3-year hindcast of {shape['shape']}, RMSE in orders of magnitude, {years}",
                value=shape["hindcast"]["rmse"],
                method=f"{len(shape['hindcast']['origins'])} origins",
                **told,
            )
            for shape in (best, line)
            if shape["hindcast"]
        ]
        words.append((years, best["shape"], gap, best["hindcast"]["rmse"], line["hindcast"]["rmse"]))
    (_, long, gap, *_), (_, recent, small, bent, straight) = words
    verdict = f"Not by one exponential since 1950: {long} is {gap:.0f} ahead in BIC. "
    verdict += (
        f"Since 2010 one exponential is as good a description as any (BIC {small:.1f} behind {recent})"
        if small < 6
        else f"Since 2010 too {recent} describes better (BIC {small:.1f})"
    )
    verdict += f", and it predicted three years ahead with an error of {straight:.2f} orders of magnitude" + (
        f" against {bent:.2f}." if bent > straight else f", worse than {bent:.2f}."
    )
    return Claim(
        id="Q2",
        state="measured",
        verdict=verdict,
        numbers=numbers,
        figure=trends.data("compute"),
        reads=facts("models"),
    )


def main() -> None:
    """Writes the claim."""
    write(claim())


if __name__ == "__main__":
    main()

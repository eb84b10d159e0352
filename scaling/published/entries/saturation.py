"""Check which saturating law extrapolates best, as two papers conclude, with every law at its optimum."""

from __future__ import annotations

from scaling.published.extrapolation import LAWS, beyond, wins
from scaling.published.outcome import Entry, Refit

_MS = ("m1", "m2", "m3", "m4")


def _table() -> dict[str, dict[str, float]]:
    table = beyond().reset_index()
    return {
        f"{row['domain']} {row['task']} {row['model']}": {law: float(f"{row[law]:.4g}") for law in LAWS}
        for row in table.to_dict("records")
    }


def _m4() -> Refit:
    share = wins(_MS)
    others = max(value for name, value in share.items() if name != "m4")
    return Refit(values={"lead of M4": share["m4"] - others}, detail={"shares": share, "beyond": _table()})


def _bnsl() -> Refit:
    table = beyond()
    share = float((table["bnsl-1"] < table["m4"]).mean())
    return Refit(values={"share of curves": share}, detail={"shares of all": wins(LAWS)})


ENTRIES = (
    Entry(
        name="saturation/m4-leads",
        paper="Alabdulmohsin et al. 2022, arXiv 2209.06640, section 5",
        claim=(
            "M4 wins more of the learning curves than M1, M2 or M3, here on the twenty of the language half."
        ),
        data=("saturation-language",),
        law="m4",
        objective="mean square of log loss on the first part, root mean square of log loss on the rest",
        published={"lead of M4": 0.0},
        run=_m4,
        least=("lead of M4",),
        note="By the paper's own rule of three decimals and split ties, but with every law at its optimum.",
    ),
    Entry(
        name="saturation/bnsl-beats-m4",
        paper="Caballero et al. 2023, arXiv 2210.14891, section 4",
        claim="A smoothly broken power law with one break extrapolates better than M4 on most curves.",
        data=("saturation-language",),
        law="bnsl-1",
        objective="mean square of log loss on the first part, root mean square of log loss on the rest",
        published={"share of curves": 0.5},
        run=_bnsl,
        least=("share of curves",),
        note=(
            "At its optimum BNSL always fits the first part best; beyond it, one break wins nine curves of "
            "twenty."
        ),
    ),
)

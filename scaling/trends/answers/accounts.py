"""Account for the growth of compute by chips and by money, on the shipped facts."""

from __future__ import annotations

from typing import Any

from scaling.trends import facts, shipped
from scaling.trends.answers.rows import window_words
from scaling.trends.worth.accounting import Account, account


def chips_account(level: float = 0.9) -> Account:
    """Split the growth of C into chips × FLOP/s per chip × time, with a residual.

    The residual is the utilisation and errors of units in the table. FLOP/s per chip is the peak of the
    number format in use at the time: matrix units in 16 bits where the chip has them, else FP32. Unlike
    elsewhere formats are mixed, because the change of format is part of the growth of compute.
    """
    models = facts.load("models")
    chips = facts.load("accelerators").set_index("name")
    names = models["chip"].map(lambda c: shipped.ALIASES.get(c, c))
    known = models[names.isin(chips.index)].copy()
    row = chips.loc[names[names.isin(chips.index)]]
    peak = row["flops_bf16_tensor"].fillna(row["flops_fp16_tensor"]).fillna(row["flops_fp32"]).to_numpy()
    return account(
        "training compute",
        known["date_year"].to_numpy(),
        known["training_flops"].to_numpy(),
        {
            "chips": known["chips"].to_numpy(),
            "FLOP/s per chip": peak,
            "hours": known["hours"].to_numpy() * 3600,
        },
        group=known["organisation"].to_numpy(),
        level=level,
    )


def money_account(level: float = 0.9) -> Account:
    """Split the growth of C into dollars × FLOP per dollar, on models whose chip-hours have a price."""
    t = shipped.priced_models()
    return account(
        "training compute",
        t["date_year"].to_numpy(),
        t["training_flops"].to_numpy(),
        {
            "dollars": t["rebuilt"].to_numpy(),
            "FLOP per dollar": (t["training_flops"] / t["rebuilt"]).to_numpy(),
        },
        group=t["organisation"].to_numpy(),
        level=level,
    )


def account_table(a: Account, rest: str = "utilisation and unit errors (residual)") -> dict[str, Any]:
    """Return an account as a printed table. rest: name of the residual."""
    rows = []
    for p in a.parts:
        low, high = p.slope_interval
        own = f"×{10**p.slope:.2f} [{10**low:.2f}, {10**high:.2f}]" if low * high > 0 else "no trend"
        name = rest if p.name == "residual" else p.name
        rows.append([name, own, f"{p.share:.0%}", f"{p.share_interval[0]:.0%} – {p.share_interval[1]:.0%}"])
    title = (
        f"{a.product} ×{10**a.slope:.2f} a year, as a product of factors (n {a.n}, {window_words(a.window)}, "
        f"{a.level:.0%}, {a.method})"
    )
    return {
        "title": title,
        "columns": ["factor", "growth a year", "share", "interval of the share"],
        "rows": rows,
    }


def accounting(level: float = 0.9) -> dict[str, Any]:
    """Answer which factors the growth of compute came from, by chips and by money."""
    chips = chips_account(level)
    money = money_account(level)
    spent, bought = money.parts[0], money.parts[1]
    second = f" By money: dollars {spent.share:.0%}, FLOP per dollar {bought.share:.0%} (n {money.n})."
    first = ", ".join(
        f"{p.name if p.name != 'residual' else 'utilisation and unit errors'} {p.share:.0%}"
        for p in chips.parts
    )
    return {
        "question": "accounting",
        "answer": f"Shares of the growth of training compute: {first} (n {chips.n}).{second}",
        "chips": chips.as_dict(),
        "money": money.as_dict(),
        "tables": [account_table(chips), account_table(money, "residual (zero by construction)")],
    }

"""Define the verbs that convert a gain, a loss or a sweep into months, dollars and kWh."""

from __future__ import annotations

from pathlib import Path

import typer

from scaling.cli.numbers import AMOUNT, YEAR, between
from scaling.cli.trends import FOLDER, JSON, LEVEL, finish, trends
from scaling.trends.answers.questions import QUESTIONS


@trends.command(help=QUESTIONS["exchange"].help)
def exchange(
    gain: list[float] = typer.Argument(
        None, callback=AMOUNT, help="Compute-equivalent gains, such as 2 10. Default: several."
    ),
    low: float = typer.Option(
        None, callback=AMOUNT, help="Lower end of the interval of the gain (one gain only)."
    ),
    high: float = typer.Option(None, callback=AMOUNT, help="Upper end of the interval of the gain."),
    as_json: bool = JSON,
    level: float | None = LEVEL,
    figures: Path | None = FOLDER,
) -> None:
    from scaling.errors import ConfigError
    from scaling.trends.answers.coming import exchange_rates
    from scaling.trends.worth.exchange import exchange as worth

    at = 0.9 if level is None else level
    if (low is None) != (high is None) or (low is not None and len(gain or ()) != 1):
        raise ConfigError(
            "an interval needs one gain and both --low and --high; write for example `scaling trends "
            "exchange 2 --low 1.5 --high 2.6`"
        )
    if low is not None:
        found = worth(gain[0], (low, high), level=at)
        finish(
            {"question": "exchange", "answer": found.words() + ".", "exchange": [found.as_dict()]},
            as_json,
            figures,
            QUESTIONS["exchange"].figures,
        )
        return
    payload = exchange_rates(tuple(gain), level=at) if gain else exchange_rates(level=at)
    finish(payload, as_json, figures, QUESTIONS["exchange"].figures)


@trends.command(help=QUESTIONS["costs"].help)
def costs(
    loss: float = typer.Option(2.2, callback=AMOUNT, help="Loss to reach, in nats per token."),
    law: Path = typer.Option(None, help="Your own fit.json. Default: a published law."),
    first: int = typer.Option(2012, callback=YEAR, help="First year."),
    last: int = typer.Option(2030, callback=YEAR, help="Last year."),
    as_json: bool = JSON,
    level: float | None = LEVEL,
    figures: Path | None = FOLDER,
) -> None:
    from scaling.errors import ConfigError
    from scaling.trends.ahead.loss_law import from_fit
    from scaling.trends.answers.machines import costs as answer

    if last <= first:
        raise ConfigError(f"the years run from {first} to {last}; the last must come after the first")
    own = None if law is None else from_fit(law)
    payload = answer(0.9 if level is None else level, loss=loss, years=(first, last), law=own)
    finish(payload, as_json, figures, QUESTIONS["costs"].figures)


@trends.command()
def bill(
    ledger: str = typer.Argument(
        ..., help="A sweep with results, its folder, or a table with a flops column."
    ),
    chip: str = typer.Option("H100 SXM", help="Accelerator of the fact table that the sweep is priced on."),
    number_format: str = typer.Option("bf16_tensor", "--format", help="Number format of the peak FLOP/s."),
    mfu: float = typer.Option(
        0.4, callback=between(1e-3, 1), help="Fraction of the peak FLOP/s that the runs reach."
    ),
    dollars_per_hour: float = typer.Option(
        None, callback=AMOUNT, help="Price of a chip-hour. Default: from the facts."
    ),
    as_json: bool = JSON,
) -> None:
    """Price a sweep in dollars and kWh, here and on another chip.

    Also price the same sweep in other years.
    """
    from scaling.tables.read import read
    from scaling.trends.answers.machines import over_years
    from scaling.trends.worth.price import chip as named
    from scaling.trends.worth.price import sweep_bill

    table = read(ledger).frame
    on = named(chip, format=number_format, dollars_per_hour=dollars_per_hour)
    found = sweep_bill(table, on=on, mfu=mfu)
    other = found["elsewhere"]
    measured = [f"{k} {found[k]:,.3g}" for k in ("hours", "dollars", "kwh") if found[k] is not None]
    words = (
        f"{found['runs']} runs, {found['flops']:.3g} FLOP: "
        f"{', '.join(measured) or 'no measured price'}; on {other['basis']}: "
    )
    words += f"{other['chip_hours']:,.3g} chip-hours, ${other['dollars']:,.3g}"
    words += "." if other["kwh"] is None else f", {other['kwh']:,.3g} kWh."
    then = {
        "columns": ["year", "dollars", "interval"],
        "title": "The same FLOPs bought in another year (FP32 price trend, 90 %)",
    }
    years = over_years(found["flops"])
    rows = [
        [f"{y['year']:.0f}", f"${y['dollars']:,.3g}", f"${y['low']:,.3g} – ${y['high']:,.3g}"] for y in years
    ]
    payload = {
        "question": "bill",
        "answer": words,
        **found,
        "years": years,
        "tables": [{**then, "rows": rows}],
    }
    finish(payload, as_json, None, ())

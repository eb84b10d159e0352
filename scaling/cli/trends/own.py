"""Define `verify`, which recomputes published growth rates, and `fit`, which fits a table of the user."""

from __future__ import annotations

import typer

from scaling.cli.numbers import between
from scaling.cli.trends import JSON, LEVEL, finish, trends


@trends.command()
def verify(as_json: bool = JSON) -> None:
    """Recompute the published growth rates.

    Exit with code 1 when one differs.
    """
    from scaling.trends.verify.verdicts import verify as answer

    payload = answer()
    finish(payload, as_json, None, ())
    if payload["failed"]:
        raise typer.Exit(1)


@trends.command()
def fit(
    table: str = typer.Argument(..., help="CSV, TSV, Parquet, JSON or JSONL, or a sweep with results."),
    date: str = typer.Option(..., help="Column of dates, such as 2012-06-14, 2012-06, 2012 or 2012.45."),
    value: str = typer.Option(..., help="Column or expression of values, above 0."),
    sigma: str = typer.Option(None, help="Column with the standard deviation of log10 value."),
    group: str = typer.Option(None, help="Column of clusters, such as the organisation."),
    unit: str = typer.Option(None, help="Column of units or number formats, which must all be equal."),
    where: str = typer.Option(
        None, help="Keep only rows for which this is true, such as \"domain == 'Language'\"."
    ),
    decimal: str = typer.Option(None, help="Decimal mark, . or , if a comma could be either mark."),
    since: float = typer.Option(None, callback=between(-1e5, 1e5), help="First year, decimal."),
    until: float = typer.Option(None, callback=between(-1e5, 1e5), help="Last year, decimal."),
    frontier: str = typer.Option(
        "all", help="Rows at release: all, top-1, top-3, top-5, top-10, top-20, p75 or p90."
    ),
    horizon: float = typer.Option(
        3.0, callback=between(0, 1_000), help="Number of years ahead that the hindcast forecasts."
    ),
    keep_duplicates: bool = typer.Option(
        False, "--keep-duplicates", help="Keep rows that are equal to another row."
    ),
    as_json: bool = JSON,
    level: float | None = LEVEL,
) -> None:
    """Fit growth rate, shape and breaks of your own table."""
    from scaling.trends.answers.own import answer, read

    found = read(
        table,
        date=date,
        value=value,
        sigma=sigma,
        group=group,
        unit=unit,
        where=where,
        decimal=decimal,
        keep_duplicates=keep_duplicates,
    )
    payload = answer(
        found,
        since=since,
        until=until,
        frontier=frontier,
        horizon=horizon,
        level=0.9 if level is None else level,
    )
    finish(payload, as_json, None, ())

"""Published growth rates recomputed, and the same for a table of your own."""

from __future__ import annotations

import typer

from scaling.cli.trends import JSON, LEVEL, finish, trends


@trends.command()
def verify(as_json: bool = JSON) -> None:
    """Recomputes every published figure that is known here.

    Leaves with 1 when one differs.
    """
    from scaling.trends.verify.verdicts import verify as answer

    payload = answer()
    finish(payload, as_json, None, ())
    if payload["failed"]:
        raise typer.Exit(1)


@trends.command()
def fit(
    table: str = typer.Argument(..., help="CSV, TSV, Parquet, JSON or JSONL, or a sweep with results."),
    date: str = typer.Option(..., help="Column of dates: 2012-06-14, 2012-06, 2012 or decimal years."),
    value: str = typer.Option(..., help="Column or expression of values, above 0."),
    sigma: str = typer.Option(None, help="Column with the standard deviation of log10 value."),
    group: str = typer.Option(None, help="Column of clusters, such as the organisation."),
    unit: str = typer.Option(
        None, help="Column of units or number formats: a table that mixes them is refused."
    ),
    where: str = typer.Option(None, help="Only rows for which this holds, as in \"domain == 'Language'\"."),
    decimal: str = typer.Option(None, help="The mark before decimals, . or , where commas could be either."),
    since: float = typer.Option(None, help="First decimal year."),
    until: float = typer.Option(None, help="Last decimal year."),
    frontier: str = typer.Option(
        "all", help="all, top-1, top-3, top-5, top-10, top-20, p75 or p90 at release."
    ),
    horizon: float = typer.Option(3.0, help="Years ahead that the hindcast scores."),
    keep_duplicates: bool = typer.Option(False, "--keep-duplicates", help="Equal rows are meant."),
    as_json: bool = JSON,
    level: float | None = LEVEL,
) -> None:
    """Growth rate, shapes and breaks of your own table."""
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

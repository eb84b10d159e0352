"""The verb `compare`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from scaling.cli import app, say
from scaling.cli.fits import (
    CColumn,
    Cluster,
    Columns,
    DColumn,
    Decimal,
    Delta,
    Fixed,
    Json,
    LawName,
    Level,
    LossColumn,
    NColumn,
    Objective,
    Resamples,
    Seed,
    Tied,
    Where,
    columns_of,
    finish,
    number_or_auto,
    pairs_of,
)

OutBeside = Annotated[
    str | None,
    typer.Option(help="Also write the JSON to this file. Default with --by: compare.json beside the ledger."),
]


@app.command()
def compare(
    sources: Annotated[
        list[str],
        typer.Argument(help="Two or more tables or sweeps, the baseline first; or one table with --by."),
    ],
    by: Annotated[str | None, typer.Option(help="Split one table by this column, such as family.")] = None,
    base: Annotated[str | None, typer.Option(help="With --by: the value of the baseline.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="Names of the tables, in order; repeatable.")
    ] = None,
    law: LawName = "chinchilla",
    n: NColumn = None,
    d: DColumn = None,
    c: CColumn = None,
    loss: LossColumn = None,
    column: Columns = None,
    where: Where = None,
    decimal: Decimal = None,
    objective: Objective = "huber",
    delta: Delta = "auto",
    fix: Fixed = None,
    tie: Tied = None,
    bootstrap: Annotated[str, typer.Option(help="pairs, stratified, cluster, wild or parametric.")] = "pairs",
    cluster: Cluster = None,
    resamples: Resamples = 1000,
    level: Level = 0.95,
    seed: Seed = 0,
    out: OutBeside = None,
    as_json: Json = False,
) -> None:
    """Compare the scaling exponents and efficiency of tables.

    Print the exponents with their differences and p-values, which exponents the tables may share, and the
    compute-equivalent gain over the baseline.
    """
    from pathlib import Path

    from scaling.errors import ConfigError
    from scaling.fitting import laws
    from scaling.fitting.comparison.compare import compare as run
    from scaling.fitting.fit import read_for
    from scaling.trends.worth.exchange import of_comparison

    form = laws.get(law)
    columns = columns_of(n, d, c, loss, column)
    tables = [
        read_for(form, source, columns=columns, where=where, decimal=decimal, by=by) for source in sources
    ]
    labels = list(label or [])
    if by is not None:
        if len(tables) != 1:
            raise ConfigError(
                f"--by splits one table, but {len(tables)} are given; give one table, or leave --by out"
            )
        names, tables = split(tables[0], by, base)
        labels = labels or names
    labels = labels or [Path(source).name.partition(".")[0] or source for source in sources]
    if len(labels) != len(tables):
        raise ConfigError(
            f"there are {len(labels)} labels for {len(tables)} tables; give one --label for each"
        )
    if len(set(labels)) != len(labels):
        raise ConfigError(
            f"two tables are called {max(labels, key=labels.count)!r}; give each its own name with --label"
        )
    comparison = run(
        dict(zip(labels, tables, strict=True)),
        form,
        objective=objective,
        delta=number_or_auto("--delta", delta),
        fixed=pairs_of("--fix", fix, number=True),
        tied=pairs_of("--tie", tie, number=False),
        bootstrap=bootstrap,
        cluster=cluster,
        resamples=resamples,
        level=level,
        seed=seed,
    )
    worth = of_comparison([gain.to_json() for gain in comparison.gains])

    def text() -> None:
        say(str(comparison))
        for each in worth:
            say(f"\n{each['of']} over {each['over']}: {each['words']}")

    finish({**comparison.to_json(), "worth": worth}, out or beside(sources, by, where), as_json, text)


def beside(sources: list[str], by: str | None, where: str | None) -> str | None:
    """Return where a sweep's report reads the comparison of its families, or None for other comparisons."""
    from scaling.tables import ledger

    if by != "family" or where is not None:
        return None
    path = ledger.find(sources[0])
    return str(path.parent / "compare.json") if path else None


def split(table: Any, by: str, base: str | None) -> tuple[list[str], list[Any]]:
    """Split a table by the values of a column; return the values and the parts, the baseline first."""
    import numpy as np

    from scaling.errors import ConfigError, one_of
    from scaling.tables.expression import evaluate

    values = np.asarray(evaluate(by, table.frame)).astype(str)
    names = sorted({str(value) for value in values})
    if len(names) < 2:
        raise ConfigError(
            f"the column {by!r} has only the value {names[0]!r}; choose a column with two or more values"
        )
    if base is not None:
        if base not in names:
            raise ConfigError(one_of("--base", base, names))
        names.sort(key=lambda name: name != base)
    return names, [table.take(values == name) for name in names]

"""Fit a law to a table of runs: optimum, intervals, certificate and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scaling.errors import ConfigError, FitError, one_of
from scaling.fitting import laws
from scaling.fitting.approaches.agreement import run
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.certificate import certify
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import solve
from scaling.fitting.law import Law
from scaling.fitting.options import Options, check_values
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit
from scaling.fitting.table import LETTERS, Table, read
from scaling.fitting.uncertainty.bootstrap import bootstrap
from scaling.fitting.uncertainty.profile import up_from_zero
from scaling.fitting.warnings import warnings
from scaling.tables.columns import numbers


def fit(
    table: Any,
    law: str | Law = "chinchilla",
    *,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    decimal: str | None = None,
    options: Options | None = None,
    **more: Any,
) -> Fit:
    """Fit a law to a table of runs.

    table: a path, a ledger's folder, a sweep's name, a DataFrame, a mapping of columns, or a Table.
    law: a name of the catalogue, `path.py:name`, or a Law.
    columns: the column or expression behind each letter of the law; a letter may also be a keyword, as in
    `N="params_m * 1e6"`.
    where: keeps the rows for which this expression is true.
    decimal: the decimal mark, "." or ",", for a table whose commas could be decimal marks or separators.
    options: how to fit; each field of `Options` may also be a keyword, as in `bootstrap="cluster"`.

    Raises TableError for data that cannot be used, FitError for data that cannot support the law, and
    ConfigError for options that contradict each other.
    """
    law = laws.get(law) if isinstance(law, str) else law
    letters, asked = _keywords(law, more)
    options = replace(options or Options(), **asked)
    columns = {**(columns or {}), **letters}
    if not isinstance(table, Table) or columns or where or decimal:
        table = read_for(law, table, columns=columns, where=where, decimal=decimal)
    labels = table.labels(options.cluster) if options.cluster else None
    problem = make_problem(law, table, options)
    tell("search")
    optimum = solve(problem)
    problem = replace(problem, loss=optimum.loss)
    draws = None
    tell("bootstrap")
    if options.bootstrap != "none" and options.resamples and table.n > len(optimum.u):
        draws = bootstrap(
            problem,
            optimum,
            name=options.bootstrap,
            resamples=options.resamples,
            seed=options.seed,
            labels=labels,
        )
    certificate = certify(problem, optimum)
    tell("approaches")
    found = run(
        law,
        table,
        optimum,
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
        draws=draws,
        curve=options.curve,
        undetermined=certificate.undetermined,
    )
    made = Fit(
        law=law,
        table=table,
        options=options,
        problem=problem,
        optimum=optimum,
        draws=draws,
        certificate=certificate,
        at_zero=up_from_zero(problem, optimum, options.level),
        approaches=found,
        warnings=(),
    )
    return replace(made, warnings=warnings(made))


def _keywords(law: Law, more: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the columns by letter and the options among the keywords of a fit. Raises ConfigError for any
    other keyword."""
    letters = dict.fromkeys((*law.variables, law.target, *LETTERS))
    columns, asked = {}, {}
    for name, value in more.items():
        if name in Options.__dataclass_fields__:
            asked[name] = value
        elif name not in letters:
            raise ConfigError(one_of("a keyword of the fit", name, (*letters, *Options.__dataclass_fields__)))
        elif isinstance(value, str):
            columns[name] = value
        else:
            shown = repr(value) if isinstance(value, int | float) else f"a {type(value).__name__}"
            raise ConfigError(
                f"{name} is {shown}; give the name of a column or an expression in quotes, as in "
                f'{name}="params * 1e6"'
            )
    return columns, asked


def read_for(
    law: Law,
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    decimal: str | None = None,
    by: str | None = None,
) -> Table:
    """Read the columns that a law needs; `by` is the column that the table will be split by."""
    return read(
        source,
        need=law.variables,
        target=law.target,
        columns=columns,
        where=where,
        signed=law.signed,
        decimal=decimal,
        by=by,
    )


def columns_for(law: Law, table: Table) -> dict[str, Array]:
    """Return the variables (n,) of a law by letter, its optional ones where the table has them."""
    x = {name: table.values[name] for name in law.variables}
    for name in law.optional:
        if name in table.values:
            x[name] = table.values[name]
        elif name in table.frame.columns:
            x[name] = numbers(name, name, table.frame, positive=name not in law.signed)
    return x


def make_problem(law: Law, table: Table, options: Options) -> Problem:
    """Return the solver's view of a law on a table. Raises FitError with fewer points than free
    parameters."""
    x = columns_for(law, table)
    y = table.values[law.target]
    scale = options.scale or law.scale
    if scale == "log" and (y <= 0).any():
        raise ConfigError(
            f'{law.target} has values at or below zero, which have no logarithm; take scale="raw"'
        )
    check_values(law, options, x, y)
    delta = None if options.delta == "auto" else float(options.delta)
    loss = Loss(name=options.objective, scale=scale, delta=delta, tau=options.tau)
    coordinates = build(law, x, y, fixed=options.fixed, tied=options.tied, bounds=options.bounds)
    free = len(coordinates.names)
    if table.n < free:
        raise FitError(
            f"{law.name} has {free} free parameters and the table {table.n} rows; add runs, or hold a "
            f"parameter, as in --fix {law.names[0]}=VALUE"
        )
    weights = np.ones(table.n)
    if options.weights:
        weights = numbers(options.weights, "weights", table.frame)
        weights = weights / weights.mean()
    return Problem(
        law=law,
        x=x,
        y=y,
        weights=weights,
        coordinates=coordinates,
        loss=loss,
        starts=options.starts,
        seed=options.seed,
    )

"""`Law.fit(table) -> Fit`: the optimum, its intervals, its certificate and its warnings; the repr is the
report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import ConfigError, FitError
from scaling.fitting.approaches.agreement import Approaches, run
from scaling.fitting.estimation.certificate import Certificate, certify
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Optimum, solve
from scaling.fitting.law import Array, Law, Values
from scaling.fitting.options import Options, check_values, make_options
from scaling.fitting.progress import tell
from scaling.fitting.table import Table, read
from scaling.fitting.uncertainty.bootstrap import Draws, bootstrap
from scaling.fitting.uncertainty.estimate import Estimate, undetermined
from scaling.fitting.uncertainty.profile import up_from_zero
from scaling.tables.columns import numbers

if TYPE_CHECKING:
    from scaling.fitting.validation.validate import Validation


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Fit:
    """A law with estimated parameters, their uncertainty and a certificate."""

    law: Law
    """What was fitted."""
    table: Table
    """To what."""
    options: Options
    """How."""
    problem: Problem
    """The solver's view: for refits, profiles and checks."""
    optimum: Optimum
    """The best point and its basins."""
    draws: Draws | None
    """Parameters of every resample, None without bootstrap."""
    certificate: Certificate
    """Whether this is the optimum and how well it is determined."""
    at_zero: Mapping[str, Estimate]
    """Floors and amplitudes at zero, up to where their profiles rise."""
    approaches: Approaches | None
    """Approaches 1, 2, 3 where N, D and L are there."""
    warnings: tuple[str, ...]
    """What a reader should know before using a number, in words."""

    @property
    def theta(self) -> Array:
        """(P,) parameters in the law's order."""
        return self.optimum.theta

    @property
    def values(self) -> dict[str, float]:
        """Parameters by name."""
        return {name: float(value) for name, value in zip(self.law.names, self.theta, strict=True)}

    @property
    def parameters(self) -> dict[str, Estimate]:
        """Parameters with intervals."""
        return {name: self._parameter(name) for name in self.law.names}

    def _parameter(self, name: str) -> Estimate:
        level = self.options.level
        partner = self.options.tied.get(name, name)
        if partner in self.options.fixed:
            return Estimate(value=self.values[name], interval=None, level=level, method="held at this value")
        if partner in self.at_zero:
            ends = self.at_zero[partner].interval
            if ends is not None and not np.isfinite(ends).all():
                return undetermined("zero fits best and nothing in the data bounds it from above", level)
            return self.at_zero[partner]
        if partner in self.certificate.undetermined:
            return undetermined(self.certificate.undetermined[partner], level)
        return self._estimate(lambda p: p[name])

    @property
    def derived(self) -> dict[str, Estimate]:
        """What follows from the parameters, with intervals."""
        return {name: self._derived(function) for name, function in self.law.derived.items()}

    def _derived(self, function: Any) -> Estimate:
        for name, why in self.certificate.undetermined.items():
            if not self.certificate.settled or self._rests_on(function, name):
                return undetermined(why, self.options.level)
        return self._estimate(function)

    def _rests_on(self, function: Any, name: str) -> bool:
        """Whether a function of the parameters changes with one of them."""
        moved = self.law.values(self.theta * np.where(np.array(self.law.names) == name, 1.1, 1.0) + 0.0)
        with np.errstate(all="ignore"):
            before, after = (float(np.squeeze(function(p))) for p in (self.law.values(self.theta), moved))
        return not np.isclose(before, after, rtol=1e-12, atol=0)

    def _estimate(self, function: Any) -> Estimate:
        with np.errstate(all="ignore"):
            value = float(np.squeeze(function(self.law.values(self.theta))))
            if not np.isfinite(value):
                return undetermined("it has no finite value at the fitted parameters", self.options.level)
            if self.draws is None:
                spare = self.table.n - len(self.optimum.u)
                method = "none asked" if spare > 0 else "none: as many parameters as rows"
                return Estimate(value=value, interval=None, level=self.options.level, method=method)
            drawn = np.asarray(function(self.law.values(self.draws.theta)), dtype=np.float64)
        return self.draws.estimate(value, drawn, self.options.level)

    def quantity(self, function: Any) -> Estimate:
        """Any function of the parameter values p (p[name] broadcasts as (..., 1)), with its interval."""
        return self._estimate(function)

    def predict(self, x: Values) -> Array:
        """Predicted target (n,) at variables x by letter."""
        return self.law.predict(
            self.theta, {k: np.atleast_1d(np.asarray(v, dtype=np.float64)) for k, v in x.items()}
        )

    def predict_interval(self, x: Values) -> tuple[Array, Array]:
        """Lower and upper end (n,) of the interval of the mean prediction, from the bootstrap draws."""
        if self.draws is None:
            raise FitError(
                'this fit was made without a bootstrap; fit again with bootstrap="pairs" for intervals'
            )
        drawn = self.law.predict(
            self.draws.theta, {k: np.atleast_1d(np.asarray(v, dtype=np.float64)) for k, v in x.items()}
        )
        tail = (1 - self.options.level) / 2
        low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
        return low, high

    @cached_property
    def validation(self) -> Validation:
        """Backtests, calibration, selection, influence, multiverse, checklist: made when first looked at."""
        from scaling.fitting.validation.validate import validate

        return validate(self)

    def forecast(self, x: Values) -> dict[str, Any]:
        """Prediction at variables x with its nominal interval and the one calibrated by backtests."""
        from scaling.fitting.validation.backtest import forecast

        return forecast(self, self.validation.backtest, x)

    def to_json(self, *, quick: bool = False) -> dict[str, Any]:
        """Plain data in the schema of `fit.json`; without the checks when `quick`."""
        from scaling.fitting.report import to_json

        return to_json(self, quick=quick)

    def __repr__(self) -> str:
        from scaling.fitting.report import text

        return text(self)


def fit(
    law: Law,
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    decimal: str | None = None,
    options: Options | None = None,
    **asked: Any,
) -> Fit:
    """Fits `law` to a table: a path, a sweep's name, a DataFrame, or a Table.

    `columns` maps letters to columns or expressions, `where` filters rows, `decimal` is the mark before
    decimals where a comma could be either; other keywords are fields of `Options`. Raises TableError for data
    that cannot be used, FitError for data that cannot support the law, ConfigError for options that
    contradict.
    """
    options = make_options(options, asked)
    if isinstance(source, Table):
        table = source
    else:
        table = read_for(law, source, columns=columns, where=where, decimal=decimal)
    problem = make_problem(law, table, options)
    tell("search")
    optimum = solve(problem)
    problem = replace(problem, loss=optimum.loss)
    draws = None
    tell("bootstrap")
    if options.bootstrap != "none" and options.resamples and table.n > len(optimum.u):
        labels = table.labels(options.cluster) if options.cluster else None
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
    from scaling.fitting.warnings import warnings

    return replace(made, warnings=warnings(made))


def read_for(
    law: Law,
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    decimal: str | None = None,
) -> Table:
    """Reads the columns that a law needs."""
    return read(
        source,
        need=law.variables,
        target=law.target,
        columns=columns,
        where=where,
        signed=law.signed,
        decimal=decimal,
    )


def columns_for(law: Law, table: Table) -> dict[str, Array]:
    """The variables (n,) of a law by letter, its optional ones where the table has them."""
    x = {name: table.values[name] for name in law.variables}
    for name in law.optional:
        if name in table.values:
            x[name] = table.values[name]
        elif name in table.frame.columns:
            x[name] = numbers(name, name, table.frame, positive=name not in law.signed)
    return x


def make_problem(law: Law, table: Table, options: Options) -> Problem:
    """The solver's view of a law on a table. Raises FitError with fewer points than free parameters."""
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

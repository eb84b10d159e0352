"""Define the result of a fit: the law, its estimated parameters with intervals, certificate and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import ConfigError, one_of
from scaling.fitting.approaches.agreement import Approaches
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.certificate import Certificate
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Optimum
from scaling.fitting.law import Law
from scaling.fitting.options import Options
from scaling.fitting.table import Table
from scaling.fitting.uncertainty.bootstrap import Draws
from scaling.fitting.uncertainty.estimate import Estimate, frame, html, undetermined


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """The mean prediction of a law at some points."""

    at: Mapping[str, Array]
    """Variables by letter, each (m,)."""
    value: Array
    """(m,) in the units of the target."""
    interval: tuple[Array, Array] | None
    """Lower and upper end (m,), from the bootstrap; None for a fit without one."""
    level: float
    """Nominal coverage of the interval of the mean. A single run also varies by seed noise."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point: the variables, value, low and high."""
        low, high = self.interval or (np.nan, np.nan)
        return pd.DataFrame({**self.at, "value": self.value, "low": low, "high": high})

    def _repr_html_(self) -> str:
        return html(self.to_frame())


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Fit:
    """A law with estimated parameters, their uncertainty and a certificate."""

    law: Law
    """Law that was fitted."""
    table: Table
    """Table that the law was fitted to."""
    options: Options
    """Options of the fit."""
    problem: Problem
    """Problem of the solver, for refits, profiles and checks."""
    optimum: Optimum
    """The best point and its basins."""
    draws: Draws | None
    """Parameters of every resample; None without bootstrap."""
    certificate: Certificate
    """Whether this is the optimum and how well it is determined."""
    at_zero: Mapping[str, Estimate]
    """Estimates of floors and amplitudes at zero, with intervals up to where their profiles rise."""
    approaches: Approaches | None
    """Approaches 1, 2 and 3, where the table has N, D and L."""
    warnings: tuple[str, ...]
    """Warnings, one sentence each."""

    @property
    def theta(self) -> Array:
        """Return the parameters (P,) in the law's order."""
        return self.optimum.theta

    @property
    def values(self) -> dict[str, float]:
        """Return the parameters by name."""
        return {name: float(value) for name, value in zip(self.law.names, self.theta, strict=True)}

    @cached_property
    def parameters(self) -> dict[str, Estimate]:
        """Return the parameters with intervals."""
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

    @cached_property
    def derived(self) -> dict[str, Estimate]:
        """Return the quantities derived from the parameters, with intervals."""
        return {name: self._derived(function) for name, function in self.law.derived.items()}

    def _derived(self, function: Any) -> Estimate:
        for name, why in self.certificate.undetermined.items():
            if not self.certificate.settled or self._rests_on(function, name):
                return undetermined(why, self.options.level)
        return self._estimate(function)

    def _rests_on(self, function: Any, name: str) -> bool:
        """Return whether a function of the parameters changes with one of them."""
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

    def predict(self, **at: Any) -> Prediction:
        """Return the mean prediction at variables by letter, as in `predict(N=1e9, D=2e10)`.

        Every variable is a number or an array (m,). Raises ConfigError for a variable that is missing or that
        the law does not have, and for values that no run can have.
        """
        known = (*self.law.variables, *self.law.optional)
        for name in at:
            if name not in known:
                raise ConfigError(one_of(f"a variable of {self.law.name}", name, known))
        if missing := [name for name in self.law.variables if name not in at]:
            raise ConfigError(
                f"{self.law.name} needs a value of {', '.join(missing)}; give all of "
                f"{', '.join(self.law.variables)}"
            )
        x = numbers(at)
        interval = None
        if self.draws is not None:
            tail = (1 - self.options.level) / 2
            low, high = np.nanquantile(self.law.predict(self.draws.theta, x), [tail, 1 - tail], axis=0)
            interval = (low, high)
        value = self.law.predict(self.theta, x)
        return Prediction(at=x, value=value, interval=interval, level=self.options.level)

    def to_frame(self) -> pd.DataFrame:
        """Return every parameter and derived quantity: value, low, high, level and method by name.

        A quantity that the data do not determine has no value, and its method says why.
        """
        return frame({**self.parameters, **self.derived})

    def __repr__(self) -> str:
        return self.text()

    def text(self, checks: str = "") -> str:
        """Return the report: estimates, approaches, certificate, the given checks, and warnings last."""
        loss, certificate = self.problem.loss, self.certificate
        method = self.draws.method if self.draws is not None else "no intervals asked"
        lines = [
            f"{self.law.name}: {self.law.formula}   ({self.law.source})",
            f"{self.table.n} of {self.table.rows} rows of {self.table.path}",
            f"{loss.words()} = {self.optimum.objective:.10g}",
            f"{self.options.level:.0%} intervals: {method}",
            "",
        ]
        rows = [*self.parameters.items(), *self.derived.items()]
        width = max(len(name) for name, _ in rows)
        lines += [f"  {name:<{width}}  {value}" for name, value in rows]
        if self.approaches is not None:
            lines += ["", f"approaches: {self.approaches.words}"]
        lines += [
            "",
            f"certificate: {'holds' if certificate.ok else 'does not hold'}; "
            f"{certificate.reached} of {certificate.starts} starts reached the best of "
            f"{len(certificate.basins)} basins; "
            f"{certificate.steepness}; Hessian "
            f"{'definite' if certificate.definite else 'not definite'}",
            f"  {certificate.ridge}",
        ]
        if certificate.rescaling is not None:
            lines.append(f"  in other units predictions change by {certificate.rescaling:.1e}")
        if checks:
            lines += ["", checks]
        if self.warnings:
            lines += ["", "warnings:", *(f"  - {warning}" for warning in self.warnings)]
        return "\n".join(lines)


def numbers(at: Mapping[str, Any]) -> dict[str, Array]:
    """Return variables as arrays of equal length or of length 1. Raises ConfigError."""
    x: dict[str, Array] = {}
    for name, value in at.items():
        try:
            x[name] = np.atleast_1d(np.asarray(value, dtype=np.float64))
        except (TypeError, ValueError):
            raise ConfigError(f"{name} is {value!r}; give a number, or an array of numbers") from None
        if name in ("N", "D", "C") and not (np.isfinite(x[name]) & (x[name] > 0)).all():
            raise ConfigError(f"{name} is {value!r}; it must be positive")
    lengths = {name: len(values) for name, values in x.items() if len(values) > 1}
    if len(set(lengths.values())) > 1:
        words = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ConfigError(f"the variables have different lengths, {words}; give arrays of one length")
    return x

"""Define the options of a fit and check them for contradictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np

from scaling.errors import ConfigError, one_of, quoted
from scaling.fitting import ranges
from scaling.fitting.approaches.profiles import CURVES
from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law
from scaling.fitting.uncertainty import resampling

GROUPED = ("cluster", "stratified", "wild")
"""Bootstraps that draw groups of rows."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a fit besides law and table. The same options and table give the same numbers."""

    objective: str = "huber"
    """Name of the objective: huber, lad, squares, asymmetric or likelihood."""
    scale: str | None = None
    """Scale of the residuals: log or raw; None takes the law's default."""
    delta: float | str = "auto"
    """Huber's δ, or "auto" for 1.345 robust standard deviations of the residuals of absolute deviations.
    Publications use 1e-3, far below the residuals of most tables; intervals are then a third wider and
    cover more than their level."""
    tau: float = 0.25
    """Share of the weight on runs above the law, for the asymmetric objective."""
    fixed: Mapping[str, float] = field(default_factory=dict)
    """Values of parameters that are held fixed."""
    tied: Mapping[str, str] = field(default_factory=dict)
    """Parameters that are held equal to another one."""
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Tighter bounds than the law's."""
    weights: str | None = None
    """A column or expression of weights."""
    starts: int = 24
    """Random starts."""
    bootstrap: str = "pairs"
    """Kind of bootstrap: pairs, stratified, cluster, wild, parametric or none."""
    resamples: int = 1000
    """Number of resamples of the bootstrap."""
    cluster: str | None = None
    """Column of clusters (checkpoints of one run) or of strata."""
    level: float = 0.95
    """Nominal coverage of every interval."""
    seed: int = 0
    """Seed of starts and resamples."""
    curve: str = "parabola"
    """Curve of loss against log size within each budget of approach 2: parabola, robust, cubic or akima."""

    def __post_init__(self) -> None:
        resampling.check(self.bootstrap)
        within("level", self.level, ranges.LEVEL, whole=False)
        within("starts", self.starts, ranges.STARTS)
        within("resamples", self.resamples, ranges.RESAMPLES)
        within("seed", self.seed, ranges.SEED)
        if self.delta != "auto" and not _number(self.delta):
            raise ConfigError(f"delta is {quoted(self.delta)}; give a number above zero, or auto")
        if not _number(self.tau):
            raise ConfigError(f"tau is {quoted(self.tau)}; give a number between 0 and 1")
        self._named("fixed", _number, "a number, as in fixed={'E': 1.69}")
        self._named("tied", lambda v: isinstance(v, str), "another name, as in tied={'beta': 'alpha'}")
        self._named("bounds", _pair, "two numbers, as in bounds={'E': (0, 2)}")
        if self.curve not in CURVES:
            raise ConfigError(one_of("the curve of approach 2", self.curve, CURVES))
        if self.bootstrap in ("cluster", "stratified") and self.cluster is None:
            raise ConfigError(
                f"a {self.bootstrap} bootstrap needs a column to group by; name it with --cluster"
            )
        self._idle()

    def _named(self, option: str, fits: Callable[[Any], bool], what: str) -> None:
        """Raise ConfigError unless an option maps names to values that fit."""
        given = getattr(self, option)
        if not isinstance(given, Mapping) or not all(map(fits, given.values())):
            raise ConfigError(f"{option} is {quoted(given)}; give each name {what}")

    def _idle(self) -> None:
        """Raise ConfigError for an option that has no effect beside the others."""
        if self.tau != Options.tau and self.objective != "asymmetric":
            raise ConfigError(
                f"tau is {self.tau:g} and the objective {self.objective}, which has no tau; take the "
                "objective asymmetric, or leave tau out"
            )
        if self.delta != "auto" and self.objective not in ("huber", "asymmetric"):
            raise ConfigError(
                f"delta is {self.delta:g} and the objective {self.objective}, which has no delta; take the "
                "objective huber, or leave delta out"
            )
        if self.cluster is not None and self.bootstrap not in GROUPED:
            raise ConfigError(
                f"the cluster column {self.cluster!r} is named and the bootstrap {self.bootstrap} does not "
                f"group rows; take --bootstrap {', '.join(GROUPED[:-1])} or {GROUPED[-1]}, or leave "
                "--cluster out"
            )
        for name in self.bounds:
            held = (
                "fixed" if name in self.fixed else f"tied to {self.tied[name]}" if name in self.tied else None
            )
            if held is not None:
                raise ConfigError(
                    f"{name} has bounds and is also {held}, so its bounds have no effect; leave one of the "
                    "two out"
                )


def within(name: str, value: Any, allowed: tuple[float, float], whole: bool = True) -> None:
    """Raise ConfigError unless a value is a number, or a whole number, of the allowed range."""
    low, high = allowed
    if not (_number(value) and low <= value <= high and (not whole or isinstance(value, Integral))):
        raise ConfigError(
            f"{name} is {quoted(value)}; give a {'whole number' if whole else 'number'} from {low:,.12g} to "
            f"{high:,.12g}"
        )


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _pair(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(map(_number, value))


def check_values(law: Law, options: Options, x: Values, y: Array) -> None:
    """Raise ConfigError for values and bounds that a parameter of the law cannot take on variables x and
    targets y, each (n,)."""
    held = [(name, "fixed at", (value, value)) for name, value in options.fixed.items()]
    for name, verb, (low, high) in [*held, *((k, "bounded by", pair) for k, pair in options.bounds.items())]:
        parameter = law.parameter(name)
        words = f"{name} is {verb} " + (f"{low:g}" if verb == "fixed at" else f"{low:g} and {high:g}")
        if np.isnan([low, high]).any() or (verb == "fixed at" and np.isinf(low)):
            raise ConfigError(f"{words}, which is not a finite number; give one")
        if low > high:
            raise ConfigError(f"{words}; give the lower bound first")
        if parameter.positive and (high < 0 or (high == 0 and (verb != "fixed at" or not parameter.zero))):
            allowed = "at or above" if parameter.zero else "above"
            raise ConfigError(f"{words}, and it is {parameter.meaning}, {allowed} zero; give a higher value")
        floor = parameter.zero and not parameter.centre
        if floor and low > y.min():
            raise ConfigError(
                f"{words}, and the smallest {law.target} of the table is {y.min():.6g} in row "
                f"{int(y.argmin()) + 1}, which a law with that floor never reaches; give a value below it, "
                f"or leave {name} free"
            )
    for parameter in law.parameters:
        for variable, power, _ in parameter.centre:
            most = 600 / max(float(np.abs(np.log(x[variable])).max()), 1.0)
            if abs(options.fixed.get(power, 0.0)) > most:
                raise ConfigError(
                    f"{power} is fixed at {options.fixed[power]:g}, where its power of {variable} leaves the "
                    f"range of floating point; give a value within ±{most:.3g}"
                )

"""Map a law's parameters to the coordinates that the solver searches.

Floors and amplitudes are searched on a linear scale from zero up, in units of the target. A logarithmic scale
has no zero: for a term that the data do not show, the search would creep along a flat valley until rounding
stops it. An amplitude stands for the size of its term at the centre of the data. Other positive parameters
are searched as logarithms. Fixed and tied parameters are removed.

v = R u + offset (affine). θ = exp(v + pull) for logarithmic coordinates, else scale × v × exp(pull). The
centring is pull = S v and depends on exponents only. An optimum in u is the optimum in θ, and the solver's
problem does not depend on the units of N, D or the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scaling.errors import ConfigError
from scaling.fitting.arrays import Array, Flags, Values
from scaling.fitting.law import Law

FAR = 60.0
"""Search range of a logarithm around its unit: beyond any meaningful value, with finite exponentials."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Coordinates:
    """The map between natural parameters θ (..., P) and free search coordinates u (..., q)."""

    law: Law
    """Law whose parameters are mapped."""
    log: Flags
    """(P,) whether a parameter is searched as a logarithm."""
    scale: Array
    """(P,) natural value at coordinate 1, for parameters that are not searched as logarithms."""
    shift: Array
    """(P, P) matrix S of the centring: a centred amplitude is shifted by −sign × mean log × exponent."""
    free: Array
    """(P, q) matrix R of v = R u + offset; a tied parameter has the row of its partner."""
    offset: Array
    """(P,) constants of v = R u + offset: the values of fixed parameters and of those tied to them."""
    lower: Array
    """(q,) bounds in u."""
    upper: Array
    """(q,) bounds in u."""
    names: tuple[str, ...]
    """(q,) the parameter behind each free coordinate."""
    ranges: Array
    """(q, 2) range of random starts: of the logarithm for positive parameters."""
    linear: Flags
    """(q,) whether starts are drawn in logarithms although the search is linear."""

    def centred(self, u: Array) -> Array:
        """Return v (..., P) of u (..., q)."""
        return np.asarray(u @ self.free.T + self.offset)

    def natural(self, u: Array) -> Array:
        """Return θ (..., P) of u (..., q)."""
        v = self.centred(u)
        pull = v @ self.shift.T
        return np.where(self.log, np.exp(np.where(self.log, v + pull, 0.0)), self.scale * v * np.exp(pull))

    def search(self, theta: Array) -> Array:
        """Return u (..., q) of θ (..., P), the inverse of `natural`.

        θ must agree with the fixed and tied parameters.
        """
        log = np.log(np.where(self.log, np.maximum(theta, 1e-300), 1.0))
        plain = np.where(self.log, log, theta / self.scale)
        pull = plain @ self.shift.T
        v = np.where(self.log, plain - pull, plain * np.exp(-pull))
        return np.asarray((v - self.offset) @ np.linalg.pinv(self.free).T)

    def slopes(self, u: Array) -> Array:
        """Return dθ/du (..., P, q) at u (..., q)."""
        v = self.centred(u)
        grown = np.exp(v @ self.shift.T)
        theta = self.natural(u)
        own = np.where(self.log, theta, self.scale * grown)
        return np.asarray(own[..., None] * self.free + theta[..., None] * (self.shift @ self.free))

    def jacobian(self, u: Array, slopes: Array) -> Array:
        """Return d f/du (..., n, q) of d f/dθ (..., n, P) at u (..., q)."""
        return np.asarray(slopes @ self.slopes(u))

    def zero(self, u: Array) -> Flags:
        """Return (..., q): which coordinates are floors or amplitudes that lie at zero."""
        return np.asarray(self.linear & (np.asarray(u) <= self.lower) & (self.lower == 0))

    def starts(self, count: int, seed: int) -> Array:
        """Return random starts (count, q), of which the first is the middle of every range. The same seed
        gives the same starts."""
        rng = np.random.default_rng(seed)
        draws = rng.random((count, len(self.names)))
        draws[0] = 0.5
        u = self.ranges[:, 0] + draws * (self.ranges[:, 1] - self.ranges[:, 0])
        u = np.where(self.linear, np.exp(np.where(self.linear, u, 0.0)), u)
        return np.clip(u, self.lower, self.upper)


def build(
    law: Law,
    x: Values,
    y: Array,
    *,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Coordinates:
    """Return the coordinates for one law on one table.

    Raises ConfigError where fixed values, ties and bounds contradict each other or the law.
    """
    fixed, tied, bounds = dict(fixed or {}), dict(tied or {}), dict(bounds or {})
    names, size = law.names, len(law.names)
    index = {name: i for i, name in enumerate(names)}
    for name in (*fixed, *tied, *tied.values(), *bounds):
        law.parameter(name)
    for name, partner in tied.items():
        if name in fixed or partner in tied or name == partner:
            raise ConfigError(
                f"{name} is tied to {partner} and also fixed or tied in a ring; tie each parameter to "
                "one free partner"
            )
        if law.parameter(name).positive != law.parameter(partner).positive:
            raise ConfigError(
                f"{name} cannot be tied to {partner}: one must stay positive and the other not; tie "
                "alike parameters"
            )
    for name, partner in list(tied.items()):
        if partner in fixed:
            fixed[name] = fixed[partner]
            del tied[name]
    typical = float(np.exp(np.mean(np.log(np.maximum(np.abs(y), 1e-300)))))
    units = np.array(
        [
            typical if p.unit == "target" else float(np.exp(_mean_log(x[p.unit]))) if p.unit else 1.0
            for p in law.parameters
        ]
    )
    # A fixed, tied or bounded amplitude refers to variable = 1, so it is searched uncentred, and as a
    # logarithm because its order of magnitude is unknown.
    plain = {*fixed, *tied, *tied.values(), *bounds}
    shift = np.zeros((size, size))
    for i, parameter in enumerate(law.parameters):
        if parameter.name not in plain:
            for variable, power, sign in parameter.centre:
                shift[i, index[power]] -= sign * _mean_log(x[variable])
    log = np.array(
        [
            p.positive and (not p.zero or (bool(p.centre) and p.name in plain and p.name not in fixed))
            for p in law.parameters
        ]
    )
    scale = np.where(log | np.isin(names, list(fixed)), 1.0, units)
    offset, lower, upper, kept, rows = np.zeros(size), [], [], [], []
    for i, parameter in enumerate(law.parameters):
        own = parameter.bounds if parameter.name in plain else parameter.limits(x)
        low, high = _limits(parameter.name, own, bounds.get(parameter.name))
        if parameter.name in fixed:
            value = float(fixed[parameter.name])
            above = value >= 0 if parameter.zero else value > 0 if parameter.positive else True
            if not (above and low <= value <= high):
                allowed = ("at or above zero" if parameter.zero else "above zero") if not above else ""
                raise ConfigError(
                    f"{parameter.name} is fixed at {value:g}; give a value "
                    + (allowed or f"within [{low:g}, {high:g}]")
                )
            offset[i] = np.log(value) if log[i] else value / scale[i]
            continue
        if parameter.name in tied:
            continue
        kept.append(parameter.name)
        rows.append(i)
        if not log[i]:
            lower.append(max(low, 0.0) / scale[i] if parameter.positive else low / scale[i])
            upper.append(high / scale[i])
        elif parameter.centre:
            unit = np.log(units[i]) - FAR, np.log(units[i]) + FAR
            lower.append(max(np.log(low), unit[0]) if low > 0 and parameter.name in plain else unit[0])
            upper.append(min(np.log(high), unit[1]) if parameter.name in plain else unit[1])
        else:
            lower.append(max(np.log(low) if low > 0 else -np.inf, np.log(units[i]) - FAR))
            upper.append(min(np.log(high), np.log(units[i]) + FAR))
    # Beyond these values an amplitude at variable = 1 overflows and could not be reported.
    for parameter in law.parameters:
        for variable, power, _ in parameter.centre:
            if power in kept:
                most = 600 / max(abs(_mean_log(x[variable])), 1.0)
                at = kept.index(power)
                lower[at], upper[at] = max(lower[at], -most), min(upper[at], most)
    if not kept:
        raise ConfigError(f"every parameter of {law.name} is fixed; leave at least one free")
    free = np.zeros((size, len(kept)))
    for j, i in enumerate(rows):
        free[i, j] = 1
    for name, partner in tied.items():
        free[index[name]], offset[index[name]] = free[index[partner]], offset[index[partner]]
    ranges = []
    for name in kept:
        parameter, i = law.parameter(name), index[name]
        start = np.asarray(parameter.start, dtype=np.float64)
        if not parameter.positive:
            ranges.append(start)
            continue
        ranges.append(np.log(start) + (np.log(units[i]) if log[i] else 0.0))
        if parameter.centre and name in plain:
            # Uncentred: the start of the term becomes one of the amplitude, at the middle of the exponent's
            # range.
            for variable, power, sign in parameter.centre:
                middle = fixed.get(power, float(np.mean(law.parameter(power).start)))
                ranges[-1] = ranges[-1] - sign * _mean_log(x[variable]) * middle
    return Coordinates(
        law=law,
        log=log,
        scale=scale,
        shift=shift,
        free=free,
        offset=offset,
        lower=np.array(lower),
        upper=np.array(upper),
        names=tuple(kept),
        ranges=np.array(ranges),
        linear=np.array([law.parameter(name).positive and not log[index[name]] for name in kept]),
    )


def _limits(name: str, law: tuple[float, float], asked: tuple[float, float] | None) -> tuple[float, float]:
    low, high = law if asked is None else (max(law[0], asked[0]), min(law[1], asked[1]))
    if not low < high:
        raise ConfigError(
            f"the bounds {asked} of {name} leave nothing; give an interval inside [{law[0]:g}, {law[1]:g}]"
        )
    return low, high


def _mean_log(values: Array) -> float:
    return float(np.mean(np.log(np.asarray(values, dtype=np.float64))))

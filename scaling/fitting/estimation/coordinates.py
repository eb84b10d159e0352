"""Where the search moves: logarithms of positive parameters, amplitudes at the centre of the data, fixed and
tied ones taken out.

natural θ  ←exp or identity→  s  ←S→  v (centred)  ←R→  u (free), all but the first affine. An optimum found
in u is the optimum in θ, and neither the units of N and D nor those of the loss change what the solver sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scaling.errors import ConfigError
from scaling.fitting.law import Array, Law, Values

NOTHING = 1e-6
"""The share of the typical target below which a floor is nothing. Logarithms have no zero: without such a
bound the search for a floor that the data do not see never ends, and every start ends elsewhere."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Coordinates:
    """The map between natural parameters θ (..., P) and free search coordinates u (..., q)."""

    law: Law
    """Whose parameters these are."""
    log: Array
    """(P,) bool: searched as logarithm."""
    shift: Array
    """(P, P) matrix S of s = S v: a centred amplitude gains −sign × mean log variable × exponent."""
    free: Array
    """(P, q) matrix R of v = R u + offset; a tied parameter has the row of its partner."""
    offset: Array
    """(P,) constants: the values of fixed parameters and of those tied to them."""
    lower: Array
    """(q,) bounds in u."""
    upper: Array
    """(q,) bounds in u."""
    names: tuple[str, ...]
    """(q,) the parameter behind each free coordinate."""
    ranges: Array
    """(q, 2) where random starts are drawn from."""
    unit: Array
    """(P,) log of the unit of each parameter, added to log-searched starts."""

    def natural(self, u: Array) -> Array:
        """u (..., q) → θ (..., P)."""
        s = (u @ self.free.T + self.offset) @ self.shift.T
        return np.where(self.log, np.exp(np.where(self.log, s, 0.0)), s)

    def centred(self, u: Array) -> Array:
        """u (..., q) → v (..., P)."""
        return np.asarray(u @ self.free.T + self.offset)

    def search(self, theta: Array) -> Array:
        """θ (..., P) → u (..., q): the inverse of `natural` for parameters that obey what is fixed and
        tied."""
        s = np.where(self.log, np.log(np.where(self.log, np.maximum(theta, 1e-300), 1.0)), theta)
        v = np.linalg.solve(self.shift, s[..., None])[..., 0]
        return np.asarray((v - self.offset) @ np.linalg.pinv(self.free).T)

    def jacobian(self, theta: Array, slopes: Array) -> Array:
        """d f/d θ (..., n, P) → d f/d u (..., n, q)."""
        chain = np.where(self.log, theta, 1.0)
        return np.asarray((slopes * chain[..., None, :]) @ (self.shift @ self.free))

    def starts(self, count: int, seed: int) -> Array:
        """(count, q) random starts, the first of them the middle of every range; the same for the same
        seed."""
        rng = np.random.default_rng(seed)
        draws = rng.random((count, len(self.names)))
        draws[0] = 0.5
        u = self.ranges[:, 0] + draws * (self.ranges[:, 1] - self.ranges[:, 0])
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
    """Coordinates for one law on one table. Raises ConfigError when fixed, tied and bounds contradict each
    other or the law."""
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
    typical = float(np.exp(np.mean(np.log(np.maximum(np.abs(y), 1e-300)))))
    log = np.array([p.positive for p in law.parameters])
    shift, unit = np.eye(size), np.zeros(size)
    for i, parameter in enumerate(law.parameters):
        if parameter.unit == "target":
            unit[i] = np.log(typical)
        elif parameter.unit:
            unit[i] = _mean_log(x[parameter.unit])
        # A fixed, tied or bounded amplitude means the amplitude itself, so it is searched uncentred.
        if (
            parameter.name in fixed
            or parameter.name in tied
            or parameter.name in bounds
            or parameter.name in tied.values()
        ):
            continue
        for variable, power, sign in parameter.centre:
            shift[i, index[power]] -= sign * _mean_log(x[variable])
    offset, lower, upper, kept, rows = np.zeros(size), [], [], [], []
    for i, parameter in enumerate(law.parameters):
        low, high = _limits(parameter.name, parameter.bounds, bounds.get(parameter.name))
        if parameter.name in fixed:
            value = float(fixed[parameter.name])
            if (log[i] and value <= 0) or not parameter.bounds[0] <= value <= parameter.bounds[1]:
                raise ConfigError(
                    f"{parameter.name} is fixed at {value:g}; give a value "
                    + (
                        "above zero"
                        if log[i]
                        else f"within [{parameter.bounds[0]:g}, {parameter.bounds[1]:g}]"
                    )
                )
            offset[i] = np.log(value) if log[i] else value
        elif parameter.name not in tied:
            kept.append(parameter.name)
            rows.append(i)
            # e^±60 around the unit is beyond any meaning and keeps exponentials finite.
            far = np.log(NOTHING) if parameter.unit == "target" and not parameter.centre else -60
            lower.append(
                max(np.log(low), unit[i] + far) if log[i] and low > 0 else unit[i] + far if log[i] else low
            )
            upper.append(min(np.log(high), unit[i] + 60) if log[i] else high)
            if log[i] and shift[i].sum() != 1:
                lower[-1], upper[-1] = unit[i] - 60, unit[i] + 60
    # Beyond these an amplitude at variable = 1 leaves the range of floating point: nothing could be reported.
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
        if not log[i]:
            ranges.append(start * (np.exp(unit[i]) if parameter.unit else 1.0))
            continue
        ranges.append(np.log(start) + unit[i])
        if parameter.centre and shift[i].sum() == 1:
            # Uncentred: the start of the term becomes one of the amplitude, at the middle of the exponent's
            # range.
            for variable, power, sign in parameter.centre:
                middle = fixed.get(power, float(np.mean(law.parameter(power).start)))
                ranges[-1] = ranges[-1] - sign * _mean_log(x[variable]) * middle
    return Coordinates(
        law=law,
        log=log,
        shift=shift,
        free=free,
        offset=offset,
        lower=np.array(lower),
        upper=np.array(upper),
        names=tuple(kept),
        ranges=np.array(ranges),
        unit=unit,
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

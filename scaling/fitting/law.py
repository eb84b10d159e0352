"""Declare a law: a functional form with variables, parameters with natural scales, prediction and source.

Estimator, bootstrap, profile, figure, report and command work on any law. A user's own law takes ten lines:

    from scaling.fitting.fit import fit
    from scaling.fitting.law import Law, amplitude, exponent, floor

    law = Law(
        name="mine",
        variables=("N",),
        formula="L = E + A N^-alpha",
        source="my notebook",
        parameters=(floor("E"), amplitude("A", {"N": "alpha"}), exponent("alpha")),
        function=lambda p, x: p["E"] + p["A"] * x["N"] ** -p["alpha"],
    )
    fit(table, law)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaling.errors import ConfigError, one_of
from scaling.fitting.arrays import Array, Values
from scaling.fitting.estimation.objectives.objective import Objective


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One unknown of a law."""

    name: str
    """Name in the formula, the output and `fixed={...}`."""
    meaning: str
    """Meaning in a few words."""
    start: tuple[float, float]
    """Range of random starts, in units of `unit`. Starts are uniform, or uniform in the logarithm when
    `positive`."""
    positive: bool = False
    """Whether the parameter is above zero. It is then searched as its logarithm, unless `zero`."""
    zero: bool = False
    """Whether a positive parameter may also be zero, such as a floor or a term that the data do not show. It
    is then searched on a linear scale, because a logarithm has no zero."""
    bounds: tuple[float, float] = (-np.inf, np.inf)
    """Smallest and largest allowed value."""
    unit: str = ""
    """Unit of `start`: "" for a pure number, "target" for the median of the target, or the name of a variable
    for its geometric mean. It makes the search independent of the units of the data."""
    stays: str = ""
    """"below" keeps a free parameter below every value of the variable `unit`, "within" keeps it between the
    least and the largest of them, unless the user gives bounds. Outside, the law has no value or the data
    carry no information."""
    centre: tuple[tuple[str, str, float], ...] = ()
    """(variable, exponent parameter, sign) of each factor variable^(sign × exponent) that this amplitude
    multiplies. `start` and the search then refer to the term at the geometric centre of the data, not to the
    amplitude at variable = 1, which is far outside the data. Uncentred, 39 % of starts reach the optimum of
    the Chinchilla law; centred, all do."""

    def __post_init__(self) -> None:
        low, high = self.bounds
        if not low < high:
            raise ConfigError(
                f"parameter {self.name!r} has bounds {self.bounds}; give a lower bound below the upper one"
            )
        if not self.start[0] <= self.start[1] or (self.positive and self.start[0] <= 0):
            raise ConfigError(
                f"parameter {self.name!r} starts in {self.start}; give an increasing pair, above zero "
                "for a positive parameter"
            )
        if self.stays not in ("", "below", "within") or (self.stays and self.unit in ("", "target")):
            raise ConfigError(
                f"parameter {self.name!r} stays {self.stays!r} of {self.unit!r}; give 'below' or 'within', "
                "and a variable as its unit"
            )
        if self.zero and (not self.positive or self.unit != "target"):
            raise ConfigError(
                f"parameter {self.name!r} has zero=True, which needs positive=True and unit='target', as for "
                "a floor or an amplitude"
            )
        if self.centre and not self.positive:
            raise ConfigError(
                f"parameter {self.name!r} has a centre but may be negative; a centred amplitude must be "
                "positive"
            )

    def limits(self, x: Values) -> tuple[float, float]:
        """Return the smallest and the largest natural value on a table with the variables x, each (n,)."""
        low, high = self.bounds
        if self.stays:
            least, most = float(np.min(x[self.unit])), float(np.max(x[self.unit]))
            low, high = (
                (low, min(high, least)) if self.stays == "below" else (max(low, least), min(high, most))
            )
        return low, high


def floor(name: str, meaning: str = "irreducible loss", start: tuple[float, float] = (0.1, 1.0)) -> Parameter:
    """Return a parameter for an irreducible loss, in units of the target."""
    return Parameter(name=name, meaning=meaning, start=start, positive=True, zero=True, unit="target")


def amplitude(
    name: str,
    centre: Mapping[str, str],
    meaning: str = "",
    start: tuple[float, float] = (0.01, 1.0),
    sign: float = -1.0,
) -> Parameter:
    """Return a parameter for the positive factor A of a term A × variable^(sign × exponent), as in
    `amplitude("A", {"N": "alpha"})` for A N^-alpha."""
    factors = tuple((variable, power, sign) for variable, power in centre.items())
    meaning = meaning or "size of the term in " + " and ".join(centre)
    return Parameter(
        name=name, meaning=meaning, start=start, positive=True, zero=True, unit="target", centre=factors
    )


def exponent(
    name: str,
    meaning: str = "exponent",
    start: tuple[float, float] = (0.05, 1.0),
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Parameter:
    """Return a parameter for an exponent. It is searched on a linear scale, because an exponent at or below
    zero is a result and not an error."""
    return Parameter(name=name, meaning=meaning, start=start, bounds=bounds)


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """A functional form: the prediction of one target from some variables with some parameters."""

    name: str
    """Name for `laws.get` and `--law`."""
    variables: tuple[str, ...]
    """Required columns by letter: N parameters, D tokens, C FLOPs, …"""
    parameters: tuple[Parameter, ...]
    """Parameters, in the order of the last axis of every parameter array."""
    function: Callable[[Values, Values], Any]
    """(p, x) → prediction. `p[name]` broadcasts as (..., 1), `x[name]` is (n,); the result is (..., n)."""
    formula: str
    """Formula in one line of text."""
    source: str
    """Source: arXiv id and equation."""
    target: str = "L"
    """Letter of the predicted column."""
    optional: tuple[str, ...] = ()
    """Columns that are used where a table has them."""
    signed: tuple[str, ...] = ()
    """Columns that may be zero or negative; all others must be positive."""
    scale: str = "log"
    """Default scale of the residuals: "log" for losses, "raw" for accuracies."""
    kind: str = "loss"
    """Group in the list of `scaling laws`."""
    analytic: bool = False
    """Whether `function` is analytic in its parameters (no abs, max, where or comparison on them).
    Derivatives are then taken by a complex step, exact to rounding; otherwise by central differences."""
    gradient_function: Callable[[Values, Values], Mapping[str, Any]] | None = None
    """(p, x) → d prediction / d parameter, by parameter name, each (..., n). Optional."""
    slopes_function: Callable[[Values, Values], tuple[Any, Mapping[str, Any]]] | None = None
    """(p, x) → prediction and gradient together, where that is cheaper than separately. Optional."""
    derived: Mapping[str, Callable[[Values], Any]] = field(default_factory=dict)
    """Quantities derived from the parameters alone: name → function of the parameter values."""
    objective: Callable[..., Objective] | None = None
    """(x, y, weights, coordinates, loss) → objective with an exact Hessian. Optional; it must agree with
    `function`, as must the closed forms below."""
    best_split: Callable[[Values, Array], tuple[Array, Array]] | None = None
    """(p, C (m,)) → N and D (..., m) of the lowest loss under 6 N D = C. Optional."""
    tokens_for: Callable[[Values, Array, float], Array] | None = None
    """(p, N (m,), loss) → D (..., m) at which each size reaches the loss, infinite where it never does.
    Optional."""
    frontier: Callable[[Values], tuple[Array, Array, Array]] | None = None
    """(p) → E, K and γ (..., 1) of the lowest loss at a compute C, E + K C^-γ. Optional; the
    compute-equivalent gain needs it."""
    notes: str = ""
    """Caveats: parameter regions without identification, conventions."""

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names):
            raise ConfigError(
                f"law {self.name!r} declares a parameter twice in {', '.join(names)}; name each once"
            )
        for parameter in self.parameters:
            for variable, power, _ in parameter.centre:
                if variable not in self.variables:
                    raise ConfigError(
                        f"law {self.name!r}: "
                        + one_of(f"the centre of {parameter.name!r}", variable, self.variables)
                    )
                if power not in names or self.parameter(power).positive:
                    raise ConfigError(
                        f"law {self.name!r}: the centre of {parameter.name!r} names {power!r}; name a "
                        "parameter that is not positive-only"
                    )
        if self.scale not in ("log", "raw"):
            raise ConfigError(f"law {self.name!r}: " + one_of("scale", self.scale, ("log", "raw")))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters in order."""
        return tuple(p.name for p in self.parameters)

    def parameter(self, name: str) -> Parameter:
        """Return a parameter by name. Raises ConfigError with the nearest names."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise ConfigError(one_of(f"parameter of {self.name}", name, self.names))

    def vector(self, values: Values) -> Array:
        """Return parameter values by name as an array whose last axis is in the law's order."""
        for name in values:
            self.parameter(name)
        missing = [name for name in self.names if name not in values]
        if missing:
            raise ConfigError(
                f"{self.name} needs a value for {', '.join(missing)}; give all of {', '.join(self.names)}"
            )
        return np.stack([np.asarray(values[name], dtype=np.float64) for name in self.names], axis=-1)

    def values(self, theta: NDArray[Any]) -> dict[str, Any]:
        """Return views of a parameter array (..., P) by name, each (..., 1)."""
        return {name: theta[..., i, None] for i, name in enumerate(self.names)}

    def predict(self, theta: Array | Values, x: Values) -> Array:
        """Return predictions (..., n) for parameters (..., P) or values by name at variables x, each (n,)."""
        if isinstance(theta, Mapping):
            theta = self.vector(theta)
        data = {name: np.asarray(value) for name, value in x.items()}
        return np.asarray(self.function(self.values(np.asarray(theta)), data))

    def gradient(self, theta: Array, x: Values) -> Array:
        """Return d prediction / d parameter (..., n, P) for parameters (..., P).

        The declared gradient is used where there is one, else a complex step or central differences.
        """
        theta = np.asarray(theta, dtype=np.float64)
        data = {name: np.asarray(value) for name, value in x.items()}
        if self.gradient_function is not None:
            return np.swapaxes(self._rows(self.gradient_function(self.values(theta), data)), -1, -2)
        columns = []
        for i in range(len(self.parameters)):
            if self.analytic:
                moved = theta.astype(np.complex128)
                moved[..., i] += 1e-30j * np.maximum(np.abs(theta[..., i]), 1e-30)
                rise = np.asarray(self.function(self.values(moved), data)).imag
                columns.append(rise / (1e-30 * np.maximum(np.abs(theta[..., i]), 1e-30))[..., None])
            else:
                step = 6e-6 * np.maximum(np.abs(theta[..., i]), 1e-8)
                up, down = theta.copy(), theta.copy()
                up[..., i] += step
                down[..., i] -= step
                width = (up[..., i] - down[..., i])[..., None]
                columns.append((self.predict(up, data) - self.predict(down, data)) / width)
        return np.stack(columns, axis=-1)

    def slopes(self, theta: Array, x: Values) -> tuple[Array, Array]:
        """Return predictions (..., n) and d prediction / d parameter (..., P, n), in one pass where the law
        has one."""
        if self.slopes_function is None:
            return self.predict(theta, x), np.swapaxes(self.gradient(theta, x), -1, -2)
        predicted, parts = self.slopes_function(self.values(theta), x)
        return predicted, self._rows(parts)

    def _rows(self, parts: Mapping[str, Any]) -> Array:
        """Return slopes by name as one array (..., P, n)."""
        shape = np.broadcast_shapes(*(np.shape(parts[name]) for name in self.names))
        out = np.empty((*shape[:-1], len(self.names), shape[-1]))
        for i, name in enumerate(self.names):
            out[..., i, :] = parts[name]
        return out

    def __repr__(self) -> str:
        return f"Law({self.name}: {self.formula}; {self.source})"

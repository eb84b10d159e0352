"""Build a joint law over several groups of runs: some parameters are shared, the others have one value per
group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scaling.errors import ConfigError
from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter

GROUP = "group"
"""Name of the variable that holds the group number of each row."""


def name_in(parameter: str, group: str) -> str:
    """Return the name of a group's own copy of a parameter."""
    return f"{parameter}[{group}]"


def joint(law: Law, groups: Sequence[str], shared: Collection[str]) -> Law:
    """Return `law` over several groups with the parameters in `shared` common to all.

    Raises ConfigError for unknown names and for fewer than two groups.
    """
    if len(groups) < 2 or len(set(groups)) != len(groups):
        raise ConfigError(
            f"a joint fit needs two or more groups of different names, not {', '.join(groups) or 'none'}"
        )
    for name in shared:
        law.parameter(name)
    parameters: list[Parameter] = []
    for parameter in law.parameters:
        if parameter.name in shared:
            centre = tuple(c for c in parameter.centre if c[1] in shared)
            parameters.append(replace(parameter, centre=centre))
            continue
        for group in groups:
            centre = tuple(
                (v, power if power in shared else name_in(power, group), sign)
                for v, power, sign in parameter.centre
            )
            parameters.append(replace(parameter, name=name_in(parameter.name, group), centre=centre))

    def spread(p: Values, x: Values) -> dict[str, Any]:
        index = np.asarray(x[GROUP], dtype=np.int64)
        return {
            name: p[name]
            if name in shared
            else np.concatenate([p[name_in(name, group)] for group in groups], axis=-1)[..., index]
            for name in law.names
        }

    def function(p: Values, x: Values) -> Any:
        return law.function(spread(p, x), x)

    slopes = law.gradient_function

    def gradient(p: Values, x: Values) -> Mapping[str, Array]:
        assert slopes is not None
        parts = slopes(spread(p, x), x)
        index = np.asarray(x[GROUP], dtype=np.int64)
        out: dict[str, Array] = {}
        for name in law.names:
            if name in shared:
                out[name] = parts[name]
            else:
                out |= {name_in(name, group): parts[name] * (index == k) for k, group in enumerate(groups)}
        return out

    words = f"{', '.join(sorted(shared))} shared" if shared else "nothing shared"
    return Law(
        name=f"{law.name} over {', '.join(groups)}, {words}",
        variables=(*law.variables, GROUP),
        target=law.target,
        scale=law.scale,
        parameters=tuple(parameters),
        function=function,
        gradient_function=gradient if slopes is not None else None,
        analytic=law.analytic,
        formula=law.formula,
        source=law.source,
        optional=law.optional,
        signed=law.signed,
        kind=law.kind,
    )

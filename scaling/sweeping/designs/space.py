"""Give a design the sweep's settings and the family's parameters and FLOPs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from scaling.config import Config, SweepConfig
from scaling.errors import ConfigError

if TYPE_CHECKING:
    from scaling.training.cell import Cell


@dataclasses.dataclass(frozen=True, kw_only=True)
class Space:
    """The settings of a sweep and the functions of its family."""

    measure: Callable[[float], tuple[float, float]]
    """Function of a size: (parameters, training FLOPs per token)."""
    limits: tuple[float, float]
    """Smallest and largest size of the family."""
    base: Config
    """Config that every cell starts from."""

    inside: Callable[[Mapping[str, Any]], Space] | None = None
    """Function of some keys: the space in which these keys are set, for crossed designs."""
    cell: Callable[[Mapping[str, Any]], Cell] | None = None
    """Function of some keys: the cell of the base config with these keys set."""

    @property
    def sweep(self) -> SweepConfig:
        """Return the settings of the sweep."""
        return self.base.sweep

    def values(self, key: str, *, needed: bool = True) -> list[float]:
        """Return the numbers of `sweep.key`. Raises ConfigError if they are needed and not set."""
        numbers: list[float] | None = getattr(self.sweep, key)
        if numbers is None and needed:
            raise ConfigError(f"sweep.{key} is not set; give a list, or a range like '4e10..1e12 x 5'")
        return numbers or []

    def seeds(self) -> list[int]:
        """Return `sweep.seeds`, or the seed of the base config."""
        return [self.base.seed] if self.sweep.seeds is None else self.sweep.seeds

    def size_for_ratio(self, ratio: float, budget: float) -> float:
        """Return the size, to 3 digits, whose tokens per parameter at `budget` FLOPs are nearest `ratio`.

        Tokens per parameter fall with size, in steps, because shapes are whole numbers. Bisection in log size
        finds the step that crosses `ratio`; the nearer side is returned. Raises ConfigError.
        """

        def excess(size: float) -> float:
            params, per_token = self.measure(size)
            return budget / per_token / params - ratio

        low, high = self.limits
        if excess(low) < 0 or excess(high) > 0:
            raise ConfigError(
                f"no size between {low:g} and {high:g} has {ratio:g} tokens per parameter at a budget of "
                f"{budget:g} FLOPs; change sweep.ratios or sweep.budgets"
            )
        while high / low > 1.002:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if excess(middle) > 0 else (low, middle)
        return min(
            (
                float(f"{end:.3g}")
                for end in (low / 1.005, high * 1.005)
                if self.limits[0] <= end <= self.limits[1]
            ),
            key=lambda size: abs(math.log((excess(size) + ratio) / ratio)),
        )

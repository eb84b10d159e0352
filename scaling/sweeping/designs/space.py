"""What a design may ask: the sweep's declaration, and the family's own arithmetic."""

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
    """A sweep's declaration with the family that it is about."""

    measure: Callable[[float], tuple[float, float]]
    """From a size to (parameters, training FLOPs per token)."""
    limits: tuple[float, float]
    """Smallest and largest size of the family."""
    base: Config
    """What the cells start from."""

    inside: Callable[[Mapping[str, Any]], Space] | None = None
    """The space where some keys are already given: crosses are laid out inside each other."""
    cell: Callable[[Mapping[str, Any]], Cell] | None = None
    """The cell that some keys make of the base."""

    @property
    def sweep(self) -> SweepConfig:
        """What the sweep declares."""
        return self.base.sweep

    def values(self, key: str, *, needed: bool = True) -> list[float]:
        """Return the numbers under `sweep.key`. Raises ConfigError where they are needed and not there."""
        given: list[float] | None = getattr(self.sweep, key)
        if given is None and needed:
            raise ConfigError(f"sweep.{key} is not set; give a list, or a range like '4e10..1e12 x 5'")
        return given or []

    def seeds(self) -> list[int]:
        """`sweep.seeds`, or the one seed of the base."""
        return [self.base.seed] if self.sweep.seeds is None else self.sweep.seeds

    def size_for_ratio(self, ratio: float, budget: float) -> float:
        """The size, to 3 digits, whose tokens per parameter are nearest `ratio`, at a budget of so many
        training FLOPs.

        Tokens per parameter fall as size grows, in steps because shapes are whole numbers: bisection in log
        size finds the step that crosses `ratio`, and the nearer side of it is taken.
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

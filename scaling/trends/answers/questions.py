"""The questions by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scaling.errors import ConfigError, one_of

_WHERE = {
    "Q1": ("models", "q1"),
    "Q2": ("models", "q2"),
    "Q3": ("claims", "q3"),
    "Q7": ("machines", "q7"),
    "Q8": ("machines", "q8"),
    "Q9": ("machines", "q9"),
    "eras": ("models", "eras"),
    "accounting": ("accounts", "accounting"),
    "algorithms": ("coming", "algorithms"),
    "hardware": ("machines", "hardware"),
    "costs": ("machines", "costs"),
    "horizons": ("coming", "horizons"),
    "multiverse": ("models", "many_worlds"),
    "methods": ("models", "methods"),
    "claims": ("claims", "claims"),
    "exchange": ("coming", "exchange_rates"),
    "project": ("coming", "projection"),
}
NAMES = tuple(_WHERE)


def question(name: str) -> Callable[..., dict[str, Any]]:
    """The function that answers a question. Raises `ConfigError` for a name that is not known."""
    from importlib import import_module

    known = {n.lower(): n for n in NAMES}
    if name.lower() not in known:
        raise ConfigError(one_of("question", name, NAMES))
    module, function = _WHERE[known[name.lower()]]
    answer: Callable[..., dict[str, Any]] = getattr(
        import_module(f"scaling.trends.answers.{module}"), function
    )
    return answer

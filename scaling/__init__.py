"""A scaling-law laboratory: declare a sweep, price it, run it anywhere, fit it, read it on the calendar.

    from scaling import fit, runs

    law = fit("runs.csv", N="params", D="tokens", L="loss")
    law.predict(N=1e9, D=2e10)
    law.allocate(1e20)

Every name is imported on its first use; the analysis half never imports torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scaling import figures, trends
    from scaling.api.fits import Law, allocate, compare, fit, forecast, next_runs, runs, save, validate
    from scaling.api.pages import report
    from scaling.api.sweeps import plan, run, status
    from scaling.fitting import laws

__version__ = "0.1.0"
__all__ = [
    "Law",
    "allocate",
    "compare",
    "figures",
    "fit",
    "forecast",
    "laws",
    "next_runs",
    "plan",
    "report",
    "run",
    "runs",
    "save",
    "status",
    "trends",
    "validate",
]

_MODULES = {"figures": "scaling.figures", "laws": "scaling.fitting.laws", "trends": "scaling.trends"}
_HOMES = {
    **dict.fromkeys(("plan", "run", "status"), "scaling.api.sweeps"),
    "report": "scaling.api.pages",
}

# Hydra finds plugins in the namespace package `hydra_plugins` wherever it lies on the path.
# Ours travels inside this package, so its folder joins the path for every way of installing.
_plugins = str(Path(__file__).parent / "plugins")
if _plugins not in sys.path:
    sys.path.append(_plugins)


def __getattr__(name: str) -> Any:
    """Import a public name on its first use."""
    if name not in __all__:
        raise AttributeError(f"module 'scaling' has no attribute {name!r}; it has {', '.join(__all__)}")
    if name in _MODULES:
        return import_module(_MODULES[name])
    return getattr(import_module(_HOMES.get(name, "scaling.api.fits")), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]

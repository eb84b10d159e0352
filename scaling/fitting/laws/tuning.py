"""Declare laws of hyperparameters: learning rate, batch size and critical batch size."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, exponent
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import power, summed


def _monomial(
    name: str, target: str, letter: str, powers: dict[str, str], source: str, notes: str = ""
) -> None:
    """Declare the law target = letter × Π variable^power."""
    register(
        summed(
            name=name,
            variables=tuple(powers),
            target=target,
            formula=f"{target} = {letter} "
            + " ".join(f"{variable}^{power}" for variable, power in powers.items()),
            source=source,
            kind="tuning",
            parameters=(
                Parameter(
                    name=letter,
                    meaning=f"{target} where every variable is one",
                    start=(0.2, 5.0),
                    positive=True,
                    unit="target",
                    centre=tuple((variable, power, 1.0) for variable, power in powers.items()),
                ),
                *(
                    exponent(power, f"how it moves with {variable}", start=(-1.0, 1.0))
                    for variable, power in powers.items()
                ),
            ),
            notes=notes,
        )
    )


_STEP = "Step Law 2025, arXiv 2503.04715, eq. 1"
_DEEPSEEK = "DeepSeek 2024, arXiv 2401.02954, eq. 1"
_PORIAN = "Porian et al. 2024, arXiv 2406.19146, section 3.5"

_monomial(
    "learning-rate", "learning_rate", "c", {"N": "a", "D": "b"}, _STEP, "Published: 1.79 N^-0.713 D^0.307."
)
_monomial("batch", "batch_tokens", "c", {"D": "b"}, _STEP, "Published: 0.58 D^0.571.")
_monomial(
    "learning-rate-compute", "learning_rate", "c", {"C": "a"}, _DEEPSEEK, "Published: 0.3118 C^-0.1250."
)
_monomial("batch-compute", "batch_tokens", "c", {"C": "a"}, _DEEPSEEK, "Published: 0.2920 C^0.3271.")
_monomial("learning-rate-size", "learning_rate", "c", {"N": "a"}, _PORIAN)
_monomial("batch-size", "batch_tokens", "c", {"N": "a"}, _PORIAN)


def _critical_gradient(p: Values, x: Values) -> dict[str, Array]:
    shape = power(x["L"], -1 / p["alpha_B"])
    return {"B_star": shape, "alpha_B": p["B_star"] * shape * np.log(x["L"]) / p["alpha_B"] ** 2}


register(
    Law(
        name="critical-batch",
        variables=("L",),
        target="B_crit",
        formula="B_crit = B_star L^(-1/alpha_B)",
        source="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.4; McCandlish et al. 2018, arXiv 1812.06162",
        kind="tuning",
        parameters=(
            Parameter(
                name="B_star",
                meaning="critical batch at a loss of one, in tokens",
                start=(1.0, 1e4),
                positive=True,
                unit="target",
            ),
            Parameter(
                name="alpha_B",
                meaning="how fast it grows as the loss falls",
                start=(0.08, 0.8),
                positive=True,
            ),
        ),
        function=lambda p, x: p["B_star"] * power(x["L"], -1 / p["alpha_B"]),
        gradient_function=_critical_gradient,
        analytic=True,
        notes="Published: B_star 2e8 tokens, alpha_B 0.21.",
    )
)

register(
    Law(
        name="steps-at-batch",
        variables=("B",),
        target="S",
        formula="S = S_min (1 + B_crit/B)",
        source=(
            "McCandlish et al. 2018, arXiv 1812.06162, eq. 2.11; Kaplan et al. 2020, arXiv 2001.08361, eq. "
            "5.4"
        ),
        kind="tuning",
        parameters=(
            Parameter(
                name="S_min",
                meaning="steps at an infinite batch",
                start=(0.1, 1.0),
                positive=True,
                unit="target",
            ),
            Parameter(
                name="B_crit",
                meaning="batch at which twice those steps are needed",
                start=(0.05, 20.0),
                positive=True,
                unit="B",
            ),
        ),
        function=lambda p, x: p["S_min"] * (1 + p["B_crit"] / x["B"]),
        gradient_function=lambda p, x: {"S_min": 1 + p["B_crit"] / x["B"], "B_crit": p["S_min"] / x["B"]},
        analytic=True,
        notes="S and B are the steps and batches that reach one given loss.",
    )
)

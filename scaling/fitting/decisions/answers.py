"""What a decision is: an allocation of compute, and runs to buy next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from scaling.fitting.uncertainty.estimate import Estimate, frame, html

MEANING = "width of the asked interval after the new runs, as a share of its width now"
"""What a share stands for."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One way to spend compute, every number with its interval."""

    N: Estimate
    """Parameters."""
    D: Estimate
    """Training tokens."""
    tokens_per_parameter: Estimate
    """D / N."""
    training_flops: Estimate
    """6 N D."""
    total_flops: Estimate
    """With what serving costs."""
    loss: Estimate
    """Mean prediction there."""
    loss_forecast: Estimate | None = None
    """Of one run, with the interval that backtests calibrate, where it was asked for and could be made."""

    def estimates(self) -> dict[str, Estimate]:
        """Return what is known, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: value.to_json() for name, value in self.estimates().items()}


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """The best split when tokens may be repeated."""

    N: float
    """Parameters."""
    D: float
    """Training tokens, repeats counted."""
    epochs: float
    """Passes over the tokens that there are."""
    loss: float
    """Predicted there."""
    words: str
    """What it rests on."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Allocation:
    """How to spend a budget, or what a loss costs."""

    question: str
    """In words."""
    convention: str
    """What is counted as compute."""
    optimum: Answer
    """The best N and D."""
    flops: float | None = None
    """The budget, where one was given."""
    loss: float | None = None
    """The loss to be reached, where one was given."""
    inference_tokens: float = 0.0
    """Tokens served over the model's life and paid from the budget."""
    data_limit: float | None = None
    """Tokens at hand."""
    limited: Answer | None = None
    """The best N and D with each token seen once, where the optimum needs more than there are."""
    repeated: Repeated | None = None
    """The same with repeated tokens."""
    limit_words: str | None = None
    """Whether data bind, where a limit was given."""
    warnings: tuple[str, ...] = ()
    """What a reader should know before using a number."""

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates of the answer by name; the limited one where data bind."""
        return frame((self.limited or self.optimum).estimates())

    def __repr__(self) -> str:
        rows = (self.limited or self.optimum).estimates()
        lines = [
            f"{self.question}, {self.convention}",
            *(f"  {name}: {value}" for name, value in rows.items()),
        ]
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])

    def _repr_html_(self) -> str:
        return f"<p>{self.question}, {self.convention}</p>{html(self.to_frame())}"

    def to_json(self) -> dict[str, Any]:
        """Return plain data; of a budget and of a loss what was asked."""
        out: dict[str, Any] = {"question": self.question}
        if self.loss is None:
            out |= {"flops": self.flops}
        else:
            out |= {"loss": self.loss}
        out["inference_tokens"] = self.inference_tokens
        if self.loss is None:
            out["data_limit"] = self.data_limit
        out |= {"convention": self.convention, "optimum": self.optimum.to_json()}
        if self.data_limit is not None:
            out["limited"] = None if self.limited is None else self.limited.to_json()
            if self.repeated is not None:
                out["repeated"] = asdict(self.repeated)
            out["limit_words"] = self.limit_words
        return out | {"warnings": list(self.warnings)}


@dataclass(frozen=True, kw_only=True)
class NextRun:
    """One run to buy."""

    N: float
    """Parameters."""
    D: float
    """Tokens."""
    flops: float
    """6 N D."""
    interval_after: float
    """Width of the asked interval after this run and those before it, as a share of its width now."""
    size: float | None = None
    """The family's size for N, where the ledger knows one family."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data, without a size where there is none."""
        plain = {
            "N": self.N,
            "D": self.D,
            "flops": self.flops,
            "tokens_per_parameter": self.D / self.N,
            "interval_after": self.interval_after,
        }
        return plain if self.size is None else plain | {"size": self.size}


@dataclass(frozen=True, kw_only=True)
class NextRuns:
    """The runs to buy next for one quantity."""

    asked: str
    """The quantity, in words."""
    budget_flops: float
    """FLOPs that all runs together may take."""
    spent_flops: float
    """FLOPs that they take."""
    cells: tuple[NextRun, ...]
    """In the order in which they are worth buying."""
    interval_foreseen: float
    """Width of the asked interval after all of them, as a share of its width now."""
    interval_simulated: float | None
    """The same in simulated experiments, where they were asked for."""
    noise_per_run: float
    """Effective standard deviation of one run."""
    warnings: tuple[str, ...] = ()
    """What a reader should know of the fit behind this."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a run, in the order in which they are worth buying."""
        return pd.DataFrame([cell.to_json() for cell in self.cells])

    def _repr_html_(self) -> str:
        return f"<p>next runs for {self.asked}</p>{html(self.to_frame())}"

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "asked": self.asked,
            "budget_flops": self.budget_flops,
            "spent_flops": self.spent_flops,
            "cells": [cell.to_json() for cell in self.cells],
            "interval_foreseen": self.interval_foreseen,
            "interval_simulated": self.interval_simulated,
            "meaning": MEANING,
            "noise_per_run": self.noise_per_run,
            "warnings": list(self.warnings),
        }

"""Define the results of decisions: an allocation of compute and the runs to buy next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from scaling.fitting.uncertainty.estimate import Estimate, frame, html

MEANING = "width of the asked interval after the new runs, as a share of its width now"
"""Meaning of the width shares."""


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
    """Training and serving compute, FLOPs."""
    loss: Estimate
    """Mean predicted loss at N and D."""
    loss_forecast: Estimate | None = None
    """Predicted loss of one run with the interval calibrated by backtests; None where it was not requested or
    could not be computed."""

    def estimates(self) -> dict[str, Estimate]:
        """Return the available estimates by name."""
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
    """Passes over the distinct tokens."""
    loss: float
    """Predicted there."""
    words: str
    """Source of the law of repetition."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Allocation:
    """The best way to spend a budget, or the cheapest way to a loss."""

    question: str
    """In words."""
    convention: str
    """Formula of the compute that is counted."""
    optimum: Answer
    """The best N and D."""
    flops: float | None = None
    """Budget in FLOPs; None where a loss was requested."""
    loss: float | None = None
    """Loss to be reached; None where a budget was given."""
    inference_tokens: float = 0.0
    """Tokens served over the model's life and paid from the budget."""
    data_limit: float | None = None
    """Distinct tokens available."""
    limited: Answer | None = None
    """Best N and D with each token seen at most once, where the optimum needs more tokens than available."""
    repeated: Repeated | None = None
    """Best N and D with repeated tokens."""
    limit_words: str | None = None
    """Sentence on whether the data limit binds, where one was given."""
    warnings: tuple[str, ...] = ()
    """Warnings, one sentence each."""

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates of the answer by name, with the data limit where it binds."""
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
        """Return plain data, with the budget or the loss that was requested."""
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
    """Width of the quantity's interval after this run and those before it, as a share of its width now."""
    size: float | None = None
    """Size of the family at N, where the ledger has one family."""

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
    """FLOPs available for all runs together."""
    spent_flops: float
    """FLOPs that the runs take."""
    cells: tuple[NextRun, ...]
    """Runs, most informative first."""
    interval_foreseen: float
    """Width of the quantity's interval after all runs, as a share of its width now."""
    interval_simulated: float | None
    """Width share measured in simulated experiments; None where none were requested."""
    noise_per_run: float
    """Effective standard deviation of one run."""
    warnings: tuple[str, ...] = ()
    """Warning about the underlying fit."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run, most informative first."""
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

"""Fit, validate, forecast, compare and decide, with results that are objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from scaling.fitting import fit as fitting
from scaling.fitting import result
from scaling.fitting.comparison.compare import Comparison, compare
from scaling.fitting.decisions.allocate import allocate, cheapest_way
from scaling.fitting.decisions.answers import Allocation, NextRuns
from scaling.fitting.decisions.design import next_runs
from scaling.fitting.fit_file import save
from scaling.fitting.law import Law
from scaling.fitting.options import Options
from scaling.fitting.uncertainty.estimate import html
from scaling.fitting.validation.forecast import Forecast, forecast
from scaling.fitting.validation.validate import Validation, validate

if TYPE_CHECKING:
    from scaling.api.pages import Picture

__all__ = [
    "Allocation",
    "Comparison",
    "Fit",
    "Forecast",
    "Law",
    "NextRuns",
    "Validation",
    "allocate",
    "cheapest_way",
    "compare",
    "fit",
    "forecast",
    "next_runs",
    "save",
    "validate",
]


class Fit(result.Fit):
    """A law with estimated parameters, and what one asks of it.

    `parameters` and `derived` are estimates by name, `predict(N=..., D=...)` is the mean prediction with its
    interval, `to_frame()` a table of all estimates.
    """

    def forecast(self, **at: Any) -> Forecast:
        """Predict single runs at variables by letter, with the interval that backtests calibrate.

        Raises FitError for a fit without bootstrap, ConfigError for variables that the law does not have.
        """
        return forecast(self, **at)

    def allocate(self, flops: float, **options: Any) -> Allocation:
        """Return the best N and D for a budget of training FLOPs; options as in `scaling.allocate`."""
        return allocate(self, flops, **options)

    def next_runs(self, **options: Any) -> NextRuns:
        """Return the runs that narrow an interval most per FLOP; options as in `scaling.next_runs`."""
        return next_runs(self, **options)

    def validate(self) -> Validation:
        """Run all checks of the fit: backtests, selection, influence, multiverse. Takes seconds."""
        return validate(self)

    def plot(self, figure: str = "surface") -> Picture:
        """Draw a figure of the fit, the same as `scaling figures` draws: surface, contours, optimum,
        residuals, ridges, ...

        Raises ConfigError for a name that no figure has, TableError where the fit cannot show it.
        """
        from scaling.api.pages import draw_fit

        return draw_fit(self, figure)

    def summary(self) -> str:
        """Return the report as text: estimates, approaches, certificate and warnings."""
        return repr(self)

    def _repr_html_(self) -> str:
        head = f"{escape(self.law.formula)}, {self.table.n} runs"
        state = "holds" if self.certificate.ok else "does not hold"
        warnings = "".join(f"<li>{escape(warning)}</li>" for warning in self.warnings)
        return f"<p>{head}; certificate {state}</p>{html(self.to_frame())}<ul>{warnings}</ul>"


def fit(
    table: Any,
    law: str | Law = "chinchilla",
    *,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    decimal: str | None = None,
    options: Options | None = None,
    **more: Any,
) -> Fit:
    """Fit a law to a table of runs.

        fit("runs.csv", law="chinchilla", N="params_m * 1e6", D="tokens_b * 1e9", L="val_loss",
            where="family == 'a'")

    Args:
        table: a path, a sweep's name, a ledger's folder, a DataFrame, a pyarrow table or a list of dicts.
        law: a name of `laws.catalogue()`, `path.py:name`, or a Law.
        columns: the column or expression behind each letter: N parameters, D tokens, C FLOPs, L loss in nats
            per token. A letter may also be a keyword, as above.
        where: keeps the rows for which this expression is true.
        decimal: the mark before decimals, where a file's commas could be either.
        options: how to fit; each field of `Options` may also be a keyword, as `bootstrap="cluster"`.

    Raises TableError for data that cannot be used, FitError for data that cannot support the law, ConfigError
    for options that contradict each other.
    """
    made = fitting.fit(table, law, columns=columns, where=where, decimal=decimal, options=options, **more)
    return Fit(**{field.name: getattr(made, field.name) for field in fields(made)})


def runs(sweep: Any) -> pd.DataFrame:
    """Return the runs of a sweep, one row each, with the columns of the ledger (`scaling.tables.schema`).

    Args:
        sweep: a sweep's name, or the path of a folder with a ledger.parquet or of any table.

    Raises TableError where there are none.
    """
    from scaling.tables.read import read

    return read(sweep).frame

"""Run all checks of one fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scaling.errors import FitError, ScalingError
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.profile import profile
from scaling.fitting.validation.backtest import Backtest, backtest
from scaling.fitting.validation.checklist import checklist
from scaling.fitting.validation.influence import influence, leave_one_size_out
from scaling.fitting.validation.multiverse import multiverse
from scaling.fitting.validation.refits import LARGE, sampled
from scaling.fitting.validation.replicates import lack_of_fit
from scaling.fitting.validation.selection import selection


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Validation:
    """The results of all checks of one fit."""

    backtest: Backtest | None
    """Rolling-origin backtests; None where the table has too few rows."""
    sizes: list[dict[str, Any]] | None
    """Parameters and errors with each size left out; None below four sizes."""
    selection: dict[str, Any] | None
    """AICc, BIC, nested tests and Vuong's tests of the candidate laws."""
    replicates: dict[str, Any] | None
    """Test of lack of fit against replicates; None without replicates."""
    influence: dict[str, Any] | None
    """Most influential rows and outliers."""
    multiverse: dict[str, Any] | None
    """Analyses over estimators, selections of runs and conventions."""
    profiles: list[dict[str, Any]]
    """Profiles of the free parameters where the optimum is flat, at a bound or not certified; else empty."""
    checklist: list[dict[str, str]]
    """Answers to the (Mis)Fitting checklist."""
    missing: dict[str, str] = field(default_factory=dict)
    """Reasons for missing checks, by name of the check."""
    stopped: bool = False
    """Whether an interrupt ended the checks early; the earlier checks are kept."""

    def to_json(self) -> dict[str, Any]:
        """Return the results as plain data for JSON."""
        return {
            "backtest": None if self.backtest is None else self.backtest.to_json(),
            "leave_one_size_out": self.sizes,
            "selection": self.selection,
            "lack_of_fit": self.replicates,
            "influence": self.influence,
            "multiverse": self.multiverse,
            "profiles": self.profiles,
            "checklist": self.checklist,
            "missing": self.missing,
        }

    def lines(self) -> list[str]:
        """Return the results in words, one line each."""
        lines = []
        if self.backtest is not None:
            nominal, calibrated, total = self.backtest.coverage()
            far_nominal, far, count = self.backtest.coverage(0.5)
            if nominal is not None and calibrated is not None:
                lines.append(
                    f"backtest over {self.backtest.ladder}: nominal {self.backtest.level:.0%} intervals "
                    f"covered {nominal:.0%} of "
                    f"{total} forecasts, calibrated ones {calibrated:.0%}"
                    + (
                        f"; beyond half a decade {far_nominal:.0%} and {far:.0%} of {count}"
                        if count and far is not None
                        else ""
                    )
                )
        known = [row for row in self.sizes or [] if row["rms_error"] is not None]
        if known:
            worst = max(known, key=lambda row: row["rms_error"])
            size = next(iter(worst))
            lines.append(
                f"leaving sizes out: largest error {worst['rms_error']:.3g} at {size} = {worst[size]:.3g}"
            )
        if self.selection is not None:
            lines.append(f"selection: {self.selection['words']}")
        if self.replicates is not None:
            deviation = self.replicates["seed_deviation"]
            lines.append(
                f"replicates: {self.replicates['words']}"
                + (f"; seeds differ by {deviation:.2g}" if deviation is not None else "")
            )
        if self.influence is not None and self.influence["most_influential"]:
            row = self.influence["most_influential"][0]
            lines.append(
                f"influence: without row {row['row']}, {row['moves']} moves by "
                f"{-(row['by_standard_errors'] or 0):+.2g} standard errors"
                f" at most; {self.influence['outlier_count']} outliers"
            )
        if self.multiverse is not None and self.multiverse["spread"]:
            lost = self.multiverse["undetermined"]
            low, middle, high = self.multiverse["spread"]
            count = len(self.multiverse["rows"]) - lost
            lines.append(
                f"multiverse of {count} analyses: {self.multiverse['headline']} "
                f"from {low:.3g} to {high:.3g}, "
                f"median {middle:.3g}" + (f"; {lost} more are not determined" if lost else "")
            )
        for row in self.profiles:
            if row["open_ended"]:
                low, high = row["interval"]
                lines.append(
                    f"profile: {row['name']} is not bounded by the data within {low:.3g} to {high:.3g}"
                )
            if row["better_objective"] is not None:
                lines.append(
                    f"profile: along {row['name']} lies a lower objective, {row['better_objective']:.6g}"
                )
        return lines + [f"not checked, {name}: {why}" for name, why in self.missing.items()]

    def __repr__(self) -> str:
        return "\n".join(["validation:", *(f"  {line}" for line in self.lines())])


def _profiles(fit: Fit) -> list[dict[str, Any]]:
    """Return the profiles of up to eight free parameters, or none where the optimum is well determined."""
    certificate = fit.certificate
    if certificate.definite and not certificate.at_bounds and certificate.condition < 1e5:
        return []
    # A coarse profile of 21 points shows whether a direction is flat and whether it is bounded.
    free = [name for name in fit.problem.coordinates.names if name not in fit.options.tied.values()]
    profiles = []
    for done, name in enumerate(free[:8]):
        tell("profiles", done, len(free[:8]))
        try:
            profiles.append(
                profile(fit.problem, fit.optimum, name, level=fit.options.level, points=21).to_json()
            )
        except ScalingError:
            continue
    return profiles


def validate(fit: Fit) -> Validation:
    """Run every check of a fit that its table allows: backtests, selection, influence, the multiverse.

    It refits hundreds of times and takes seconds to minutes. An interrupt keeps the checks that are done.
    """
    missing: dict[str, str] = {}
    if fit.table.n > LARGE:
        missing["all rows"] = f"the checks ran on {LARGE} of {fit.table.n} rows, drawn at random"
        fit = sampled(fit)
    checks: dict[str, Callable[[Fit], Any]] = {
        "backtest": backtest,
        "left-out sizes": leave_one_size_out,
        "selection": selection,
        "influence": influence,
        "multiverse": multiverse,
        "profiles": _profiles,
        "replicates": lack_of_fit,
        "checklist": checklist,
    }
    results: dict[str, Any] = {}
    stopped = False
    for name, check in checks.items():
        if stopped:
            missing[name] = "stopped before it was made"
            continue
        try:
            results[name] = check(fit)
        except FitError as error:
            missing[name] = str(error)
        except KeyboardInterrupt:
            missing[name], stopped = "stopped before it was made", True
    return Validation(
        backtest=results.get("backtest"),
        sizes=results.get("left-out sizes"),
        selection=results.get("selection"),
        replicates=results.get("replicates"),
        influence=results.get("influence"),
        multiverse=results.get("multiverse"),
        profiles=results.get("profiles", []),
        checklist=results.get("checklist", []),
        missing=missing,
        stopped=stopped,
    )

"""Learning curves cut short: the power law against numpy, richer laws never above the ones they contain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling.published.extrapolation import curves, score

QUICK = [
    ("NMT", "log_perplexity", "Dec-only"),
    pytest.param(("NMT", "log_perplexity", "TEnc-LSTM"), marks=pytest.mark.slow),
    pytest.param(("BB", "('date', '1-shot')", "262M"), marks=pytest.mark.slow),
]


@pytest.fixture(autouse=True)
def _mirror(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALING_MIRROR", str(mirror))


@pytest.mark.parametrize("key", QUICK)
def test_richer_laws_fit_no_worse_and_m1_is_a_straight_line(key: tuple[str, str, str]) -> None:
    curve = curves()[key]
    found = {row["law"]: row for row in score(curve)}
    inside = {law: float(row["inside"]) for law, row in found.items()}
    assert inside["m2"] <= inside["m1"] * (1 + 1e-9)
    for richer in ("m3", "m4", "bnsl-1"):
        assert inside[richer] <= inside["m2"] * (1 + 1e-6), richer
    seen, rest = curve[curve["Training"] == 1], curve[curve["Training"] == 0]
    line = np.polyfit(np.log(seen["Seen Examples"]), np.log(seen["Loss"]), 1)
    error = np.polyval(line, np.log(rest["Seen Examples"])) - np.log(rest["Loss"])
    assert found["m1"]["beyond"] == pytest.approx(float(np.sqrt(np.mean(error**2))), rel=1e-6)


def test_all_twenty_curves_are_there() -> None:
    assert len(curves()) == 20

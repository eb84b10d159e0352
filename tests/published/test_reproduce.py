"""Published fits come out as recorded: every series of the mirror, quickly; and the judge judges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scaling.errors import ConfigError, FitError, TableError
from scaling.fitting import laws
from scaling.published import ledger
from scaling.published.entries import repeats
from scaling.published.outcome import BETTER, MISSING, NOT, REPRODUCED, Entry, Refit, judge, reproduce
from scaling.published.refit import problem

SLOW = (
    "gemstones/hot/shape",
    "gemstones/cool-end/shape",
    "repeats/all-free",
    "schedules/multi-power-train",
    "saturation",
)
BETTER_KNOWN = {
    "chinchilla/hoffmann-parameters",
    "gemstones/hot/size-1e-04",
    "gemstones/cool-end/size-1e-04",
    "gemstones/cool-end/no-embeddings-1e-04",
    "gemstones/cool-end/shape-1e-03",
    "gemstones/cool-end/shape-1e-04",
    "gemstones/hot/shape-1e-04",
    "repeats/stars",
    "repeats/all-free",
    "schedules/multi-power-train",
}
NOT_KNOWN = {
    "hoffmann/exponents-printed",
    "hoffmann/table-approach-3-tokens",
    "kaplan/compute-exponent",
    "saturation/bnsl-beats-m4",
}


def quick(name: str) -> bool:
    """One fine-tuned model in ten is enough here; the shape laws and other long fits run with the slow
    tests."""
    if name.startswith("fine-tuning/"):
        return name.endswith(("/gpt2", "/bart-large-cnn", "/phi-2"))
    return not name.startswith(SLOW)


@pytest.fixture(autouse=True)
def _mirror(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALING_MIRROR", str(mirror))


def expected(entry: Entry) -> str:
    if entry.name in BETTER_KNOWN or entry.name.startswith("fine-tuning/power/"):
        return BETTER
    return NOT if entry.name in NOT_KNOWN else REPRODUCED


def check(name: str) -> None:
    entry = ledger.entries()[name]
    outcome = reproduce(entry)
    if name.startswith("fine-tuning/rectified/"):
        assert outcome.outcome in (REPRODUCED, BETTER)
        assert outcome.refit is not None
        assert outcome.refit.values["rmsd"] <= entry.published["rmsd"] * (1 + 1e-6)
        return
    assert outcome.outcome == expected(entry), (outcome.refit, outcome.reason)
    if outcome.outcome == NOT:
        assert entry.note, "a disagreement needs its explanation"
    if outcome.refit is not None and outcome.refit.at_published is not None:
        assert outcome.refit.objective is not None
        assert outcome.refit.objective <= outcome.refit.at_published * (1 + 1e-9)


@pytest.mark.parametrize("name", [name for name in ledger.entries() if quick(name)])
def test_published_fit(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ledger.entries() if not quick(name)])
def test_published_fit_at_length(name: str) -> None:
    check(name)


def test_ninety_fits_are_known_and_every_series_is_used() -> None:
    known = ledger.entries()
    assert len(known) >= 90
    used = {table for entry in known.values() for table in entry.data}
    assert {"chinchilla", "gadre-redpajama", "porian-refinedweb", "datablations", "gemstones-hot"} <= used
    assert {"gemstones-cool-end", "olmo-ladder", "routing", "fine-tuning-flan", "observational"} <= used
    assert "multipower-wsd-20000-24000" in used
    catalogue = laws.catalogue()
    fitted = {entry.law for entry in known.values()} & set(catalogue)
    assert {"chinchilla", "repeats", "routed", "multi-power", "width-depth-size", "over-training"} <= fitted


def test_the_whole_profile_shows_the_published_point_as_a_local_optimum() -> None:
    shown = repeats.profile()
    valleys = shown.valleys
    assert len(valleys) >= 2
    best, *others = valleys
    assert best[2] == pytest.approx(0.0158047, rel=1e-4)
    near = [v for v in others if abs(v[0] - repeats.STARS["R_N_star"]) < 0.2]
    assert near
    assert near[0][2] == pytest.approx(repeats.OBJECTIVE, rel=1e-4)
    assert best[2] < near[0][2]
    refit = ledger.entries()["repeats/stars"].run()
    assert refit.objective is not None
    assert refit.objective <= best[2]


def test_exponents_of_porian_lie_inside_the_published_intervals() -> None:
    for name, entry in ledger.entries().items():
        if name.startswith("porian/"):
            assert entry.run().detail["inside"], name


def entry_of(published: dict[str, float], refit: Refit, within: float = 0.01) -> Entry:
    return Entry(
        name="a/b",
        paper="",
        claim="",
        data=(),
        law="",
        objective="",
        published=published,
        run=lambda: refit,
        within=within,
    )


@pytest.mark.parametrize(
    ("value", "objective", "there", "outcome"),
    [
        (1.001, 1.0, 1.0, REPRODUCED),
        (2.0, 0.9, 1.0, BETTER),
        (2.0, 1.0 - 1e-6, 1.0, REPRODUCED),
        (2.0, 1.1, 1.0, NOT),
        (2.0, None, None, NOT),
    ],
)
def test_the_judge(value: float, objective: float | None, there: float | None, outcome: str) -> None:
    refit = Refit(values={"x": value}, objective=objective, at_published=there)
    assert judge(entry_of({"x": 1.0}, refit), refit) == outcome


def test_missing_data_and_failed_fits_are_outcomes() -> None:
    def absent() -> Refit:
        raise TableError("no such table")

    def hopeless() -> Refit:
        raise FitError("no start is finite")

    entry = entry_of({"x": 1.0}, Refit(values={}))
    from dataclasses import replace

    assert reproduce(replace(entry, run=absent)).outcome == MISSING
    ended = reproduce(replace(entry, run=hopeless))
    assert ended.outcome == NOT
    assert ended.reason == "no start is finite"


def test_a_huber_fit_takes_the_delta_of_its_publication() -> None:
    n = np.geomspace(1e6, 1e9, 8)
    with pytest.raises(ConfigError, match="give the delta of the publication"):
        problem("power-n", {"N": n}, 2 + n**-0.1, objective="huber")


def test_names_choose_entries_and_groups() -> None:
    assert [e.name for e in ledger.choose(["gadre/loss"])] == ["gadre/loss"]
    assert len(ledger.choose(["porian"])) == 15
    assert len(ledger.choose(["porian/1-kaplan"])) == 3
    with pytest.raises(ConfigError, match="did you mean 'gadre'"):
        ledger.choose(["gadr"])


def test_the_table_is_the_same_twice(tmp_path: Path) -> None:
    chosen = ledger.choose(["approach-2-bias", "gadre"])
    first = ledger.write(list(ledger.run(chosen)), tmp_path / "a", "scaling reproduce")
    second = ledger.write(list(ledger.run(chosen)), tmp_path / "b", "scaling reproduce")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    rows = (tmp_path / "a" / "outcomes.csv").read_text().splitlines()
    assert rows[0].startswith("name,outcome,published,found")
    assert len(rows) == 1 + len(chosen)
    assert json.loads((tmp_path / "a" / "outcomes.json").read_text())["summary"][REPRODUCED] == len(chosen)


def test_published_values_are_finite() -> None:
    for entry in ledger.entries().values():
        assert entry.published
        assert all(np.isfinite(v) for v in entry.published.values())
        assert entry.claim.endswith(".")

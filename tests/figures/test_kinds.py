"""Runs that differ in more than size, data, seed and rate are told apart, and no figure joins them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic
from scipy import stats

from scaling.figures import drawing, kinds, source
from scaling.figures.compare import changes
from scaling.figures.report import answer, explore, tables
from scaling.figures.runs import seeds

pytestmark = pytest.mark.usefixtures("few_conventions")
FAMILIES = tuple(synthetic.FAMILIES)


@pytest.fixture(scope="module")
def several(mixed_source: source.Source) -> source.Source:
    return mixed_source


def test_a_kind_is_what_differs_and_not_the_dial() -> None:
    runs = synthetic.ledger()
    assert set(kinds.kinds(runs, None)) == {""}
    half = np.arange(len(runs)) % 2
    assert set(kinds.kinds(runs.assign(family=np.where(half, "gpt2", "llama")), None)) == {"gpt2", "llama"}
    vocab = runs.assign(vocab=np.where(half, 256, 512))
    assert set(kinds.kinds(vocab, None)) == {"vocabulary 256", "vocabulary 512"}


def test_switches_are_read_from_the_plan() -> None:
    runs = synthetic.ledger()
    overrides = [
        ["sweep.name=x", "family.size=1", "seed=0", "+family.norm_position=post"][: 3 + i % 2]
        for i in range(len(runs))
    ]
    plan = {"cells": [{"run_id": r, "overrides": o} for r, o in zip(runs["run_id"], overrides, strict=True)]}
    found = kinds.kinds(runs, plan)
    assert list(found) == [("base", "norm position post")[i % 2] for i in range(len(runs))]


def test_of_several_rates_the_best_counts() -> None:
    runs = synthetic.ledger(seeds=1).assign(kind="", budget=lambda t: kinds.budgets(t))
    worse = runs.assign(learning_rate=1.0, loss=runs["loss"] + 1, run_id=runs["run_id"] + "x")
    kept, rates = kinds.tuned(pd.concat([worse, runs], ignore_index=True))
    assert rates == 2
    assert sorted(kept["run_id"]) == sorted(runs["run_id"])


def test_every_kind_has_its_own_profiles(several: source.Source) -> None:
    data = drawing.of(several, ["isoflop"])["isoflop"]
    assert {b["kind"] for b in data["budgets"]} == set(FAMILIES)
    runs = several.done.set_index("run_id")["kind"]
    for b in data["budgets"]:
        assert {runs[r] for p in b["points"] for r in p["runs"]} == {b["kind"]}


def test_envelopes_and_collapse_are_those_of_each_kind(several: source.Source) -> None:
    drawn = drawing.of(several, ["curves", "collapse"])
    ends = {e["kind"]: e["loss"][-1] for e in drawn["curves"]["envelopes"]}
    assert ends["llama"] < ends["gpt2"] < ends["lstm"]
    assert {r["kind"] for r in drawn["collapse"]["runs"]} == set(FAMILIES)


def test_what_a_fit_of_all_kinds_would_say_is_not_said(mixed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(mixed, tmp_path / "made"))
    one = synthetic.fit(source.read(folder).runs)
    (folder / "fit.json").write_text(json.dumps(one), encoding="utf-8")
    pooled = source.read(folder)
    drawn = drawing.of(pooled)
    for name in ("optimum", "surface", "contours", "residuals", "ridges", "exponents", "conventions"):
        assert "3 kinds of runs" in drawn[name]["missing"], name
    assert "N*" not in answer.answer(pooled).sentence
    one["input"]["where"] = "family == 'llama'"
    (folder / "fit.json").write_text(json.dumps(one), encoding="utf-8")
    drawn = drawing.of(source.read(folder), ["surface", "residuals"])
    assert len(drawn["surface"]["points"]) == len(pooled.done) / 3
    assert len(drawn["residuals"]["points"]) == len(pooled.done) / 3


def test_changes_are_the_ratios_that_were_put_in(several: source.Source) -> None:
    data = drawing.of(several, ["changes"])["changes"]
    found = {(r["kind"], r["C"]): r for r in data["rows"]}
    against = data["against"]
    truth = synthetic.FAMILIES
    for (kind, _), r in found.items():
        assert r["change"] == pytest.approx(truth[kind] / truth[against] - 1, abs=2e-3)
        assert r["interval"][0] < truth[kind] / truth[against] - 1 < r["interval"][1]
        assert r["sure"]


def test_a_change_is_judged_as_by_students_test() -> None:
    rng = np.random.default_rng(0)
    a, b = 2 + 0.02 * rng.standard_normal(4), 2.03 + 0.02 * rng.standard_normal(4)
    noise = seeds.pooled([pd.DataFrame({"loss": a}), pd.DataFrame({"loss": b})])
    best = pd.DataFrame({"kind": ["a", "b"], "budget": 1e9, "mean": [a.mean(), b.mean()], "count": [4, 4]})
    (row,) = changes._rows(best, "a", noise)
    oracle = stats.ttest_ind(b, a)
    assert row["p"] == pytest.approx(oracle.pvalue)
    low, high = oracle.confidence_interval(0.95)
    assert row["interval"] == pytest.approx([low / a.mean(), high / a.mean()])


def test_no_change_of_the_seeds_alone_is_told_apart(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "same", seeds=1)
    runs = pd.concat(
        [synthetic.ledger(seeds=1, noise=0.004, seed=i).assign(family=f, seed=i % 3)
         for i, f in enumerate(["a"] * 3 + ["b"] * 3)],
        ignore_index=True,
    )  # fmt: skip
    runs.to_parquet(folder / "ledger.parquet")
    data = drawing.of(source.read(folder), ["changes"])["changes"]
    assert sum(r["sure"] for r in data["rows"]) == 0
    assert data["title"] == "b and a are not told apart by their loss"


def test_a_start_is_named_by_what_it_starts_from() -> None:
    runs = synthetic.ledger()
    starts = ["start.sweep=null", "start.sweep=books"]
    cell = [{"run_id": r, "overrides": [starts[i % 2]]} for i, r in enumerate(runs["run_id"])]
    assert list(kinds.kinds(runs, {"cells": cell})) == [
        ("scratch", "from books")[i % 2] for i in range(len(runs))
    ]


def test_numbers_in_kinds_are_sorted_as_numbers() -> None:
    found = sorted(["vocabulary 1024", "base", "vocabulary 256"], key=kinds.in_order)
    assert found == ["base", "vocabulary 256", "vocabulary 1024"]


def test_losses_of_different_tokens_are_compared_per_byte_alone(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made", with_fit=False)
    runs, curves = (pd.read_parquet(folder / f"{name}.parquet") for name in ("ledger", "curves"))
    coarse = runs.assign(
        vocab=512, bits_per_byte=runs["loss"] / np.log(2) / 3, run_id="v" + runs["run_id"].str[1:]
    )
    fine = runs.assign(vocab=256, bits_per_byte=runs["loss"] / np.log(2))
    pd.concat([fine, coarse]).to_parquet(folder / "ledger.parquet")
    pd.concat([curves, curves.assign(run_id="v" + curves["run_id"].str[1:])]).to_parquet(
        folder / "curves.parquet"
    )
    found = source.read(folder)
    drawn = drawing.of(found, ["curves", "isoflop"])
    lows = {e["kind"]: e["loss"][-1] for e in drawn["curves"]["envelopes"]}
    assert lows["vocabulary 256"] == pytest.approx(3 * lows["vocabulary 512"])
    assert "bits per byte" in drawn["curves"]["title"]
    assert drawn["isoflop"]["own_scale"]
    assert "do not compare" in drawn["isoflop"]["subtitle"]
    least = {what: (number, small) for what, number, small in answer.answer(found).facts}["lowest loss"]
    assert least[1].startswith("bits per byte")
    assert float(least[0]) == pytest.approx(float(found.done["bits_per_byte"].min()), abs=1e-3)
    table = tables.ordered(found)
    assert table["bits_per_byte"].is_monotonic_increasing
    shown = [float(v) for v in explore.payload(found, table)["bits"].split()]
    assert shown == pytest.approx(list(table["bits_per_byte"]), rel=1e-4)


def test_a_kind_has_one_colour_in_every_figure(several: source.Source) -> None:
    order = several.several
    assert [e["kind"] for e in drawing.of(several, ["curves"])["curves"]["envelopes"]] == order
    assert (
        list(dict.fromkeys(r["kind"] for r in drawing.of(several, ["collapse"])["collapse"]["runs"])) == order
    )
    trend = drawing.data("family-curves", source=several)
    assert [f["family"] for f in trend["families"]] == order


def test_losses_are_in_the_unit_of_their_objective(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    runs = pd.read_parquet(folder / "ledger.parquet").assign(objective="classification")
    runs.to_parquet(folder / "ledger.parquet")
    found = source.read(folder)
    assert found.loss_unit == "nats per text"
    assert drawing.of(found, ["curves"])["curves"]["unit"] == "nats per text"
    assert "nats per text" in drawing.of(found, ["seeds"])["seeds"]["title"]

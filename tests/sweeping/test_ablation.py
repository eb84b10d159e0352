"""Every switch of a device is measured here, or said not to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaling.sweeping import ablation
from scaling.sweeping.planning import cells
from scaling.sweeping.planning import config as configs
from scaling.sweeping.speeds import switches_table
from scaling.training.cell import Cell

TINY = [
    *("corpus=files", "corpus.name=tiny", "corpus.path=text", "corpus.document=line", "context=16"),
    *("recipe.batch_sequences=4", "family.size=0.25", "sweep.sizes=[0.25]", "evaluation.sequences=8"),
]


@pytest.mark.slow
def test_switches_on_a_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = ablation.switches
    # the compiler takes longer than all the rest; tests of compiling call it
    monkeypatch.setattr(
        ablation, "switches", lambda *a: [one for one in every(*a) if "compile=d" not in one[0]]
    )
    with configs.hydra("bench") as (engine, name):
        config = configs.parsed(configs.master(engine, name, TINY))
        wider = configs.parsed(configs.master(engine, name, [*TINY, "recipe.batch_sequences=8"]))
    found = ablation.ablate([config, wider], turns=5)
    assert {row["batch_sequences"] for row in found["switches"]} == {4, 8}
    rows = {row["switch"]: row for row in found["switches"] if row["batch_sequences"] == 4}
    measured = {name for name, row in rows.items() if row["ratio"] is not None}
    assert measured == {
        *("none, against itself", "device.loss_chunk=16", "device.micro_batch=2", "optimiser not fused"),
        "device.dtype=bfloat16",
    }
    assert all(0 < rows[name]["low"] <= rows[name]["ratio"] <= rows[name]["high"] for name in measured)
    assert all(row["why"] for name, row in rows.items() if name not in measured)
    assert {name for name in measured if rows[name]["mfu"] is None} == {"device.dtype=bfloat16"}
    plain, peak = rows["none, against itself"], found["peaks"]["float32"]["flops_per_second"]
    flops = Cell.from_config(
        cells.merged(config, {"budget.tokens": 1e6}), cells.corpus_of(config)
    ).flops_per_token
    assert plain["mfu"] == pytest.approx(plain["tokens_per_second"] * flops / peak)
    assert 0 < plain["mfu"] < 1
    path = ablation.path_of(config)
    ablation.keep(path, found)
    assert json.loads(path.read_text()) == found
    switches_table(path, found)
    said = capsys.readouterr().out
    assert "not measured: for CUDA devices" in said
    assert "MFU: 3 × forward matrix products (full attention, head included)" in said
    assert "products of 1,024 on a core here" in said


def test_the_interval_of_a_median_covers_as_it_says() -> None:
    """21 values: the sixth and the sixteenth (Conover, Practical Nonparametric Statistics, section 3.2)."""
    assert ablation.median(list(range(1, 22))) == {"ratio": 11, "low": 6, "high": 16}

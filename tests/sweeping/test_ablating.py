"""Every switch of a device is measured here, or said not to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaling.sweeping import ablating
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning.packing import switches_path
from scaling.sweeping.tables import switches_table

TINY = [
    *("corpus=files", "corpus.name=tiny", "corpus.path=text", "corpus.document=line", "context=16"),
    *("recipe.batch_sequences=4", "family.size=0.25", "sweep.sizes=[0.25]", "evaluation.sequences=8"),
]


def test_switches_on_a_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = ablating.switches
    # the compiler takes longer than all the rest; tests of compiling call it
    monkeypatch.setattr(
        ablating, "switches", lambda *a: [one for one in every(*a) if "compile=d" not in one[0]]
    )
    with configs.hydra("bench") as (engine, name):
        config = configs.plain(configs.master(engine, name, TINY))
    found = ablating.ablate(config, turns=5, members=(2,))
    rows = {row["switch"]: row for row in found["switches"]}
    measured = {name for name, row in rows.items() if row["ratio"] is not None}
    assert measured == {
        *("device.loss_chunk=16", "device.micro_batch=2", "optimiser not fused"),
        *("device.dtype=bfloat16", "device.pack=4"),
    }
    assert all(0 < rows[name]["low"] <= rows[name]["ratio"] <= rows[name]["high"] for name in measured)
    assert all(row["why"] for name, row in rows.items() if name not in measured)
    (pack,) = found["packs"]
    assert pack["members"] == 2
    assert pack["gain"] > 0
    path = switches_path(config)
    ablating.keep(path, found)
    assert json.loads(path.read_text()) == found
    switches_table(path, found)
    assert "not measured: for CUDA devices" in capsys.readouterr().out


def test_the_interval_of_a_median_covers_as_it_says() -> None:
    """21 values: the sixth and the sixteenth (Conover, Practical Nonparametric Statistics, section 3.2)."""
    assert ablating.median(list(range(1, 22))) == {"ratio": 11, "low": 6, "high": 16}

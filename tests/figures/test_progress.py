"""The clock of a sweep: pauses are cut out and named, and no run is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import synthetic

from scaling.figures import drawing, source


def test_a_pause_is_cut_out_of_the_clock(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    runs = pd.read_parquet(folder / "ledger.parquet")
    began = pd.Timestamp("2026-11-20", tz="UTC") + pd.to_timedelta(60 * pd.Series(range(len(runs))), unit="s")
    began[len(runs) // 2 :] += pd.Timedelta(days=3)
    ended = began + pd.Timedelta(seconds=60)
    runs = runs.assign(started=began.map(str), ended=ended.map(str))
    runs.to_parquet(folder / "ledger.parquet")
    data = drawing.of(source.read(folder), ["progress"])["progress"]
    ((begin, last),) = data["pauses"]
    assert last - begin == pytest.approx(3 * 86_400)
    assert f"done in {len(runs)}" in data["title"]
    below = drawing.draw(json.loads(drawing.to_json(data))).axes[1]
    assert below.get_xlim()[1] == pytest.approx(1.01 * 60 * len(runs))
    ends = [x for bar in below.collections[0].get_segments() for x in bar[:, 0]]
    assert min(ends) >= 0
    assert max(ends) == pytest.approx(60 * len(runs))


def test_without_a_pause_the_clock_is_whole(made: Path) -> None:
    assert drawing.of(source.read(made), ["progress"])["progress"]["pauses"] == []

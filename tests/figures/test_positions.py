"""Loss by position: a known fall comes out, groups stay apart, and nothing is drawn without data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scaling.figures import drawing, source


def test_a_known_fall_is_read_from_the_figure(made: Path) -> None:
    """2^-position: the first position has all of the fall above the floor, the fifth less than a tenth."""
    found = drawing.of(source.read(made), ["positions"])["positions"]
    assert found["by"] == "budget"
    assert "within the first 5 tokens" in found["title"]
    for line in found["lines"]:
        assert line["position"][0] == 1.0
        assert line["loss"][0] - line["loss"][1] == pytest.approx(1.0)


def test_families_have_a_panel_each(mixed: Path) -> None:
    lines = drawing.of(source.read(mixed), ["positions"])["positions"]["lines"]
    assert {line["kind"] for line in lines} == {"llama", "gpt2", "lstm"}
    assert all(len(line["runs"]) == 2 for line in lines), "both seeds of the best size"


def test_without_positions_it_is_left_out(made: Path) -> None:
    bare = replace(source.read(made), positions=source.read(made).positions.head(0))
    assert "positions" not in drawing.of(bare)
    assert "positions.parquet" in drawing.of(bare, ["positions"])["positions"]["missing"]


def test_a_loss_that_does_not_fall_is_not_said_to(made: Path) -> None:
    found = source.read(made)
    rising = replace(found, positions=found.positions.assign(loss=found.positions["position"] * 1.0))
    title = drawing.of(rising, ["positions"])["positions"]["title"]
    assert title == "The loss does not fall along the sequence"

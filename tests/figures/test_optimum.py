"""N*, D* and D*/N* against compute: what was left out of the fit never moves the axes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import synthetic

from scaling.figures import drawing, source, style
from scaling.figures.laws import optimum


def drawn(folder: Path) -> tuple[dict, list]:
    data = drawing.of(source.read(folder), ["optimum"])["optimum"]
    with style.printed_on():
        return data, drawing.draw(data).axes


def test_a_budget_without_a_minimum_inside_does_not_stretch_the_axis(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "edge")
    path = folder / "fit.json"
    fit = json.loads(path.read_text())
    first = fit["approaches"]["2"]["budgets"][0]
    first |= {"inside": False, "N_opt": 3.0, "D_opt": 1e10, "N_interval": [0.01, 1e9]}
    path.write_text(json.dumps(fit))
    data, axes = drawn(folder)
    assert "open" in data["subtitle"]
    for panel in axes:
        low, high = panel.get_ylim()
        assert high / low < 200
        for line in panel.lines:
            y = [float(v) for v in line.get_ydata()]
            assert min(y) >= low * 0.999
            assert max(y) <= high * 1.001


def test_tokens_per_parameter_has_its_panel_and_the_rule_of_twenty(made: Path) -> None:
    data, axes = drawn(made)
    ratio = data["panels"][2]
    a, b = (data["panels"][i]["exponent"] for i in (0, 1))
    assert ratio["exponent"]["value"] == pytest.approx(b["value"] - a["value"])
    assert ratio["exponent"]["interval"] == pytest.approx(
        [b["interval"][0] - a["interval"][1], b["interval"][1] - a["interval"][0]]
    )
    assert any(set(line.get_ydata()) == {20.0} for line in axes[2].lines)


def test_intervals_of_data_and_of_the_ratio_are_those_of_the_size_turned_round() -> None:
    budget = {"C": 6e10, "N_opt": 1e4, "D_opt": 1e6, "N_interval": [5e3, 2e4]}
    assert optimum._interval(budget, "N") == [5e3, 2e4]
    assert optimum._interval(budget, "D") == pytest.approx([5e5, 2e6])
    assert optimum._interval(budget, "D/N") == pytest.approx([5e5 / 2e4, 2e6 / 5e3])

"""F1 to F12: the same bytes from the same JSON, no word over another, readable on both papers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import ConfigError, TableError
from scaling.figures import catalogue, drawing, style
from scaling.figures.source import Source
from scaling.figures.trends.forest import cited, months_of
from scaling.figures.trends.gain import measured
from tests.figures.overlaps import overlaps


def ladder() -> Source:
    """Three families with known power laws."""
    runs, curves = [], []
    for family, (a, b) in {"lstm": (30, 0.07), "gpt2": (34, 0.08), "llama": (33.5, 0.083)}.items():
        for size in (1, 2, 3, 5):
            for budget in (1e12, 1e13, 1e14):
                run, n = f"{family}{size}{budget:g}", 2e4 * size**3
                x = np.geomspace(budget / 50, budget, 20)
                y = a * x**-b * (1 + 0.02 * np.log(x / (n**2 * 30)) ** 2) / 3
                row = {
                    "run_id": run,
                    "family": family,
                    "params": n,
                    "tokens": budget / 6 / n,
                    "flops": budget,
                    "loss": y[-1],
                }
                runs.append(row)
                curves += [{"run_id": run, "step": i, "flops": x[i], "loss": y[i]} for i in range(20)]
    return Source(
        name="demo",
        folder=Path("demo"),
        runs=pd.DataFrame(runs),
        curves=pd.DataFrame(curves),
        positions=pd.DataFrame(),
        fit=None,
        plan=None,
        comparison=None,
        digest="0",
    )


C = np.geomspace(1e11, 1e15, 41)
COMPARISON = {
    "inputs": {"lstm": {"rows_used": 12}, "llama": {"rows_used": 12}},
    "gains": [
        {
            "of": "llama",
            "over": "lstm",
            "headline": {"value": 1.6, "interval": [1.3, 2.1], "level": 0.95, "method": "x, pairs bootstrap"},
            "curve": {
                "C": C.tolist(),
                "gain": (1.6 * (C / 1e13) ** 0.05).tolist(),
                "lower": [1.2] * 41,
                "upper": [2.4] * 40 + [None],
                "inside": [bool(1e12 <= c <= 1e14) for c in C],
            },
        }
    ],
}
OPTIONS = {
    "family-curves": {"source": ladder()},
    "gain": {"comparison": COMPARISON},
    "growth": {"gains": measured(COMPARISON)},
    "exchange": {"gains": measured(COMPARISON)},
}


@pytest.fixture(scope="module")
def made() -> dict[str, dict]:
    return {name: drawing.data(name, **OPTIONS.get(name, {})) for name in catalogue.TRENDS}


@pytest.mark.parametrize("name", catalogue.TRENDS)
def test_nothing_overlaps_and_the_small_print_is_there(name: str, made: dict[str, dict]) -> None:
    found = made[name]
    for key in ("title", "subtitle", "alt", "footer"):
        assert found[key]
    small = " ".join(found["footer"])
    assert "Source" in small
    assert "redraw" in small
    with style.printed_on():
        assert overlaps(drawing.draw(found)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "sheet", [style.LIGHT, pytest.param(style.DARK, marks=pytest.mark.slow)], ids=["light", "dark"]
)
@pytest.mark.parametrize("name", catalogue.TRENDS)
def test_same_json_same_bytes(name: str, sheet: style.Paper, made: dict[str, dict]) -> None:
    again = json.loads(drawing.to_json(made[name]))
    assert drawing.to_svg(made[name], sheet) == drawing.to_svg(again, sheet)


def test_files_are_written_and_come_back_from_the_json_alone(tmp_path: Path) -> None:
    paths = drawing.save(drawing.data("doubling"), tmp_path)
    assert [p.name for p in paths] == ["doubling.json", "doubling.svg", "doubling.png"]
    assert all(p.stat().st_size > 1000 for p in paths)
    again = drawing.save(drawing.load(paths[0]), tmp_path / "again")
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]
    dark = drawing.save(drawing.load(paths[0]), tmp_path, style.DARK)
    assert [p.name for p in dark] == ["doubling.json", "doubling.dark.svg", "doubling.dark.png"]


def test_a_file_that_is_no_figure_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"figure": "unknown"}')
    with pytest.raises(TableError, match="is not the JSON of a figure"):
        drawing.load(tmp_path / "x.json")


@pytest.mark.parametrize("name", ["growth", "gain", "exchange"])
def test_several_gains_with_long_names_fit(name: str) -> None:
    (one,) = COMPARISON["gains"]
    gains = [one | {"of": f"a family with a long name {i}", "over": "transformer2017"} for i in range(3)]
    several = COMPARISON | {"gains": gains}
    options = {"gain": {"comparison": several}}.get(name, {"gains": measured(several)})
    with style.printed_on():
        assert overlaps(drawing.draw(drawing.data(name, **options))) == []


def test_what_is_missing_is_said() -> None:
    found = drawing.data("gain", comparison=None)
    assert "scaling compare" in found["missing"]
    assert drawing.to_svg(found)
    with pytest.raises(ConfigError, match="did you mean 'growth'"):
        catalogue.figure("growht")


def test_the_hull_finds_the_exponent(made: dict[str, dict]) -> None:
    by = {f["family"]: f["exponent"] for f in made["family-curves"]["families"]}
    assert by["lstm"] == pytest.approx(0.07, abs=0.02)
    assert by["lstm"] < by["llama"]


def test_published_units_become_months() -> None:
    assert months_of(4.0, "times_per_year") == pytest.approx(6)
    assert months_of(2, "doubling_years") == 24
    assert months_of(365.25, "doubling_days") == pytest.approx(12)
    assert months_of(np.log10(2), "oom_per_year") == pytest.approx(12)
    assert cited("sevilla2022-deep-learning") == "Sevilla 2022, deep learning"

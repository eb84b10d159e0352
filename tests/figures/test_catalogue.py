"""Every figure: drawn, without overlaps, from its JSON alone, always the same bytes; and a sentence
where data are missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import synthetic

from scaling.errors import ConfigError, StorageError, TableError
from scaling.figures import catalogue, drawing, source, style
from scaling.figures.compare import conventions
from tests.figures.overlaps import overlaps

NAMES = sorted(catalogue.RUNS)
MANY = {"sizes": 9, "budgets": tuple(10.0**e for e in range(9, 16)), "seeds": 4}
PIECES = [
    {"budgets": (1e10, 3e10), "sizes": 3, "seeds": 1},
    pytest.param(MANY, marks=pytest.mark.slow),
    pytest.param({"budgets": (1e18, 3e21, 1e25), "noise": 0.05}, marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def drawn(made_source: source.Source, mixed_source: source.Source) -> dict[str, dict]:
    """The JSON of every figure of the made-up folders: changes need several kinds of runs."""
    return drawing.of(mixed_source, ["changes"]) | drawing.of(made_source)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_figure_comes_back_from_its_json_to_the_same_bytes(
    name: str, drawn: dict[str, dict], tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text(drawing.to_json(drawn[name]), encoding="utf-8")
    data = drawing.load(tmp_path / "x.json")
    assert not data.get("missing")
    svg = drawing.to_svg(data)
    assert drawing.to_svg(json.loads(drawing.to_json(data))) == svg
    assert not re.search(rb"20\d\d-\d\d-\d\dT", svg)


def test_a_saved_figure_is_three_files_that_come_back(drawn: dict[str, dict], tmp_path: Path) -> None:
    first = drawing.save(drawn["isoflop"], tmp_path / "one")
    again = drawing.save(drawing.load(first[0]), tmp_path / "two")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert [p.suffix for p in first] == [".json", ".svg", ".png"]


@pytest.mark.slow
@pytest.mark.parametrize("options", PIECES, ids=str)
def test_no_text_covers_another_or_leaves_the_sheet(options: dict, tmp_path: Path) -> None:
    found = source.read(synthetic.make(tmp_path / "made", **options))
    for name, data in drawing.of(found).items():
        with style.printed_on():
            assert overlaps(drawing.draw(data)) == [], name


@pytest.mark.slow
def test_panels_of_several_kinds_do_not_overlap_and_come_back_to_the_same_bytes(
    mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conventions, "C_CONVENTIONS", conventions.C_CONVENTIONS[:1])  # no figure joins kinds
    for name, data in drawing.of(source.read(mixed)).items():
        with style.printed_on():
            assert overlaps(drawing.draw(data)) == [], name
        again = json.loads(drawing.to_json(data))
        assert drawing.to_svg(again) == drawing.to_svg(data), name


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_says_n_window_interval_source_and_command(name: str, drawn: dict[str, dict]) -> None:
    data = drawn[name]
    foot = " ".join(data["footer"])
    for word in ("n = ", "Source: made/ledger.parquet", "redraw: scaling figures made"):
        assert word in foot
    assert "window" in foot or "budgets" in foot
    assert "interval" in foot or "fitted to" in foot
    assert data["alt"]
    assert len(data["alt"]) > 40


def test_dark_paper_swaps_the_sheet_and_keeps_every_text_readable(made: Path) -> None:
    data = drawing.of(source.read(made), ["isoflop"])["isoflop"]
    for sheet in (style.LIGHT, style.DARK):
        with style.printed_on(sheet):
            figure = drawing.draw(data, sheet)
            from matplotlib.colors import to_hex
            from matplotlib.text import Text

            for text in figure.findobj(Text):
                if text.get_text():
                    assert style.contrast(to_hex(text.get_color()), sheet.background) >= 4.5, text.get_text()
    assert drawing.to_svg(data) != drawing.to_svg(data, style.DARK)


def test_all_data_colours_can_be_read_on_both_papers() -> None:
    with style.printed_on():
        colours = [*style.CYCLE, *(style.ramp(i / 23) for i in range(24))]
    for colour in colours:
        assert style.contrast(colour, style.LIGHT.background) >= 4.5, colour
        assert style.contrast(style.for_dark(colour), style.DARK.background) >= 4.5, colour


def test_without_a_fit_the_figure_says_which_command_makes_one(tmp_path: Path) -> None:
    found = source.read(synthetic.make(tmp_path / "bare", with_fit=False, with_curves=False))
    drawn = drawing.of(found)
    assert "scaling fit bare" in drawn["optimum"]["missing"]
    assert "scaling fit bare" in drawn["surface"]["missing"]
    assert "curves.parquet" in drawn["curves"]["missing"]
    assert not drawn["isoflop"].get("missing")
    for data in drawn.values():
        drawing.to_svg(data)


def test_one_budget_is_too_few_for_an_exponent_and_the_figure_says_so(tmp_path: Path) -> None:
    data = drawing.of(source.read(synthetic.make(tmp_path / "one", budgets=(1e10,))))
    assert "1 budget with a minimum" in data["optimum"]["missing"]
    assert not data["isoflop"].get("missing")


def test_a_minimum_outside_the_sizes_is_drawn_open_and_dashed(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "edge")
    fit = json.loads((folder / "fit.json").read_text())
    fit["approaches"]["2"]["budgets"][0]["inside"] = False
    (folder / "fit.json").write_text(json.dumps(fit))
    data = drawing.of(source.read(folder), ["isoflop"])["isoflop"]
    assert "dashed" in data["subtitle"]
    with style.printed_on():
        (axes,) = drawing.draw(data).axes
        diamonds = [line for line in axes.lines if line.get_marker() == "D"]
        assert sum(line.get_markerfacecolor() == style.LIGHT.background for line in diamonds) == 1
        assert any(line.get_linestyle() == "--" for line in axes.lines)


def test_names_that_are_not_known_are_answered_with_those_that_are(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'isoflop'"):
        catalogue.figure("isoflops")
    (tmp_path / "x.json").write_text('{"figure": "nothing"}')
    with pytest.raises(TableError, match="is not the JSON of a figure"):
        drawing.load(tmp_path / "x.json")
    (tmp_path / "y.json").write_text("{")
    with pytest.raises(TableError, match="cannot be read"):
        drawing.load(tmp_path / "y.json")


def test_a_folder_that_cannot_be_written_is_named(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        drawing.save(drawing.of(source.read(made), ["isoflop"])["isoflop"], tmp_path / "file" / "figures")

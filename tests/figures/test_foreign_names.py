"""Names that a table brings are drawn and printed as they are, whatever letters they have."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import synthetic

from scaling import cli
from scaling.figures import drawing, source
from scaling.figures.report import page
from scaling.tables.schema import COLUMNS
from scaling.terminal.text import visible

pytestmark = pytest.mark.usefixtures("few_conventions")

WORDS = (
    ("$x^{2$", "_hidden", "[red]x[/]"),
    ("<script>alert(1)</script>", "\x1b[31mred", "\\frac{"),
    ("L" * 300, "L" * 301, "two\nlines"),
    ("{{7*7}}{0}%s", "\u202eleft", "🙂 ünï\u2028"),
    ("../../x", "--help", "nan"),
)


@pytest.fixture(
    scope="module", params=[0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, len(WORDS)))]
)
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder of results whose three families have these names, which failure words and hosts have too."""
    folder = synthetic.mixed(tmp_path_factory.mktemp("named") / "made")
    (folder / "plan.json").unlink(missing_ok=True)
    path = folder / "ledger.parquet"
    frame = pd.read_parquet(path).reindex(columns=list(COLUMNS))
    frame = frame.astype({name: column.dtype.replace("int", "Int") for name, column in COLUMNS.items()})
    families = sorted(set(frame["family"]))
    names = dict(zip(families, WORDS[request.param], strict=True))
    frame["family"] = frame["family"].map(names)
    frame.loc[0, ["status", "reason"]] = ["failed", WORDS[request.param][0]]
    frame.to_parquet(path)
    return folder, list(names.values())


@pytest.mark.parametrize("figure", ["curves", "families", "changes"])
def test_every_figure_is_drawn_and_is_xml(named: tuple[Path, list[str]], figure: str) -> None:
    data = drawing.data(figure, source.read(named[0]))
    root = ElementTree.fromstring(drawing.to_svg(data))
    if figure == "curves":
        shown = "".join(root.itertext())
        assert all(visible(name).splitlines()[0][:20] in shown for name in named[1])


def test_the_page_holds_no_tag_of_a_name(named: tuple[Path, list[str]], no_pictures: None) -> None:
    text = page.render(source.read(named[0]))[0]
    assert "<script>alert" not in text
    assert "\x1b" not in text


def test_a_status_prints_the_words_as_they_are(
    named: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, names = named
    monkeypatch.setenv("SCALING_RESULTS", str(folder.parent))
    monkeypatch.setattr(sys, "argv", ["scaling", "status", folder.name])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert visible(names[0])[:20] in out
    assert "\x1b" not in out

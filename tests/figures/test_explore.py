"""The interactive figure in a real Chromium: hover, click, keyboard, zoom, conventions; and 5 000 runs
in one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import pytest
import synthetic

from scaling.figures import source
from scaling.figures.compare import conventions
from scaling.figures.report import page as pages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium.find() is None, reason="there is no chromium on the path: apt-get install chromium"
    ),
    pytest.mark.usefixtures("few_conventions"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Page]:
    tab = chromium.Page(tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def report(
    made_source: source.Source, few_conventions: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "drawn", lambda source: ([], set()))  # the static figures, which take long
        path.write_text(pages.render(made_source)[0], encoding="utf-8")
    return path


def place(browser: chromium.Page) -> tuple[float, float, int]:
    """Where the first run is drawn in the viewport, and its row."""
    found = browser.js(
        "(() => { const c = report.chart(); c.canvas.scrollIntoView({block: 'center', behavior: 'instant'});"
        " const b = c.canvas.getBoundingClientRect(); const k = c.data.datasets.findIndex(s => s.isRun);"
        " const p = c.getDatasetMeta(k).data[0]; return [b.left + p.x, b.top + p.y, "
        "c.data.datasets[k].data[0].row] })()"
    )
    return float(found[0]), float(found[1]), int(found[2])


def test_hover_shows_the_run_and_click_opens_its_row(browser: chromium.Page, report: Path) -> None:
    browser.open(report, width=1440)
    x, y, row = place(browser)
    browser.move(x, y)
    browser.settle()
    assert browser.js("report.chart().tooltip.opacity") > 0
    said = browser.js(
        "[report.chart().tooltip.title, report.chart().tooltip.body.map(b => b.lines)].flat(9).join(' ')"
    )
    run = browser.js(f"report.id[{row}]")
    assert run[:8] in said
    assert "loss" in said
    browser.move(x, y, "mousePressed")
    browser.move(x, y, "mouseReleased")
    browser.settle()
    assert browser.js("document.activeElement.id") == f"run-{run}"
    assert browser.console == []


def test_the_keyboard_walks_and_opens(browser: chromium.Page, report: Path) -> None:
    browser.open(report, width=1440)
    browser.js("document.getElementById('chart').focus()")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    said = browser.js("document.getElementById('hint').textContent")
    assert said.startswith("run ")
    browser.press("Enter")
    assert browser.js("document.activeElement.id").startswith(f"run-{said[4:12]}")


def test_conventions_switch_and_the_fit_follows(
    browser: chromium.Page, report: Path, made_source: source.Source
) -> None:
    fits = conventions.fits(made_source)[""]
    browser.open(report, width=1440)
    for c_key, by_n in fits.items():
        for n_key, fit in by_n.items():
            browser.js(
                f"(() => {{ for (const [id, v] of [['count-c', '{c_key}'], ['count-n', '{n_key}']]) {{"
                " const s = document.getElementById(id); s.value = v; s.dispatchEvent(new "
                "Event('change')) } })()"
            )
            low, high = fit["a"]["interval"]
            assert f"[{low:.2f}, {high:.2f}]" in browser.js("document.getElementById('follows').textContent")
    assert browser.console == []


@pytest.mark.usefixtures("no_pictures")
def test_no_mark_has_the_colour_of_the_sheet(browser: chromium.Page, tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made", budgets=tuple(10.0**e for e in range(9, 16)), seeds=1)
    browser.open(pages.write(source.read(folder))[0], width=1440)
    strokes = browser.js(
        "report.chart().data.datasets.filter(s => /star|cross/.test(s.pointStyle))"
        ".map(s => [s.borderColor, s.backgroundColor, s.borderWidth])"
    )
    assert len(strokes) == 3
    assert all(edge == ink and width > 1 for edge, ink, width in strokes)


@pytest.mark.usefixtures("no_pictures")
def test_a_kind_is_chosen_with_its_runs_and_its_own_fit(
    browser: chromium.Page, mixed_source: source.Source, tmp_path: Path
) -> None:
    several = mixed_source
    (tmp_path / "report.html").write_text(pages.render(several)[0], encoding="utf-8")
    browser.open(tmp_path / "report.html", width=1440)
    shown = (
        "report.chart().data.datasets.filter(s => s.isRun).flatMap(s => s.data.map(p => report.id[p.row]))"
    )
    for kind in [*several.several, ""]:
        browser.js(
            f"(() => {{ const s = document.getElementById('kind'); s.value = '{kind}'; s.dispatchEvent(new "
            "Event('change')) })()"
        )
        same = several.done[several.done["kind"].eq(kind) | (kind == "")]
        assert sorted(browser.js(shown)) == sorted(same["run_id"])
        said = browser.js("document.getElementById('follows').textContent")
        if kind:
            low, high = conventions.fits(several)[kind]["counted"]["all"]["a"]["interval"]
            assert said.startswith(f"{kind}: with this counting")
            assert f"[{low:.2f}, {high:.2f}]" in said
        else:
            assert said == "All kinds together have no fit: choose one kind."
    assert browser.console == []


@pytest.mark.parametrize("view", ["isoflop", "optimum", "compute", "curves"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_view_draws_and_zooms(browser: chromium.Page, report: Path, view: str, width: int) -> None:
    browser.open(report, width=width)
    browser.js(
        f"(() => {{ const s = document.getElementById('view'); s.value = '{view}'; s.dispatchEvent(new "
        f"Event('change')) }})()"
    )
    span = "(() => { const x = report.chart().scales.x; return x.max / x.min })()"
    before = browser.js(span)
    browser.js("document.getElementById('zoom-in').click()")
    assert browser.js(span) < before
    browser.js("document.getElementById('zoom-reset').click()")
    assert browser.js(span) == pytest.approx(before)
    assert browser.js("document.documentElement.scrollWidth") <= width
    drawn = browser.js(
        "(() => { const c = document.getElementById('chart');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n })()"
    )
    assert drawn > 1000
    assert browser.console == []


@pytest.mark.slow
def test_five_thousand_runs_stay_small_and_can_be_sorted(browser: chromium.Page, tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "big", budgets=tuple(np.geomspace(1e10, 1e13, 20)), sizes=250, seeds=1)
    path, _ = pages.write(source.read(folder))
    assert path.stat().st_size < 3_000_000
    browser.open(path, width=1440)
    assert browser.console == []
    assert browser.js("document.querySelectorAll('#all-runs tbody tr').length") == 5000
    browser.js("document.querySelectorAll('#all-runs th button')[4].click()")
    shown = "[...document.querySelectorAll('#all-runs tbody tr')].filter(r => !r.hidden).length"
    assert browser.js(shown) == 500
    assert "the first 500 shown" in browser.js("document.getElementById('count').textContent")
    seen = browser.js(
        "[...document.querySelectorAll('#all-runs tbody tr')].filter(r => !r.hidden)"
        ".map(r => Number(r.cells[4].textContent))"
    )
    assert seen == sorted(seen)
    browser.js("document.getElementById('everything').click()")
    assert browser.js(shown) == 5000
    browser.move(*place(browser)[:2])
    browser.settle()
    assert browser.js("report.chart().tooltip.opacity") > 0
    assert browser.console == []


@pytest.mark.usefixtures("no_pictures")
def test_every_run_lies_inside_the_axes_of_every_view(
    browser: chromium.Page, mixed_source: source.Source, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(pages.render(mixed_source)[0], encoding="utf-8")
    browser.open(path, width=1440)
    outside = browser.js(
        "(() => { const found = [], at = id => document.getElementById(id), [view, kind] = "
        "[at('view'), at('kind')]; for (const k of [...kind.options]) "
        "for (const v of ['isoflop', 'compute', 'curves']) {"
        " kind.value = k.value; view.value = v; view.dispatchEvent(new Event('change'));"
        " const c = report.chart(); c.data.datasets.filter(s => s.isRun).forEach(s => s.data.forEach(p => {"
        " for (const a of ['x', 'y']) if (p[a] < c.scales[a].min || p[a] > c.scales[a].max)"
        " found.push([k.value, v, a, p[a]]) })) } return found })()"
    )
    assert outside == []

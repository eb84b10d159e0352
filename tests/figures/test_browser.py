"""The page in a real Chromium: no request, no console message, sorts by mouse and by keyboard, fits a
phone and a desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
import synthetic

from scaling.figures import source
from scaling.figures.report import page as pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
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
def report(few_conventions: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = synthetic.make(tmp_path_factory.mktemp("results") / "made")
    return pages.write(source.read(folder))[0]


def losses(browser: chromium.Page) -> list[float]:
    """The column of losses, as it stands."""
    return browser.js(
        "(() => { const t = document.getElementById('all-runs');"
        " const i = [...t.tHead.rows[0].cells].findIndex(c => c.textContent.trim() === 'L');"
        " return [...t.tBodies[0].rows].filter(r => !r.hidden).map(r => Number(r.cells[i].textContent)) })()"
    )


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("dark", [False, True])
def test_it_loads_alone_and_fits(browser: chromium.Page, report: Path, width: int, dark: bool) -> None:
    browser.open(report, width=width, dark=dark)
    assert [u for u in browser.requests if not u.startswith("data:")] == [report.resolve().as_uri()]
    assert browser.console == []
    assert browser.js("document.documentElement.scrollWidth") <= width
    outside = browser.js(
        "[...document.querySelectorAll('h1, h2, p, li, dd, figure, aside, nav')].filter(e => {"
        f" const b = e.getBoundingClientRect(); return b.right > {width} + 0.5 || b.left < -0.5 "
        "}).map(e => e.textContent.slice(0, 40))"
    )
    assert outside == []
    paper = browser.js("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")
    ink = browser.js("getComputedStyle(document.querySelector('#isoflop-text_1 text, .figure text')).fill")
    assert ink != paper
    assert browser.js("document.fonts.check('16px \"Scaling Sans\"')")


def test_it_sorts_by_mouse_and_by_keyboard(browser: chromium.Page, report: Path) -> None:
    browser.open(report, width=1440)
    best_first = losses(browser)
    assert best_first == sorted(best_first)
    head = "[...document.querySelectorAll('#all-runs th')].find(h => h.textContent.trim() === 'L')"
    browser.js(f"{head}.querySelector('button').click()")
    assert browser.js(f"{head}.getAttribute('aria-sort')") == "ascending"
    browser.js(f"{head}.querySelector('button').focus()")
    browser.press("Enter")
    assert browser.js(f"{head}.getAttribute('aria-sort')") == "descending"
    assert losses(browser) == sorted(best_first, reverse=True)
    browser.press("Tab")
    assert browser.js("document.activeElement.closest('th').textContent.trim()") == "±"


def test_it_filters(browser: chromium.Page, report: Path) -> None:
    browser.open(report, width=1440)
    everything = losses(browser)
    first = browser.js("document.querySelector('#all-runs tbody td').textContent")
    browser.js(
        f"(() => {{ const f = document.getElementById('filter'); f.value = '{first}'; "
        "f.dispatchEvent(new Event('input')) })()"
    )
    assert len(losses(browser)) == 1
    assert browser.js("document.getElementById('count').textContent") == f"1 of {len(everything)} runs"


@pytest.mark.usefixtures("no_pictures")
def test_a_sweep_called_script_is_shown_and_not_run(browser: chromium.Page, tmp_path: Path) -> None:
    name = "<img src=x onerror=document.title='run'>"
    folder = synthetic.make(tmp_path / name)
    path, _ = pages.write(source.read(folder))
    browser.open(path, width=1440)
    assert browser.js("document.querySelector('.eyebrow strong').textContent") == name
    assert browser.js("document.title") != "run"
    assert browser.console == []
    assert len([u for u in browser.requests if not u.startswith("data:")]) == 1


def test_the_policy_stops_what_gets_in(browser: chromium.Page, report: Path, tmp_path: Path) -> None:
    text = report.read_text(encoding="utf-8").replace(
        "</main>", "<script>document.title='run'</script><img src='https://example.org/x.png'></main>"
    )
    spoiled = tmp_path / "spoiled.html"
    spoiled.write_text(text, encoding="utf-8")
    browser.open(spoiled, width=1440)
    assert browser.js("document.title") != "run"
    assert any("Content Security Policy" in line for line in browser.console)

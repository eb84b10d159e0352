"""`scaling figures` and `scaling report` as a person types them; the index over all studies; bad input
in one sentence."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import synthetic
from typer.testing import CliRunner

from scaling.cli import app
from scaling.errors import ConfigError, LaunchError, TableError
from scaling.figures.report import browser, index

pytestmark = pytest.mark.usefixtures("few_conventions")


@pytest.fixture
def results(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "results" / "made")
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_figures_by_name_by_folder_and_from_json(results: Path) -> None:
    said = json.loads(run("figures", "made", "--only", "isoflop", "--json"))
    (files,) = said["figures"].values()
    before = {f: Path(f).read_bytes() for f in files}
    run("figures", next(f for f in files if f.endswith(".json")))
    run("figures", str(results / "made"), "--only", "isoflop", "--json")
    assert {f: Path(f).read_bytes() for f in files} == before


def test_a_dark_figure_lies_beside_the_light_one(results: Path) -> None:
    run("figures", "made", "--only", "seeds")
    run("figures", "made", "--only", "seeds", "--paper", "dark")
    names = {p.name for p in (results / "made" / "figures").iterdir()}
    assert names == {"seeds.json", "seeds.svg", "seeds.png", "seeds.dark.svg", "seeds.dark.png"}


@pytest.mark.usefixtures("no_pictures")
def test_report_says_the_answer_and_where_it_lies(results: Path) -> None:
    said = json.loads(run("report", "made", "--json"))
    assert Path(said["report"]) == results / "made" / "report.html"
    assert said["answer"] in Path(said["report"]).read_text(encoding="utf-8")
    assert said["bytes"] == Path(said["report"]).stat().st_size


@pytest.mark.usefixtures("no_pictures")
def test_report_of_everything_has_a_card_a_study_and_names_what_it_left_out(results: Path) -> None:
    synthetic.make(results / "<b>bare", with_fit=False, with_curves=False)
    (results / "bad").mkdir()
    (results / "bad" / "ledger.parquet").write_text("no")
    said = json.loads(run("report", "--all", "--json"))
    assert sum("error" in one for one in said["reports"]) == 1
    text = Path(said["index"]).read_text(encoding="utf-8")
    assert text.count("<article>") == 3
    assert 'href="made/report.html"' in text
    assert "<b>bare" not in text
    assert 'href="%3Cb%3Ebare/report.html"' in text
    assert "cannot be read as Parquet" in text
    assert "script-src &#39;none&#39;" in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("figures", "nothing"), TableError, "there are no results called 'nothing'"),
        (("figures", "made", "--only", "isoflops"), ConfigError, "did you mean 'isoflop'"),
        (("figures", "made", "--paper", "blue"), ConfigError, "paper must be one of"),
        (("report",), ConfigError, "either one sweep or --all"),
        (("report", "made", "--all"), ConfigError, "either one sweep or --all"),
    ],
)
def test_bad_words_end_in_one_sentence(
    words: tuple[str, ...], error: type[Exception], said: str, results: Path
) -> None:
    with pytest.raises(error, match=said):
        CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_an_empty_folder_of_results_has_no_index(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="holds no study"):
        index.write(tmp_path)


def test_pdf_without_a_browser_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="needs a Chromium"):
        browser.pdf(tmp_path / "report.html")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium on the path")
def test_pdf_is_printed(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<!doctype html><title>t</title><h1>One page</h1>", encoding="utf-8")
    assert browser.pdf(page).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("found", [True, False])
def test_a_page_is_opened_by_its_address(
    found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def take(address: str) -> bool:
        opened.append(address)
        return found

    monkeypatch.setattr(browser.webbrowser, "open", take)
    assert browser.show(tmp_path / "report.html") is found
    assert opened == [(tmp_path / "report.html").as_uri()]

"""The report's text: the answer from the fit's own numbers, everything escaped, a policy that lets
nothing else in."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import synthetic

from scaling.figures import drawing, source, style
from scaling.figures.report import answer, page, svg, words

pytestmark = pytest.mark.usefixtures("few_conventions")
EVIL = "<script>document.title='run'</script>"


class Parsed(HTMLParser):
    """Tags with their attributes, and ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def text(made_source: source.Source, few_conventions: None) -> str:
    return page.render(made_source)[0]


def test_the_answer_follows_the_numbers_of_the_fit(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    fit = json.loads((folder / "fit.json").read_text())
    fit["approaches"]["2"]["a"] = {
        "value": 0.613,
        "interval": [0.5, 0.7],
        "level": 0.9,
        "method": "jackknife",
    }
    (folder / "fit.json").write_text(json.dumps(fit))
    said = answer.answer(source.read(folder))
    assert said.sentence.startswith(
        "On sotu, with llama, the best number of parameters N* grows as C⁰·⁶¹ [0.50, 0.70]"
    )
    assert "90\u202f% intervals by jackknife" in said.basis
    assert fit["warnings"][0] in said.cautions


def test_the_answer_without_a_fit_names_the_command(tmp_path: Path) -> None:
    said = answer.answer(source.read(synthetic.make(tmp_path / "bare", with_fit=False)))
    assert "run `scaling fit bare`" in said.sentence


def test_the_answer_warns_of_failed_runs_repeats_and_a_fit_that_is_older_than_the_ledger(
    tmp_path: Path,
) -> None:
    folder = synthetic.make(tmp_path / "made")
    runs = synthetic.ledger()
    runs.loc[0, "status"] = "diverged"
    runs["epochs"] = 3.0
    runs.iloc[:-1].to_parquet(folder / "ledger.parquet")
    said = " ".join(answer.answer(source.read(folder)).cautions)
    assert "ended as diverged" in said
    assert "3 epochs" in said
    assert "the ledger now has" in said


def test_the_page_is_small_and_asks_for_nothing(text: str) -> None:
    assert len(text.encode()) < 3_000_000
    for tag, attributes in Parsed(text).tags:
        assert "style" not in attributes, tag
        assert not [a for a in attributes if a.startswith("on")], tag
        for key in ("src", "href", "srcset", "data", "action"):
            value = attributes.get(key) or ""
            assert value.startswith(("#", "data:")) or not value, (tag, value)
    assert not re.search(r"@import|url\((?!data:|#)", text)


def test_the_policy_names_the_hashes_of_what_is_in_the_page(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    said = policy[1].replace("&#39;", "'")
    assert said.startswith("default-src 'none'")
    assert "unsafe" not in said
    for kind in ("style", "script"):
        for inside in re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in said


def test_ids_are_unique_and_what_is_pointed_at_exists(text: str) -> None:
    tags = Parsed(text).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in tags:
        for value in attributes.values():
            for target in re.findall(r"(?:^|url\()#([\w-]+)", value or ""):
                assert target in ids, target
        for target in (attributes.get("aria-labelledby") or "").split():
            assert target in ids


def test_the_page_has_headings_in_order_one_h1_alt_text_and_a_language(
    text: str, made_source: source.Source
) -> None:
    tags = Parsed(text).tags
    levels = [int(t[1]) for t, _ in tags if re.fullmatch(r"h\d", t)]
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert ("html", {"lang": "en"}) in tags
    assert text.count("<desc") == text.count('role="img" aria-labelledby') == len(drawing.of(made_source))


def test_untrusted_names_are_shown_and_never_run(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    runs = synthetic.ledger()
    for column in ("family", "corpus", "run_id", "status", "host", "versions", "git_commit", "device"):
        runs[column] = [EVIL if column != "status" else EVIL if i == 0 else "done" for i in range(len(runs))]
    runs["run_id"] = [f"{EVIL}{i}" for i in range(len(runs))]
    runs.to_parquet(folder / "ledger.parquet")
    fit = json.loads((folder / "fit.json").read_text())
    fit["warnings"], fit["formula"], fit["command"], fit["certificate"] = [EVIL], EVIL, EVIL, {EVIL: EVIL}
    fit["approaches"]["2"]["a"]["method"] = EVIL
    fit["parameters"][EVIL] = {"value": 1.0, "interval": [0, 1], "level": 0.95, "method": EVIL}
    (folder / "fit.json").write_text(json.dumps(fit))
    (tmp_path / "<script>").symlink_to(folder)
    text = page.render(source.read(folder))[0]
    assert "<script>document" not in text
    assert [tag for tag, _ in Parsed(text).tags].count(
        "script"
    ) == 5  # the data, two libraries, table, explorer
    assert "&lt;script&gt;document" in text


@pytest.mark.slow
def test_the_same_folder_gives_the_same_page(made: Path, text: str) -> None:
    assert page.render(source.read(made))[0] == text


def test_style_attributes_become_attributes_of_their_own() -> None:
    given = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
    width="1" height="1">
    <metadata/><defs><clipPath id="p"/></defs>
    <g style="clip-path: url(#p)">
    <text style="font: 600 12px 'X', sans-serif; fill: #15181C">a &lt; b</text></g>
    <use xlink:href="#p" style="stroke: #ff0000"/></svg>"""
    text, colours = svg.inline(given, name="f", title="<t>", alt="a & b")
    assert "style=" not in text
    assert 'font-size="12px"' in text
    assert 'font-weight="600"' in text
    assert 'href="#f-p"' in text
    assert "url(#f-p)" in text
    assert "&lt;t&gt;" in text
    assert colours == {"#15181c", "#ff0000"}
    assert style.DARK.ink in svg.palette(colours)


@pytest.mark.usefixtures("no_pictures")
def test_what_was_compared_is_made_again_and_its_warnings_stand_once(
    made_source: source.Source,
) -> None:
    command = "scaling compare made --by family"
    comparison = {
        "labels": ["a", "b"],
        "exponents": [{"name": "B", "estimates": {"a": {"value": 1.67e10}, "b": {"value": 2.5}}}],
        "warnings": ["the floors are not told apart"],
        "made": {"command": command},
    }
    text, _ = page.render(replace(made_source, comparison=comparison))
    assert command in text.partition("Reproduce this page")[2]
    assert text.count("the floors are not told apart") == 1
    assert "1.67×10¹⁰" in text


def test_sizes_left_out_of_a_law_without_parameters_are_named_by_their_data() -> None:
    found = {
        "validation": {"leave_one_size_out": [{"D": 2e6, "rms_error": 0.012}, {"D": 1e6, "rms_error": 0.02}]}
    }
    (line,) = words.validation(found)
    assert line[1].replace("\u202f", " ").endswith("the largest error is 0.02 at D = 1 M")
    left = {"C": 1e6, "rows": 2, "rms_error": 0.02, "mean_error": 0.01, "parameters": {"a": 1.0}}
    (line,) = words.validation({"validation": {"leave_one_size_out": [left]}})
    assert line[1].replace("\u202f", " ").endswith("the largest error is 0.02 at C = 1 M")

"""Figures and report on what the fitting room itself writes, from a surface whose exponent we know."""

from __future__ import annotations

import json

import pytest
import synthetic

from scaling.figures import drawing, source
from scaling.figures.compare import conventions
from scaling.figures.report import page, words
from scaling.fitting.fit import fit
from scaling.fitting.fit_file import contents
from scaling.fitting.validation.validate import validate


@pytest.fixture(scope="module")
def fitted(few_conventions: None, tmp_path_factory: pytest.TempPathFactory) -> source.Source:
    folder = synthetic.make(tmp_path_factory.mktemp("results") / "made", with_fit=False, noise=0.002)
    made = fit(str(folder), resamples=200)
    (folder / "fit.json").write_text(json.dumps(contents(made, validate(made))), encoding="utf-8")
    return source.read(folder)


@pytest.mark.slow
def test_every_figure_but_the_comparison_is_drawn(fitted: source.Source) -> None:
    drawn = drawing.of(fitted)
    assert {name for name, data in drawn.items() if data.get("missing")} <= {"multiverse"}
    assert "families" not in drawn
    for data in drawn.values():
        drawing.to_svg(data)


def test_the_headline_convention_is_the_fit_itself(fitted: source.Source) -> None:
    assert fitted.fit is not None
    ours = conventions.fits(fitted)[""]["counted"]["all"]
    assert ours["a"] == fitted.fit["approaches"]["2"]["a"]


@pytest.mark.slow
def test_the_page_gives_the_known_exponent_its_interval(fitted: source.Source) -> None:
    assert fitted.fit is not None
    text, said = page.render(fitted)
    low, high = fitted.fit["approaches"]["3"]["a"]["interval"]
    assert low < synthetic.A_EXPONENT < high
    assert said.sentence in text
    assert dict(words.certificate(fitted.fit))["verdict"] == "the certificate holds"

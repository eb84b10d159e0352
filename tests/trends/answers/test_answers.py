"""Every question answers on the shipped facts; every published figure agrees; anybody's table is read or
refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from scaling.errors import ConfigError, ScalingError, TableError
from scaling.trends.answers import own
from scaling.trends.answers.claims import aicc_gap
from scaling.trends.answers.hero import hero
from scaling.trends.answers.questions import NAMES, question
from scaling.trends.verify import mirror
from scaling.trends.verify.checks import checks
from scaling.trends.verify.crosscheck import disagreements

CHECKS = checks()

NO_SNAPSHOTS = "SCALING_MIRROR names no folder with public snapshots in trends/"


@pytest.mark.parametrize("check", CHECKS, ids=[f"{c.on}: {c.name}" for c in CHECKS])
def test_published_figures(check) -> None:
    if check.on == "snapshot" and mirror.folder() is None:
        pytest.skip(NO_SNAPSHOTS)
    value = check.value()
    assert check.low - 1e-9 <= value <= check.high + 1e-9, f"{value} is not {check.published}"


@pytest.mark.parametrize("name", NAMES)
def test_every_question_answers(name: str) -> None:
    found = question(name.lower())()
    json.dumps(found, allow_nan=False)
    assert found["answer"]
    assert found["tables"]
    for table in found["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_the_hero_table_is_whole() -> None:
    found = hero()
    assert not found["missing"]
    assert len(found["rows"]) >= 12
    for row in found["rows"]:
        assert row["level"]
        assert row["n"]
        assert row["window"]
        assert row["verdict"]
        assert (row["times_per_year"] is None) == (row["verdict"] == "no trend")


def test_levels_are_passed_on_and_checked() -> None:
    wide, narrow = (question("multiverse")(level=x)["worlds"][0]["interval"] for x in (0.95, 0.5))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    with pytest.raises(ConfigError):
        question("Q2")(level=2)
    with pytest.raises(ConfigError, match="did you mean 'eras'"):
        question("era")


def test_mixed_columns_are_refused() -> None:
    for column in mirror.MIXED_FORMATS:
        with pytest.raises(TableError, match="mixes number formats"):
            mirror.hardware(column)


@pytest.mark.skipif(mirror.folder() is None, reason=NO_SNAPSHOTS)
def test_few_facts_lie_far_from_a_snapshot() -> None:
    assert len(disagreements()) <= 15


CSV = "name,when,speed,unit,org\n" + "".join(
    f"c{i},{2000 + i}-0{i % 9 + 1},{2**i},FLOP/s,o{i % 4}\n" for i in range(20)
)


def table(folder: Path, text: str = CSV) -> Path:
    path = folder / "chips.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_ones_own_table(tmp_path: Path) -> None:
    found = own.answer(own.read(table(tmp_path), date="when", value="speed", group="org", unit="unit"))
    assert found["rate"]["doubling_years"] == pytest.approx(1.0, rel=0.02)
    assert found["rate"]["groups"] == 4
    assert "No break" in found["answer"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (CSV, {"group": "organisation"}, "has no column 'organisation'; it has name, when"),
        (CSV, {"value": "sped"}, "did you mean 'speed'"),
        (CSV.replace("2003-04", "spring"), {}, "'spring' cannot be read"),
        (CSV.replace(",8,", ",0,"), {}, "must be above 0"),
        (CSV.replace(",8,", ",fast,"), {}, "holds the text 'fast' in row"),
        (CSV + CSV.splitlines()[-1] + "\n", {}, "repeats row"),
        (CSV.replace("8,FLOP/s", "8,TOP/s"), {"unit": "unit"}, "mixes 2 units"),
        ("\n".join(CSV.splitlines()[:2]) + "\n", {}, "1 row here"),
        ("when,speed\n2012,1\n2012,2\n2012,3\n", {}, "same date"),
        ("when,speed\n,1\n", {}, "no row with both"),
        (CSV, {"where": "unit = 3"}, "is not an expression"),
    ],
)
def test_bad_tables_are_refused_in_a_sentence(
    tmp_path: Path, text: str, options: dict[str, str], says: str
) -> None:
    with pytest.raises(ScalingError, match=says) as caught:
        own.answer(own.read(table(tmp_path, text), **({"date": "when", "value": "speed"} | options)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        ["--no-figure"],
        pytest.param(["q2"], marks=pytest.mark.slow),
        ["exchange", "2", "--low", "1.5", "--high", "2.5"],
        ["costs", "--loss", "2.4"],
        ["project", "--threshold", "1.9"],
        pytest.param(["verify"], marks=pytest.mark.slow),
    ],
)
def test_the_command_prints_json_and_words(words: list[str]) -> None:
    from scaling.cli import app

    runner = CliRunner()
    plain = runner.invoke(app, ["trends", *words])
    assert plain.exit_code == 0, plain.output
    found = json.loads(runner.invoke(app, ["trends", *words, "--json"]).stdout)
    assert found["answer"].split()[0] in plain.output


def test_the_command_fits_a_file(tmp_path: Path) -> None:
    from scaling.cli import app

    words = [
        "trends",
        "fit",
        str(table(tmp_path)),
        "--date",
        "when",
        "--value",
        "speed",
        "--group",
        "org",
        "--frontier",
        "top-5",
    ]
    assert "grows ×1.99" in CliRunner().invoke(app, words).output
    bad = CliRunner().invoke(app, ["trends", "eraz"])
    assert isinstance(bad.exception, ConfigError)
    assert "did you mean 'eras'" in str(bad.exception)


def test_the_power_law_beats_the_exponential_where_it_is_true() -> None:
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e6, 1e9, 8), np.geomspace(1e8, 1e11, 6)))
    noise = np.exp(np.random.default_rng(0).normal(0, 0.002, n.size))
    assert aicc_gap(n, d, (1.7 + 400 / n**0.34 + 410 / d**0.28) * noise)["gap"] > 50
    assert aicc_gap(n, d, (1.7 + np.exp(-n / 3e8) + 410 / d**0.28) * noise)["gap"] < -50


def test_the_hero_writes_f1(tmp_path: Path) -> None:
    from scaling.cli import app

    told = CliRunner().invoke(app, ["trends", "--figures", str(tmp_path)])
    assert told.exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["growth.json", "growth.png", "growth.svg"]

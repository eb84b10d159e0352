"""The shipped facts are sound, and a bad row is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling.errors import TableError
from scaling.trends import facts
from scaling.trends.tables import TABLES

EFFICIENCY = TABLES["efficiency"]

GOOD = {
    "target": "level",
    "name": "net",
    "date": "2012-06",
    "training_flops": "1e17",
    "training_flops_low": "5e16",
    "training_flops_high": "2e17",
    "dollars": "",
    "confidence": "certain",
    "source": "arXiv:2005.04305",
    "note": "",
}


def written(folder: Path, **changes: str) -> Path:
    row = GOOD | changes
    path = folder / "efficiency.csv"
    path.write_text(
        ",".join(c.name for c in EFFICIENCY.columns) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_shipped_table_is_sound(name: str) -> None:
    table = facts.load(name)
    assert len(table)
    assert table["source"].str.len().gt(0).all()


def test_a_good_row_is_read(tmp_path: Path) -> None:
    row = facts.read(written(tmp_path), EFFICIENCY).iloc[0]
    assert row["training_flops"] == 1e17
    assert 2012.4 < row["date_year"] < 2012.5
    assert row["date_sigma"] > 0.02


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": ""}, "'source' is empty; every fact needs a source"),
        ({"source": "a friend"}, "'a friend' cannot be opened"),
        ({"date": "spring"}, "'spring' cannot be read"),
        ({"training_flops": "many"}, "is not a number"),
        ({"training_flops": "-1"}, "must be above 0"),
        ({"training_flops": "0"}, "must be above 0"),
        ({"training_flops": ""}, "required"),
        ({"training_flops_low": "3e17"}, "rising order"),
        ({"confidence": "certian"}, "did you mean 'certain'"),
        ({"note": "a,b"}, "quote a cell"),
    ],
)
def test_a_bad_row_is_refused(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    with pytest.raises(TableError, match=says) as caught:
        facts.read(written(tmp_path, **changes), EFFICIENCY)
    assert "line 2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_may_stand_once_only(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    with pytest.raises(TableError, match="already stands on line 2"):
        facts.read(path, EFFICIENCY)


def test_a_wrong_header_and_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "efficiency.csv"
    with pytest.raises(TableError, match="there is no fact table"):
        facts.read(path, EFFICIENCY)
    path.write_text("target,nmae\n")
    with pytest.raises(TableError, match="nmae"):
        facts.read(path, EFFICIENCY)
    with pytest.raises(TableError, match="did you mean 'models'"):
        facts.load("modles")


def test_the_generated_pages_are_current() -> None:
    assert (facts.FOLDER / "README.md").read_text(encoding="utf-8") == facts.describe()
    assert (facts.FOLDER / "SOURCES.md").read_text(encoding="utf-8") == facts.sources()

"""Damaged, foreign or edited files: each verb ends in a result or in one sentence.

No sound record is lost. One small sweep is trained; each case damages a copy of it.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaling import cli
from scaling.tables.ledger import LEDGER
from tests.sweeping.conftest import TINY, furnish

SMALL = TINY.replace("[2e8, 4e8]", "[4e7]").replace("batch_sequences: 4", "batch_sequences: 1")
RUN = ("run", "tiny", "hydra/launcher=basic")
WHOLE = {
    "empty": b"",
    "binary": bytes(range(256)),
    "latin": b"\xe9" * 9,
    "list": b"[]",
    "null": b"null",
    "text": b'"x"',
    "object": b"{}",
    "deep": b"[" * 100_000,
    "digits": b"1" * 5000,
    "zeros": bytes(99),
}
VALUES = ("1e400", "-5", '"NaN"', "Infinity", "1" + "0" * 400, "9223372036854775808", "null", "[]", "true")
Call = Callable[..., tuple[int, str]]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished sweep `tiny` of two cells."""
    folder = tmp_path_factory.mktemp("hostile")
    furnish(folder)
    (folder / "sweeps" / "tiny.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SCALING_RESULTS", raising=False)
        patch.setenv("SCALING_CACHE", str(folder / "cache"))
        patch.setattr(sys, "argv", ["scaling", *RUN])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert not end.value.code
    return folder


@pytest.fixture
def call(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """A verb in this process, in a copy of that folder: its exit code and its standard error."""
    monkeypatch.delenv("SCALING_RESULTS", raising=False)
    monkeypatch.setenv("SCALING_CACHE", str(trained / "cache"))
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")

    def here(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["scaling", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return int(end.value.code or 0), said

    return here


def first() -> Path:
    return min(Path("results/runs").iterdir())


def edit(path: Path, key: str, value: str) -> None:
    text, count = re.subn(
        rf'("{key}": )("(?:[^"\\]|\\.)*"|[^,\n}}]+)', lambda m: m[1] + value, path.read_text()
    )
    assert count
    path.write_text(text)


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_damaged_record_is_set_aside_and_trained_again(call: Call, content: bytes) -> None:
    path, other = (run / "record.json" for run in sorted(Path("results/runs").iterdir()))
    sound, kept = path.read_bytes(), other.read_bytes()
    path.write_bytes(content)
    Path("results/tiny", LEDGER).unlink()
    code, said = call(*RUN)
    assert (code, said.count(f"{path} is damaged")) == (0, 1)
    assert json.loads(path.read_bytes())["loss"] == json.loads(sound)["loss"]
    assert other.read_bytes() == kept
    assert path.with_name("record.json.damaged").read_bytes() == content


@pytest.mark.parametrize(
    ("key", "value"),
    [("run_id", '"0123456789abcdef"'), ("loss", "-5"), ("loss", '"NaN"'), ("seed", "9223372036854775808"),
     ("params", "7"), ("steps", "1"), ("size", "3"), ("config", "null"), ("status", '"fine"')],
)  # fmt: skip
def test_an_edited_record_is_refused_and_kept(call: Call, key: str, value: str) -> None:
    path = first() / "record.json"
    edit(path, key, value)
    edited = path.read_bytes()
    Path("results/tiny", LEDGER).unlink()
    code, said = call(*RUN)
    assert code == 3
    assert f"scaling: {path}" in said
    assert path.read_bytes() == edited
    assert call("status", "tiny")[0] == 0


def test_two_folders_with_one_run_id(call: Call) -> None:
    one, two = sorted(Path("results/runs").iterdir())
    shutil.copy(one / "record.json", two / "record.json")
    Path("results/tiny", LEDGER).unlink()
    code, said = call(*RUN)
    assert code == 3
    assert f"is the record of run {one.name!r} in the folder of another run" in said


@pytest.mark.parametrize("name", ["ledger.parquet", "curves.parquet", "positions.parquet", "plan.json"])
@pytest.mark.parametrize("content", [b"", b"PAR1 no more", b"[]"])
def test_what_is_made_from_records_is_made_again(call: Call, name: str, content: bytes) -> None:
    path = Path("results/tiny", name)
    sound = path.read_bytes()
    path.write_bytes(content)
    assert call("status")[0] == 0
    assert call(*RUN)[0] == 0
    assert name == "plan.json" or path.with_name(f"{name}.damaged").read_bytes() == content
    assert len(path.read_bytes()) == pytest.approx(len(sound), rel=0.05)


@pytest.mark.parametrize("name", ["curve.csv", "positions.csv"])
@pytest.mark.parametrize(
    "content", [b"\xe9", b"step,loss\nx,y\n", b"position,loss,loss_se\n1e999,a,\n", bytes(9)]
)
def test_a_damaged_curve_is_left_out_and_named(call: Call, name: str, content: bytes) -> None:
    (first() / name).write_bytes(content)
    shutil.rmtree("results/tiny")
    code, said = call(*RUN)
    assert (code, said.count(f"{first() / name} is damaged")) == (0, 1)


def test_strange_things_among_the_runs_disturb_nothing(call: Call) -> None:
    runs = Path("results/runs")
    (runs / ".DS_Store").write_bytes(bytes(9))
    (runs / "lost+found").mkdir()
    (runs / "link").symlink_to("/nowhere")
    Path("results/tiny", LEDGER).unlink()
    assert [call(*words)[0] for words in (RUN, ("status",), ("clean", "weights", "--yes"))] == [0, 0, 0]
    assert {path.name for path in runs.iterdir()} > {".DS_Store", "lost+found", "link"}


@pytest.mark.parametrize("name", ["progress.json", "claim.json"])
@given(data=st.data())
@settings(
    deadline=None,
    max_examples=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_status_reads_any_heartbeat_lease_and_plan(call: Call, name: str, data: st.DataObject) -> None:
    (first() / "record.json").unlink(missing_ok=True)
    Path("results/tiny", LEDGER).unlink(missing_ok=True)
    values = {
        "step": "3",
        "steps": "9",
        "tokens_per_second": "5.0",
        "nonce": '"ab"',
        "machine": '"m"',
        "pid": "1",
    }
    values[data.draw(st.sampled_from(sorted(values)))] = data.draw(st.sampled_from(VALUES))
    text = "{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}"
    whole = data.draw(st.sampled_from([text.encode(), *WHOLE.values()]))
    (first() / name).write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    assert call("status", "tiny", "--json")[0] == 0


@given(data=st.data())
@settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_status_shows_a_plan_or_says_what_is_wrong_with_it(
    call: Call, trained: Path, data: st.DataObject
) -> None:
    path = Path("results/tiny/plan.json")
    content = bytearray((trained / path).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    code, said = call("status", "tiny")
    assert code == 0 or (code == 2 and said.startswith(f"scaling: {path}") and said.count("\n") == 1)

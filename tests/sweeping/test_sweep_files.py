"""Hostile sweep files and overrides: a sentence at once, and nothing is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scaling import cli
from tests.sweeping.conftest import TINY

LAUGHS = "a: &a [1]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
FILES = {
    "an anchor that holds itself": (TINY.replace("{batch_s", "&r {warmup: *r, batch_s"), "alias"),
    "a tab": (TINY.replace("  design", "\tdesign"), "sweeps/tiny.yaml, line 12"),
    "a NUL": (TINY + "# \0\n", "character at position"),
    "deep lists": (TINY + f"seed: {'[' * 3000}{']' * 3000}\n", "nested too deeply"),
    "deep sections": (TINY + f"seed: {'{a: ' * 500}1{'}' * 500}\n", "nested too deeply"),
    "aliases of aliases": (LAUGHS + TINY, "at most 20,000"),
    "many values": (TINY.replace("0.25, 0.5", ", ".join(["1"] * 25_000)), "at most 20,000"),
    "a long text": (TINY + "#" * 600_000, "at most 200,000"),
    "a callback": (TINY + "hydra: {callbacks: {x: {_target_: os.mkdir, path: made}}}", "hydra.callbacks"),
    "a logger": (
        TINY + "hydra: {job_logging: {handlers: {x: {class: os.mkdir, path: made}}, root: {handlers: [x]}}}",
        "hydra.job_logging sets",
    ),
}
OVERRIDES = {
    "+hydra.launcher.foo=1": "foo",
    "+hydra.launcher.x={_target_:os.mkdir,path:made}": "_target_",
    "hydra.launcher._target_=os.getpid": "no launcher",
    "hydra.sweeper._target_=os.getpid": "no sweeper",
    "hydra.launcher=null": "no launcher",
    "~hydra/launcher": "hydra.launcher",
    "+hydra.callbacks.x._target_=os.getpid": "hydra.callbacks",
    "family.size=${oc.env:NO_SUCH_VARIABLE}": "NO_SUCH_VARIABLE",
    f"seed={'[' * 2000}{']' * 2000}": "nested too deeply",
}


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["scaling", "run", "tiny", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 2, said
    assert not Path("made").exists()
    return said


@pytest.mark.parametrize(("text", "words"), FILES.values(), ids=FILES)
def test_a_hostile_sweep_file_is_refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    words: str,
) -> None:
    (folder / "sweeps" / "tiny.yaml").write_text(text, encoding="utf-8")
    assert words in refused(monkeypatch, capsys)


@pytest.mark.parametrize(("override", "words"), OVERRIDES.items(), ids=[key[:30] for key in OVERRIDES])
def test_a_hostile_override_is_refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    override: str,
    words: str,
) -> None:
    assert words in refused(monkeypatch, capsys, override)

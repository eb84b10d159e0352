"""An unexpected exception ends in one sentence that names the file with its traceback."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from scaling import cli
from scaling.terminal import crash


def test_an_unexpected_exception_is_one_sentence_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise KeyError("[red]\x1b[31m")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["scaling", "laws", "a b"])
    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (crash.CODE, "")
    (file,) = tmp_path.glob("scaling-*.log")
    assert err.count("\n") == 1
    assert "KeyError: '[red]\\x1b[31m'" in err
    assert str(file) in err
    text = file.read_text()
    assert "command: scaling laws 'a b'" in text
    assert "Traceback (most recent call last):" in text
    assert "in broken" in text


def test_without_a_folder_for_the_file_the_traceback_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no such folder")
    assert "ValueError: bad" in crash.logged(ValueError("bad"))

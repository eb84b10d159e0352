"""Full disks, closed pipes and other encodings end a command in a sentence or quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "rich": ["laws", "chinchilla"],
    "plain": ["config"],
    "json": ["families", "--json"],
    "help": ["--help"],
}


def command(line: list[str], redirection: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command under a shell's redirection."""
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-m", "scaling", *line],
        capture_output=True,
        cwd=folder,
        env=os.environ | environment,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_under_standard_output_is_one_sentence(tmp_path: Path, name: str) -> None:
    code, out, err = command(COMMANDS[name], "> /dev/full", tmp_path)
    assert (code, out) == (2, "")
    assert err == (
        "scaling: standard output cannot be written: no space left on device; what was computed is kept\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_standard_error_changes_nothing(tmp_path: Path) -> None:
    assert command(["config"], "2> /dev/full", tmp_path)[0] == 0
    assert command(["laws", "nope"], "2> /dev/full", tmp_path)[0] == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_closes_the_pipe_is_no_error(tmp_path: Path, name: str) -> None:
    code, out, err = command(COMMANDS[name], "| true; exit ${PIPESTATUS[0]}", tmp_path)
    assert (code, out, err) == (141, "", "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(tmp_path: Path, closed: str) -> None:
    code, out, err = command(["laws", "chinchilla"], closed, tmp_path)
    assert (code, err) == (0, "")
    assert ("chinchilla" in out) == ("1>&-" not in closed and " >&-" not in f" {closed}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_letters_that_the_encoding_lacks_are_escapes(tmp_path: Path, encoding: str) -> None:
    code, out, err = command(["laws", "chinchilla"], "", tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (code, err) == (0, "")
    assert "chinchilla" in out


def test_a_name_that_is_not_text_is_named_in_the_sentence(tmp_path: Path) -> None:
    code, out, err = command(["laws", "$'no\\xffpe\\e[31m'"], "", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("scaling: law must be one of")
    assert "\x1b" not in err
    assert err.count("\n") == 1

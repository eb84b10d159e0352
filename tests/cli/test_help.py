"""What `--help` lists is whole: a verb whose first sentence is too long would be cut in the middle."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

import scaling
from scaling.cli import app

GROUPS = [[], *([group.name] for group in app.registered_groups)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda words: " ".join(words) or "scaling")
def test_no_verb_is_cut_on_eighty_columns(group: list[str]) -> None:
    said = CliRunner().invoke(app, [*group, "--help"], env={"COLUMNS": "80"})
    assert said.exit_code == 0
    listed = said.output.partition("Commands:")[2]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
    assert len(listed.splitlines()) > 2


def test_every_verb_says_what_it_does() -> None:
    command = typer.main.get_command(app)
    assert [name for name, verb in command.commands.items() if not verb.help] == []


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"{scaling.__version__}\n"

"""Every numeric option has a range, and a number outside it ends in one sentence that names the option."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from scaling import cli
from scaling.cli import app


def numeric(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (words of the verb, parameter) for every numeric parameter of the command."""
    for name, below in getattr(command, "commands", {}).items():
        yield from numeric(below, (*path, name))
    for parameter in command.params:
        annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if annotation in (int, float, list[int], list[float]):
            yield path, parameter


FOUND = list(numeric(get_command(app)))


def test_the_walk_finds_the_options() -> None:
    assert len(FOUND) > 50


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        *(pytest.param(v, marks=pytest.mark.slow) for v in (float("inf"), -float("inf"), -2, 10**70)),
    ],
)
def test_a_number_outside_the_range_is_one_sentence(
    value: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, parameter in FOUND:
        option = parameter.opts[0]
        if value == -2 and option in ("--since", "--until"):  # years of a table may lie before our era
            continue
        given = [option, str(value)] if option.startswith("-") else ["--", str(value)]
        source = ["x"] if path and path[0] in ("fit", "compare", "allocate", "next", "sample") else []
        monkeypatch.setattr(sys, "argv", ["scaling", *path, *source, *given])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        said = capsys.readouterr().err
        assert stop.value.code == 2, (path, option, said)
        assert said.count("\n") == 1, (path, option, said)
        assert said.startswith("scaling: "), (path, option, said)
        named = option if option.startswith("-") else str(parameter.name).upper()
        assert named.lower() in said.lower(), (path, option, said)

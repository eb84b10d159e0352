"""Foreign text is printed as it is."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table

from scaling.terminal.console import plain_console
from scaling.terminal.text import visible

WORDS = ("[red]x[/]", "[/]", "[link=http://x]y[/link]", ":heart:", "[bold", "\\[a]", "[@click=exit]z[/]")


@pytest.mark.parametrize("word", WORDS)
def test_markup_is_printed_as_it_is(word: str) -> None:
    console = plain_console(width=100, file=io.StringIO())
    table = Table(word, title=word, caption=word)
    table.add_row(word)
    console.print(table)
    console.print(word, style="bold")
    assert console.file.getvalue().count(word) == 5  # type: ignore[attr-defined]


def test_control_characters_are_escapes() -> None:
    assert visible("a\x1b[31mb\x00\r\nc\td\udcffe\x9b") == "a\\x1b[31mb\\x00\nc\td\\udcffe\\x9b"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text())
def test_only_what_cannot_be_printed_changes(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert shown.replace("\n", "").replace("\t", "").isprintable() or any(ord(c) > 159 for c in shown)
    if text.isprintable():
        assert shown == text

"""Print text on terminals as it is: without markup, and with control characters made visible."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.text import Text

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters other than newline and tab, and what neither UTF-8 nor XML can hold."""


def visible(text: str) -> str:
    r"""Return a text with characters that cannot be printed written as escapes, such as \x1b or \udcff.

    Names and messages of other programs could otherwise move the cursor or colour what follows them.
    """
    return _UNPRINTABLE.sub(lambda found: _escape(ord(found[0])), text.replace("\r\n", "\n"))


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class _Literal(Console):
    """A Rich console that renders strings as they are, also in the cells of tables."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options | {"markup": False, "emoji": False})

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def plain_console(*, stderr: bool = False, piped_width: int | None = None, **options: Any) -> Console:
    """Return a console that prints every string as it is.

    Args:
        stderr: whether it writes to standard error.
        piped_width: its width in characters if the output is not a terminal; None = Rich's own, 80.
        **options: further options of Rich's `Console`.
    """
    made = _Literal(stderr=stderr, highlight=False, **options)
    if piped_width is not None and not made.is_terminal:
        made.width = piped_width
    return made

"""Print text on terminals as it is: without markup, and with control characters made visible."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    r"""Return a text with control characters other than newline and tab written as escapes, such as \x1b.

    Names and messages of other programs could otherwise move the cursor or colour what follows them.
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))


class _Literal(Console):
    """A Rich console that renders strings as they are, also in the cells of tables."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options | {"markup": False, "emoji": False})

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False, piped_width: int | None = None, **options: Any) -> Console:
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

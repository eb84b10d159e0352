"""Print text on terminals as it is: without markup, and with control characters made visible."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from scaling.terminal.text import visible


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

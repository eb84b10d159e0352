"""Make text printable, and print messages on standard error."""

from __future__ import annotations

import re
import sys

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters other than newline and tab, and what neither UTF-8 nor XML can hold."""


def visible(text: str) -> str:
    r"""Return a text with characters that cannot be printed written as escapes, such as \x1b or \udcff.

    Names and messages of other programs could otherwise move the cursor or colour what follows them.
    """
    return _UNPRINTABLE.sub(lambda found: _escape(ord(found[0])), text.replace("\r\n", "\n"))


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def say(text: str) -> None:
    """Print a message for people on standard error; standard output is for results."""
    print(visible(text), file=sys.stderr, flush=True)

"""Fonts: drawing says nothing on stderr, also where a name needs letters that the style's font lacks."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from scaling.figures import style
with style.printed_on():
    words = dict(title="N* grows as C\\u2070\\u00b7\\u2075", subtitle="\\u0414\\u0430 \\u221d")
    figure, _ = style.canvas(words | dict(footer=["n = 1"]))
    figure.savefig("{out}/x.png")
"""


def test_drawing_is_silent(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(out=tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "x.png").stat().st_size > 1000

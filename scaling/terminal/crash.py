"""Keep the traceback of an unexpected exception in a file."""

from __future__ import annotations

import platform
import shlex
import sys
import tempfile
import traceback

CODE = 70
"""Exit code after an unexpected exception (EX_SOFTWARE of sysexits.h)."""


def logged(error: BaseException) -> str:
    """Write the traceback to a new file in the folder of temporary files; return a sentence that names it."""
    import scaling

    head = " ".join(str(error).split())[:300]
    words = f"{type(error).__name__}: {head}" if head else type(error).__name__
    lines = [
        f"command: {shlex.join(sys.argv)}\n",
        f"scaling {scaling.__version__}, Python {platform.python_version()}, {platform.platform()}\n",
        *traceback.format_exception(error),
    ]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="scaling-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.writelines(lines)
    except OSError:
        return f"unexpected error ({words}); no file could be written for its traceback: {''.join(lines)}"
    return f"unexpected error ({words}); its traceback is in {file.name}: please report it with that file"

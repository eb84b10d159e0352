"""Open a page in the user's browser, or print it to PDF with an installed Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import webbrowser
from pathlib import Path

from scaling.errors import LaunchError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
SECONDS = 120.0
"""Time limit of printing, in seconds."""


def chromium() -> str:
    """Return the path of an installed Chromium. Raises LaunchError when there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise LaunchError(
        f"printing to PDF needs a Chromium on the path ({', '.join(NAMES)}); install one, or print the "
        "page from your own browser"
    )


def pdf(page: Path) -> Path:
    """Print a page to a PDF beside it and return the PDF's path.

    Raises LaunchError when no Chromium is installed or it fails to print.
    """
    out = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium(),
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-pdf-header-footer",
            f"--user-data-dir={profile}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append(
                "--no-sandbox"
            )  # Chromium refuses its sandbox to root; the page is our own and makes no request
        part = Path(profile) / "page.pdf"
        try:
            subprocess.run(
                [*command, f"--print-to-pdf={part}", page.resolve().as_uri()],
                capture_output=True,
                timeout=SECONDS,
                check=True,
            )
            shutil.copyfile(part, out)
        except (subprocess.SubprocessError, OSError) as error:
            raise LaunchError(
                f"{command[0]} did not print {page} ({type(error).__name__}); print it from your own browser"
            ) from None
    return out


def show(page: Path) -> bool:
    """Open a page in the user's browser; return False where there is no browser."""
    return webbrowser.open(page.resolve().as_uri())

"""Fetch a published table from the mirror folder, the cache or its source, and check its SHA-256."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

from scaling.errors import TableError
from scaling.published.registry import Source, source

SECONDS = 60
"""Timeout of a silent server, in seconds."""


def cache_folder() -> Path:
    """Return the folder of downloaded tables, inside the user's cache folder."""
    return Path(platformdirs.user_cache_dir("scaling")) / "published"


def mirror_folder() -> Path | None:
    """Return the folder that `SCALING_MIRROR` names, or None. Raises TableError where it is not a folder."""
    named = os.environ.get("SCALING_MIRROR")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise TableError(
            f"SCALING_MIRROR names {named!r}, which is not a folder; name one that holds runs/, or unset it"
        )
    return folder


def fetch(
    name: str | Source, *, cache: Path | None = None, mirror: Path | None = None, address: str | None = None
) -> Path:
    """Return the path of a published table whose bytes have the registered SHA-256.

    name: a name of `registry.sources`, or the source itself. cache, mirror: folders; by default
    `cache_folder()` and `mirror_folder()`. address: a download address that replaces the pinned one, for a
    server of one's own.
    Raises TableError for an unknown name, a wrong hash, a truncated file, no network, or a table that cannot
    be downloaded.
    """
    row = source(name) if isinstance(name, str) else name
    mirror = mirror or mirror_folder()
    if mirror is not None and (mirror / row.file).is_file():
        return _checked(mirror / row.file, row, "copy the table to the mirror again, or unset SCALING_MIRROR")
    folder = cache or cache_folder()
    cached = folder / f"{row.sha256[:8]}-{Path(row.file).name}"
    if cached.is_file() and _sha256(cached) == row.sha256:
        return cached
    start = address or row.address
    if start is None:
        raise TableError(
            f"{row.name} cannot be downloaded, because its source ({row.pinned}) "
            f"had to be converted ({row.changed}); set SCALING_MIRROR to a folder that holds {row.file}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TableError(
            f"the cache folder {folder} cannot be created ({error.strerror}); free space or permit writing"
        ) from error
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        download = _download(start, row, Path(temporary))
        if row.convert is not None:
            download.write_bytes(_converted(row, download.read_bytes()))
        remedy = "its source has changed or the file is damaged: try again, or set SCALING_MIRROR to a mirror"
        _checked(download, row, remedy)
        os.replace(download, cached)
    return cached


def _download(address: str, row: Source, folder: Path) -> Path:
    """Download a table's source file into a folder, and return its path."""
    # pooch gets no hash, because the registered one is that of the converted table. `fetch` checks it later.
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    downloader = pooch.HTTPDownloader(progressbar=False, timeout=SECONDS)
    try:
        path = pooch.retrieve(address, known_hash=None, fname="table", path=folder, downloader=downloader)
        return Path(path)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise TableError(
            f"{row.name}: {address} answered {status}; the source has moved: "
            f"set SCALING_MIRROR to a folder that holds {row.file}"
        ) from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise TableError(f"{row.name}: the download from {address} is incomplete; try again") from error
    except (requests.RequestException, OSError, ValueError) as error:
        raise TableError(
            f"{row.name}: {address} cannot be reached ({type(error).__name__}); go online, "
            f"or set SCALING_MIRROR to a folder that holds {row.file}"
        ) from error


def _converted(row: Source, content: bytes) -> bytes:
    """Return the table that a source file of plain text is converted to."""
    assert row.convert is not None
    try:
        return row.convert(content)
    except (ValueError, IndexError, KeyError) as error:
        raise TableError(
            f"{row.name}: its source ({row.pinned}) cannot be converted ({error}); "
            f"set SCALING_MIRROR to a folder that holds {row.file}"
        ) from error


def _checked(path: Path, row: Source, remedy: str) -> Path:
    """Return the path of a table. Raises TableError with the remedy where its SHA-256 is wrong."""
    digest = _sha256(path)
    if digest != row.sha256:
        size = path.stat().st_size
        raise TableError(
            f"{row.name}: the table ({size} bytes) has SHA-256 {digest[:9]}…, not {row.sha256[:9]}…; {remedy}"
        )
    return path


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

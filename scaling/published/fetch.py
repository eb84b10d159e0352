"""A published table as a file: from the mirror folder, the cache or its source, always by its SHA-256."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

from scaling.errors import TableError
from scaling.published.registry import Source, source

SECONDS = 60
"""How long a silent server is waited for."""


def cache_folder() -> Path:
    """Where downloaded tables are kept: the user's cache folder of this system."""
    return Path(platformdirs.user_cache_dir("scaling")) / "published"


def mirror_folder() -> Path | None:
    """The folder of tables that `SCALING_MIRROR` names, if any. Raises TableError where it is no folder."""
    named = os.environ.get("SCALING_MIRROR")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise TableError(
            f"SCALING_MIRROR names {named!r}, which is no folder; name one that holds runs/, or unset it"
        )
    return folder


def fetch(
    name: str | Source, *, cache: Path | None = None, mirror: Path | None = None, address: str | None = None
) -> Path:
    """The path of a published table whose bytes have the registered SHA-256.

    name: as in `registry.sources`. cache, mirror: folders, else `cache_folder()` and `mirror_folder()`.
    address: a download address in place of the pinned one, for a server of one's own.
    Raises TableError: unknown name, wrong hash, truncated file, no network, a table only a mirror can hold.
    """
    row = source(name) if isinstance(name, str) else name
    mirror = mirror or mirror_folder()
    if mirror is not None and (mirror / row.file).is_file():
        return _checked(mirror / row.file, row, "mirror the table anew, or unset SCALING_MIRROR")
    folder = cache or cache_folder()
    kept = folder / f"{row.sha256[:8]}-{Path(row.file).name}"
    if kept.is_file() and _sha256(kept) == row.sha256:
        return kept
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
            f"the cache folder {folder} cannot be made ({error.strerror}); make room or rights for it"
        ) from error
    with tempfile.TemporaryDirectory(dir=folder) as room:
        arrived = _download(start, row, Path(room))
        if row.convert is not None:
            arrived.write_bytes(_converted(row, arrived.read_bytes()))
        remedy = "its source has changed or it is damaged: try again, or name a mirror by SCALING_MIRROR"
        _checked(arrived, row, remedy)
        os.replace(arrived, kept)
    return kept


def _download(address: str, row: Source, folder: Path) -> Path:
    # The hash is checked by us, after a conversion if there is one: pooch only knows the file as sent.
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    downloader = pooch.HTTPDownloader(progressbar=False, timeout=SECONDS)
    try:
        here = pooch.retrieve(address, known_hash=None, fname="table", path=folder, downloader=downloader)
        return Path(here)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise TableError(
            f"{row.name}: {address} answered {status}; the source has moved: "
            f"set SCALING_MIRROR to a folder that holds {row.file}"
        ) from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise TableError(f"{row.name}: the download from {address} broke off too early; try again") from error
    except (requests.RequestException, OSError, ValueError) as error:
        raise TableError(
            f"{row.name}: {address} cannot be reached ({type(error).__name__}); go online, "
            f"or set SCALING_MIRROR to a folder that holds {row.file}"
        ) from error


def _converted(row: Source, content: bytes) -> bytes:
    assert row.convert is not None
    try:
        return row.convert(content)
    except (ValueError, IndexError, KeyError) as error:
        raise TableError(
            f"{row.name}: its source ({row.pinned}) is not the text that was expected ({error}); "
            f"set SCALING_MIRROR to a folder that holds {row.file}"
        ) from error


def _checked(path: Path, row: Source, remedy: str) -> Path:
    digest = _sha256(path)
    if digest != row.sha256:
        size = path.stat().st_size
        raise TableError(
            f"{row.name}: the table ({size} bytes) has SHA-256 {digest[:9]}…, not {row.sha256[:9]}…; {remedy}"
        )
    return path


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

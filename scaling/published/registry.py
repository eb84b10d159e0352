"""Load `sources.csv`: published tables by name, each with its pinned source, licence and SHA-256.

This project contains no table. Some sources are the table itself, byte for byte, and some are plain text that
a function here converts; both can be downloaded. The other sources, such as notebooks and pickles, cannot be
converted here, so only a mirror holds their tables. Each row of `sources.csv` states the kind of its source.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scaling.errors import TableError, one_of


@dataclass(frozen=True, kw_only=True)
class Source:
    """One published table of runs."""

    name: str
    """Name for `scaling fetch`."""
    file: str
    """Path inside a mirror folder (`SCALING_MIRROR`)."""
    sha256: str
    """SHA-256 of the table, after any conversion."""
    repository: str
    """Repository on GitHub, as `owner/name`."""
    commit: str
    """Pinned commit: 40 hex digits, or fewer where only the short form is known."""
    path: str
    """Path of the file or folder inside the repository."""
    licence: str
    """Licence that the repository states."""
    rows: int
    """Number of rows of the table."""
    paper: str
    """Paper that published the runs."""
    verbatim: bool = False
    """Whether the source file is the table byte for byte, so that its download must have `sha256`."""
    convert: Callable[[bytes], bytes] | None = None
    """Function that converts a source file of plain text to the table, which must have `sha256`."""
    changed: str = ""
    """Changes from the source to the table, in words; empty where `verbatim`."""

    @property
    def address(self) -> str | None:
        """Download address, or None where the table must come from a mirror."""
        if not (self.verbatim or self.convert):
            return None
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"

    @property
    def pinned(self) -> str:
        """Source in one line: repository @ commit, path."""
        return f"{self.repository} @ {self.commit}, {self.path}"


def below_fifth_largest_loss(source: bytes) -> bytes:
    """Keep the header and the lines with a loss below the fifth largest (arXiv 2404.10102, section 3)."""
    lines = source.decode().splitlines(keepends=True)
    column = lines[0].strip().split(",").index("loss")
    losses = [float(line.split(",")[column]) for line in lines[1:]]
    cut = sorted(losses)[-5]
    kept = (line for line, loss in zip(lines[1:], losses, strict=True) if loss < cut)
    return "".join([lines[0], *kept]).encode()


CONVERSIONS = {"below_fifth_largest_loss": below_fifth_largest_loss}
"""Conversions of a source file that a row of `sources.csv` may name."""


def _source(row: dict[str, str]) -> Source:
    return Source(
        name=row["name"],
        file=row["file"],
        sha256=row["sha256"],
        repository=row["repository"],
        commit=row["commit"],
        path=row["path"],
        licence=row["licence"],
        rows=int(row["rows"]),
        paper=row["paper"],
        changed=row["changed"],
        verbatim=row["verbatim"] == "yes",
        convert=CONVERSIONS[row["convert"]] if row["convert"] else None,
    )


@cache
def sources() -> dict[str, Source]:
    """Return every published table of `sources.csv`, by name."""
    with Path(__file__).with_name("sources.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: _source(row) for row in csv.DictReader(file)}


def source(name: str) -> Source:
    """Return a published table by name. Raises TableError with the nearest names for an unknown one."""
    known = sources()
    if name not in known:
        raise TableError(one_of("published table", name, known))
    return known[name]

"""Load `sources.csv`: published tables by name, each with its pinned source, licence and SHA-256.

No table is part of this project. Some sources are the table itself, byte for byte; others must be converted
first (rows chosen, a notebook or a pickle read), and then only a mirror holds the table. The row says which.
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
    """What `scaling fetch` calls it."""
    file: str
    """Its place inside a mirror folder (`SCALING_MIRROR`)."""
    sha256: str
    """Of the table as we use it, after any conversion."""
    repository: str
    """`owner/name` on GitHub."""
    commit: str
    """The pinned commit: 40 hex digits, or the short form where that is all that is known."""
    path: str
    """The file or folder inside the repository."""
    licence: str
    """What the source's repository states."""
    rows: int
    """Rows of the table."""
    paper: str
    """The paper behind it."""
    verbatim: bool = False
    """Whether the source file is the table byte for byte, so that its download must have `sha256`."""
    convert: Callable[[bytes], bytes] | None = None
    """Makes the table out of a source file of plain text. The result must have `sha256`."""
    changed: str = ""
    """What was done to the source to get the table; empty where `verbatim`."""

    @property
    def address(self) -> str | None:
        """Where a download starts, or None where only a mirror can hold the table."""
        if not (self.verbatim or self.convert):
            return None
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"

    @property
    def pinned(self) -> str:
        """The source in one line: repository @ commit, path."""
        return f"{self.repository} @ {self.commit}, {self.path}"


def below_fifth_largest_loss(source: bytes) -> bytes:
    """Keeps the header and the lines with a loss below the fifth largest: arXiv 2404.10102, section 3."""
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
    """One published table. Raises TableError with the nearest names."""
    known = sources()
    if name not in known:
        raise TableError(one_of("published table", name, known))
    return known[name]

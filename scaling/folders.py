"""Find the folders `conf`, `sweeps` and `results`.

The user's own `conf/` and `sweeps/` in the working folder have priority over those of the package.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path

from scaling.errors import ConfigError, one_of

_PACKAGE = Path(__file__).parent


_LONGEST = 100
"""Bytes of a name, so that names of files made from it stay short enough for every file system."""
OURS = ("corpora", "figures", "runs", "trends", "trunks")
"""Folders of results that are no sweeps."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows gives to devices."""


def unfit(name: object) -> str | None:
    """Return why a name cannot be that of a folder of results; None if it can.

    Names are those that every file system, shell and page shows unchanged.
    """
    if not isinstance(name, str) or not name:
        return "is no name; give the name of one folder in the results"
    if {"/", "\\"} & set(name):
        return "is a path; give the name of one folder in the results, without slashes"
    if not re.fullmatch(r"\w([\w .,+=@-]*[\w+=@-])?", name):
        return (
            "cannot name a folder; use letters, digits, '.', '_' and '-', with a letter or digit at both ends"
        )
    if len(name.encode()) > _LONGEST:
        return f"is longer than {_LONGEST} bytes; give a shorter name"
    if name.lower() in OURS:
        return f"names a folder that holds other results ({', '.join(OURS)}); give another name"
    return "is the name of a device in Windows; give another name" if _DEVICES.fullmatch(name) else None


def shipped(kind: str) -> Path:
    """Return the folder `conf` or `sweeps` of the package: inside it in a wheel, beside it in a checkout."""
    inside = _PACKAGE / "shipped" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def folders(kind: str) -> list[Path]:
    """Return all folders of this kind, the user's own first."""
    own = Path.cwd() / kind
    packaged = shipped(kind)
    return [own, packaged] if own.is_dir() and own.resolve() != packaged.resolve() else [packaged]


def sweeps() -> dict[str, Path]:
    """Return the file of every sweep by its name, including those in folders below `sweeps`."""
    paths: dict[str, Path] = {}
    for folder in folders("sweeps"):
        for path in sorted(folder.rglob("*.yaml")):
            paths.setdefault(path.stem, path)
    return paths


def sweep_file(name: str) -> Path:
    """Return the file of a sweep, given by name or by path. Raises ConfigError when there is none."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path.resolve()
        near = get_close_matches(path.stem, sweeps(), n=3, cutoff=0.5)
        raise ConfigError(
            f"there is no sweep file {name!r}; give a path that exists, or a name in sweeps/"
            + (f", such as {' or '.join(near)}" if near else "")
        )
    known = sweeps()
    if name not in known and (results() / name / "ledger.parquet").is_file():
        raise ConfigError(
            f"there is no sweep {name!r}, only results in {results() / name}; read them with `scaling fit "
            f"{name}`, or write sweeps/{name}.yaml"
        )
    if name not in known:
        raise ConfigError(one_of("sweep", name, known))
    return known[name]


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the working folder if it is below."""
    here = Path.cwd().resolve()
    resolved = path.resolve()
    return str(resolved.relative_to(here) if resolved.is_relative_to(here) else path)


def maker(folder: Path) -> str:
    """Return the command that creates the ledger in a folder of results.

    It is `scaling run` of the sweep with the folder's name, or of the sweep whose name the folder's name
    extends. A folder without a plan holds imported runs, so the command is `scaling import`.
    """
    name, known = folder.name, sweeps()
    if name in known:
        return f"scaling run {name}"
    if not (folder / "plan.json").exists():
        return f"scaling import FILE --into {name}"
    file = max((one for one in known if name.startswith(f"{one}-")), key=len, default="")
    return f"scaling run {file} sweep.name={name}" if file else f"scaling run {name}"


def results() -> Path:
    """Return the folder of results: `SCALING_RESULTS`, else `results` in the working folder."""
    return Path(os.environ.get("SCALING_RESULTS", "results"))

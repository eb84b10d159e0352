"""Find the folders `conf`, `sweeps` and `results`.

The user's own `conf/` and `sweeps/` in the working folder have priority over those of the package.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from scaling.errors import ConfigError, one_of

_PACKAGE = Path(__file__).parent


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

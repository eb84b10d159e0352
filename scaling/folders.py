"""Where things lie: a person's own `conf/` and `sweeps/` in the working folder come before the ones that
travel with the package."""

from __future__ import annotations

import os
from pathlib import Path

from scaling.errors import ConfigError, one_of

_PACKAGE = Path(__file__).parent


def shipped(kind: str) -> Path:
    """The folder `conf` or `sweeps` that came with the package: inside a wheel, beside it in a checkout."""
    inside = _PACKAGE / "shipped" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def folders(kind: str) -> list[Path]:
    """All folders of this kind, the nearest first."""
    own = Path.cwd() / kind
    came = shipped(kind)
    return [own, came] if own.is_dir() and own.resolve() != came.resolve() else [came]


def sweeps() -> dict[str, Path]:
    """Every sweep that can be named here, by name; one in a folder below `sweeps` too."""
    found: dict[str, Path] = {}
    for folder in folders("sweeps"):
        for path in sorted(folder.rglob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def sweep_file(name: str) -> Path:
    """The file of a sweep, by name or by path."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if path.is_file():
            return path.resolve()
        raise ConfigError(
            f"there is no sweep file {name!r}; give a path that exists, or one of: "
            f"{', '.join(sorted(sweeps()))}"
        )
    known = sweeps()
    if name not in known and (results() / name / "ledger.parquet").is_file():
        raise ConfigError(
            f"{name!r} is no sweep here, only results in {results() / name}; read them with `scaling fit "
            f"{name}`, or write sweeps/{name}.yaml"
        )
    if name not in known:
        raise ConfigError(one_of("sweep", name, known))
    return known[name]


def maker(folder: Path) -> str:
    """The command that makes the ledger in a folder of results again: its sweep's, under the folder's name
    where that is longer than the sweep's, or the import of runs from elsewhere, which no plan lies beside."""
    name, known = folder.name, sweeps()
    if name in known:
        return f"scaling run {name}"
    if not (folder / "plan.json").exists():
        return f"scaling import FILE --into {name}"
    file = max((one for one in known if name.startswith(f"{one}-")), key=len, default="")
    return f"scaling run {file} sweep.name={name}" if file else f"scaling run {name}"


def results() -> Path:
    """The folder of results: `SCALING_RESULTS`, else `results` in the working folder."""
    return Path(os.environ.get("SCALING_RESULTS", "results"))

"""Find the folders `conf`, `sweeps` and `results`.

The user's own `conf/` and `sweeps/` in the working folder have priority over those of the package.
"""

from __future__ import annotations

import os
import re
import shlex
from difflib import get_close_matches
from pathlib import Path

from scaling.errors import ConfigError, one_of
from scaling.files import content, parse_json

_DEFAULT = "results"
"""Folder of results, below the working folder."""
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
            f"there is no sweep {name!r}, only results in {results() / name}; read them with "
            f"`{reader('fit', results() / name)}`, or write sweeps/{name}.yaml"
        )
    if name not in known:
        raise ConfigError(one_of("sweep", name, known))
    return known[name]


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the working folder if it is below."""
    here = Path.cwd().resolve()
    resolved = path.resolve()
    return str(resolved.relative_to(here) if resolved.is_relative_to(here) else path)


def command(*words: str) -> str:
    """Return a `scaling` command that can be pasted into a shell, with the folder of results chosen here."""
    chosen = os.environ.get("SCALING_RESULTS")
    place = [f"SCALING_RESULTS={shlex.quote(chosen)}"] if chosen else []
    return " ".join([*place, "scaling", *map(shlex.quote, words)])


def reader(verb: str, folder: Path) -> str:
    """Return the command of a verb that reads a folder of results, such as `fit`; status takes two words."""
    name, place = folder.name, folder.parent
    if place.resolve() == Path(_DEFAULT).resolve():
        words = [name]
    elif verb == "status":
        words = [name, f"--results={shown(place)}"]
    else:
        words = [shown(folder)]
    return shlex.join(["scaling", verb, *words])


def maker(folder: Path) -> str:
    """Return the command that creates the ledger in a folder of results.

    It is the `scaling run` that its plan names, or else that of the sweep with the folder's name, or of the
    sweep whose name the folder's name extends. A folder without a plan holds imported runs, so the command is
    `scaling import`.
    """
    name, known, place = folder.name, sweeps(), folder.parent
    elsewhere = place.resolve() != Path(_DEFAULT).resolve()
    words = _planned_by(folder)
    if not words and name not in known and not (folder / "plan.json").exists():
        there = [f"--results={shown(place)}"] if elsewhere else []
        return shlex.join(["scaling", "import", "FILE", "--into", name, *there])
    if not words:
        file = max((one for one in known if name.startswith(f"{one}-")), key=len, default="")
        words = [name] if name in known or not file else [file, f"sweep.name={name}"]
    there = [f"results={_quoted(shown(place))}"] if elsewhere else []
    return shlex.join(["scaling", "run", *words, *there])


def _planned_by(folder: Path) -> list[str]:
    """Return the words after `scaling run` that the saved plan names; none if it names no existing sweep."""
    try:
        words = parse_json(content(folder / "plan.json"))["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return []
    path = Path(words[0])
    if path.is_absolute():
        return [shown(path), *words[1:]] if path.is_file() else []
    return words if words[0] in sweeps() else []


def _quoted(text: str) -> str:
    """Return a value in Hydra's grammar, quoted if it has signs that mean something there."""
    if re.fullmatch(r"[\w./~@%+:-]+", text):
        return text
    return "'" + text.replace("'", "\\'") + "'"


def results() -> Path:
    """Return the folder of results: `SCALING_RESULTS`, else `results` in the working folder."""
    return Path(os.environ.get("SCALING_RESULTS", _DEFAULT))

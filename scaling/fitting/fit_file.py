"""A fit back from its `fit.json`: the same table, checked by its hash, and the same options give the same
fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scaling.errors import FitError, TableError
from scaling.fitting import laws
from scaling.fitting.fit import Fit, fit, read_for
from scaling.fitting.options import Options
from scaling.folders import results


def saved(source: str) -> Path | None:
    """The fit file that a person means: a .json that is no list of runs, or the one in a ledger folder or a
    sweep's results; None where there is none."""
    path = Path(source)
    if path.suffix == ".json":
        if not path.is_file():
            raise FitError(f"there is no fit file {source!r}; make one with scaling fit TABLE --out {source}")
        with path.open("rb") as file:
            return None if file.read(64).lstrip().startswith(b"[") else path
    for folder in (path, results() / source):
        if (folder / "fit.json").is_file():
            return folder / "fit.json"
    return None


def load(path: Path) -> Fit:
    """Refits what a fit file says. Raises FitError where it is not a fit, its table is gone, or its table has
    changed since."""
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
        given, chosen, law = payload["input"], payload["options"], payload["law"]
        known = Options.__dataclass_fields__
        options = Options(**{k: _tuples(v) for k, v in chosen.items() if k in known})
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else error
        raise FitError(
            f"{path} is not a fit file ({why}); make one with scaling fit TABLE --out FILE.json"
        ) from None
    form = laws.get(law)
    source: Any = given["path"]
    if (path.parent / "ledger.parquet").is_file():
        source = path.parent
    elif not Path(source).exists() and (path.parent / source).exists():
        source = path.parent / source
    try:
        table = read_for(
            form, source, columns=given["columns"], where=given["where"], decimal=given.get("decimal")
        )
    except TableError as error:
        raise FitError(f"the table behind {path} cannot be read again: {error}") from None
    if table.sha256 != given["sha256"]:
        raise FitError(
            f"the table behind {path} has changed since the fit was made; fit it again with scaling fit"
        )
    return fit(form, table, options=options)


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    return value

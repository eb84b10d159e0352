"""Write a fit to JSON, and repeat a fit from its JSON: the table is checked by its hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from scaling import files
from scaling.errors import FitError, TableError
from scaling.fitting import laws
from scaling.fitting.fit import fit, read_for
from scaling.fitting.options import Options
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.validate import Validation
from scaling.folders import results


def contents(fit: Fit, validation: Validation | None = None) -> dict[str, Any]:
    """Return plain data in the schema of `fit.json`, with the checks where they were run.

    The data contain neither the time nor the machine.
    """
    table, loss = fit.table, fit.problem.loss
    return {
        "schema": 1,
        "law": fit.law.name,
        "formula": fit.law.formula,
        "source": fit.law.source,
        "input": {
            "path": table.path,
            "sha256": table.sha256,
            "rows": table.rows,
            "rows_used": table.n,
            "columns": dict(table.columns),
            "where": table.where,
            "decimal": table.decimal,
            "range": {key: [float(value.min()), float(value.max())] for key, value in table.values.items()},
        },
        "options": _options(fit.options),
        "n": table.n,
        "parameters": {name: value.to_json() for name, value in fit.parameters.items()},
        "objective": {
            "name": loss.name,
            "scale": loss.scale,
            "delta": None if loss.delta is None else finite(loss.delta),
            "value": finite(fit.optimum.objective),
            "words": loss.words(),
        },
        "derived": {name: value.to_json() for name, value in fit.derived.items()},
        "certificate": fit.certificate.to_json(fit.law.names),
        "warnings": list(fit.warnings),
        "approaches": None if fit.approaches is None else fit.approaches.to_json(),
        "bootstrap": _draws(fit),
        "validation": None if validation is None else validation.to_json(),
    }


def save(fit: Fit, path: str | Path, validation: Validation | None = None) -> None:
    """Write a fit's JSON atomically, with the checks where they were run; `refit` repeats the fit from it.

    Raises StorageError where it cannot be written.
    """
    text = json.dumps(contents(fit, validation), indent=1, allow_nan=False) + "\n"
    files.write(Path(path), text, "the fit", option="another path")


def _options(options: Options) -> dict[str, Any]:
    """Return options as plain data."""
    return {
        key: (dict(value) if isinstance(value, Mapping) else value) for key, value in asdict(options).items()
    }


def _draws(fit: Fit, rows: int = 200) -> dict[str, Any] | None:
    """Return the first draws of the bootstrap, null where a parameter is undetermined."""
    if fit.draws is None:
        return None
    open_ = [name in fit.certificate.undetermined for name in fit.law.names]
    drawn = np.where(open_, np.nan, fit.draws.theta[:rows])
    return {"names": list(fit.law.names), "draws": [[finite(value) for value in row] for row in drawn]}


def saved(source: str) -> Path | None:
    """Return the path of the fit file of a source, None where there is none.

    A source is a .json file that is not a list of runs, a ledger folder or a sweep's name.
    """
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


def refit(path: Path) -> Fit:
    """Repeat the fit of a fit file.

    Raises FitError where the file is not a fit, or where its table is missing or has changed since.
    """
    try:
        payload = files.parse_json(files.content(path))
        given, chosen, law = payload["input"], payload["options"], payload["law"]
        known = Options.__dataclass_fields__.keys()
        for name in known & chosen.keys():
            _check(name, chosen[name])
        options = Options(**{k: with_tuples(v) for k, v in chosen.items() if k in known})
        source, digest = given["path"], given["sha256"]
        columns, where, decimal = given["columns"], given["where"], given.get("decimal")
        if not all(isinstance(text, str) for text in (law, source, digest, *columns, *columns.values())):
            raise TypeError("its law, path, sha256 or columns are not text")
        if not all(isinstance(text, str | None) for text in (where, decimal)):
            raise TypeError("its where or decimal is not text")
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else error
        raise FitError(
            f"{path} is not a fit file ({why}); make one with scaling fit TABLE --out FILE.json"
        ) from None
    form = laws.get(law)
    if payload.get("formula", form.formula) != form.formula:
        raise FitError(
            f"{path} is a fit of {payload['formula']}, another law than the {law} of the catalogue; fit its "
            "table again with --law path.py:name"
        )
    if (path.parent / "ledger.parquet").is_file():
        source = str(path.parent)
    elif not Path(source).exists() and (path.parent / source).exists():
        source = str(path.parent / source)
    try:
        table = read_for(form, source, columns=columns, where=where, decimal=decimal)
    except TableError as error:
        raise FitError(f"the table behind {path} cannot be read again: {error}") from None
    if table.sha256 != digest:
        raise FitError(
            f"the table behind {path} has changed since the fit was made; fit it again with scaling fit"
        )
    return fit(table, form, options=options)


def _check(name: str, value: Any) -> None:
    """Raise TypeError for an option that is not of the type of its default."""
    default = getattr(Options(), name)
    if isinstance(default, Mapping):
        kinds: Any = Mapping
    elif name == "delta":
        kinds = str | int | float
    else:
        kinds = {float: int | float, type(None): str | None}.get(type(default), type(default))
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"its option {name} is {value!r}"[:80])


def with_tuples(value: Any) -> Any:
    """Return an option with lists from JSON converted back to tuples."""
    if isinstance(value, Mapping):
        return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    return value

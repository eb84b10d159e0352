"""Read the rows of a JSON text: an array, columns, lines, or one of the other forms that libraries write."""

from __future__ import annotations

import json
from typing import Any

from scaling.errors import TableError


def parsed(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError, also for an object with one name twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the name {max(names, key=names.count)!r} twice")
    return found


def rows(path: str, text: str) -> Any:
    """Return the list of objects or the object of columns that a JSON text holds.

    It is one object a line, a list of objects, an object of lists, an object of objects (by column and row
    number, as pandas writes them, or by the name of a run), or an object whose only list is one of objects.
    Raises TableError for other values, ValueError for text that is not JSON.
    """
    found = _values(text)
    if isinstance(found, dict):
        found = _table(found)
    columns = isinstance(found, dict) and all(isinstance(values, list) for values in found.values())
    if not (columns or _objects(found)):
        raise TableError(
            f"{path} is JSON but not a table; write a list of objects, one per run, or one object of columns"
        )
    return found


def _values(text: str) -> Any:
    """Return the value of a text, or the values of its lines."""
    try:
        return parsed(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if not error.msg.startswith("Extra data") or len(lines) < 2:
            raise
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(parsed(line))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return found


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _table(found: dict[str, Any]) -> Any:
    """Return the rows or columns of an object."""
    values = list(found.values())
    if not any(isinstance(value, dict | list) for value in values):
        return [found]
    if {"columns", "data"} <= set(found) <= {"columns", "index", "data"}:
        return [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        if not all(key.isdigit() for key in keys):
            return values
        return {name: [value.get(key) for key in keys] for name, value in found.items()}
    lists = [value for value in values if isinstance(value, list)]
    return lists[0] if len(lists) == 1 and _objects(lists[0]) else found

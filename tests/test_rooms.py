"""Hold the structure: rooms import one way, layers inside a room too, and no files form a circle."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import scaling

PACKAGE = Path(scaling.__file__).parent
HEAVY = {"torch", "transformers", "datasets", "tokenizers"}
BASE = {"errors", "extras", "folders", "files", "terminal", "user_file"}
"""Files below every room."""
MAY_IMPORT: dict[str, set[str]] = {
    "config": set(),
    "tables": set(),
    "families": {"config"},
    "corpora": {"config"},
    "training": {"config", "tables", "families", "corpora"},
    "sweeping": {"config", "tables", "families", "corpora", "training", "plugins"},
    "plugins": {"sweeping"},
    "fitting": {"tables"},
    "published": {"tables", "fitting"},
    "trends": {"tables", "fitting", "published"},
    "figures": {"tables", "fitting", "published", "trends"},
}
"""Room → the other rooms that it may import. The command (`cli`), `train` and `api` import all; nothing below
imports them."""
LAYERS: dict[str, list[set[str]]] = {
    "training": [
        {"paths", "recipes", "optional"},
        {"config", "record"},
        {"parent"},
        {"cell"},
        {"hardware", "objectives"},
        {"optimization", "evaluation", "tensors"},
        {"compression"},
        {"network"},
        {"loop"},
        {"checkpoints", "sample"},
        {"lifecycle"},
    ],
    "sweeping": [
        {"designs", "lease", "ledger", "job_return", "processes", "import_programs"},
        {"planning", "cleanup", "import_runs"},
        {"outcomes", "ablation", "differences", "rescue", "status", "compression"},
        {"slots"},
        {"launching"},
        {"driver"},
        {"console"},
        {"speeds"},
    ],
    "cli": [
        {"__init__", "numbers"},
        {"fits", "published", "pages", "models", "runs", "trends"},
        {"comparisons", "decisions", "sweeps"},
    ],
}
"""Room → its files and folders, lowest layer first. A file imports only layers below its own."""


@cache
def files() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    named = {}
    for path in PACKAGE.rglob("*.py"):
        parts = ("scaling", *path.relative_to(PACKAGE).with_suffix("").parts)
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


@cache
def imports(path: Path) -> frozenset[str]:
    """Return every module that a file imports, anywhere in it, as absolute dotted names."""
    names: set[str] = set()
    package = ("scaling", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            module = f"{base}{node.module or ''}".rstrip(".")
            whole = {f"{module}.{alias.name}" for alias in node.names}
            # a name of a package is its own file where it is a module, and the package's file where it is not
            names.update(name if name in files() else module for name in whole)
    return frozenset(names)


@cache
def arrows() -> dict[str, set[str]]:
    """Return every file of the package with the files that it imports."""
    return {name: (imports(path) & files().keys()) - {name} for name, path in files().items()}


def height(name: str) -> int | None:
    """Return the layer of a module in its room; None for the room's face, and a failure where it has none."""
    _, room, *parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for at, layer in enumerate(LAYERS[room]):
            if ".".join(parts[:length]) in layer:
                return at
    if parts:
        pytest.fail(f"{name} has no layer; give it one in LAYERS")
    return 0 if "__init__" in LAYERS[room][0] else None


def test_no_circle_of_files() -> None:
    """Imports inside functions and for type checkers count: they tie files together all the same."""
    try:
        graphlib.TopologicalSorter(arrows()).prepare()
    except graphlib.CycleError as error:
        pytest.fail("a circle of imports: " + " -> ".join(reversed(error.args[1])))


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_reaches_only_where_it_may(room: str) -> None:
    inside = [name for name in files() if name.startswith(f"scaling.{room}")]
    assert inside
    allowed = MAY_IMPORT[room] | {room} | BASE
    for name in inside:
        outside = {other.split(".")[1] for other in arrows()[name] if "." in other} - allowed
        assert not outside, f"{name} reaches {outside}"


def test_only_the_faces_import_the_faces() -> None:
    for name, others in arrows().items():
        if not name.startswith(("scaling.cli", "scaling.api", "scaling.__main__")) and name != "scaling":
            astray = {other for other in others if other.startswith(("scaling.cli", "scaling.api"))}
            assert not astray, f"{name} reaches {astray}"


@pytest.mark.parametrize("room", sorted(LAYERS))
def test_the_layers_of_a_room_import_downwards(room: str) -> None:
    for name, others in arrows().items():
        if not f"{name}.".startswith(f"scaling.{room}.") or height(name) is None:
            continue
        for other in others:
            if f"{other}.".startswith(f"scaling.{room}.") and name.split(".")[:3] != other.split(".")[:3]:
                below = height(other)
                assert below is not None, f"{name} reaches up to the face {other}"
                assert below < height(name), f"{name} reaches up to {other}"


@pytest.mark.parametrize("room", ["config", "tables", "fitting", "published", "trends", "figures"])
def test_no_torch_in_the_analysis_half(room: str) -> None:
    for name, path in files().items():
        if name.startswith(f"scaling.{room}"):
            heavy = {module.split(".")[0] for module in imports(path)} & HEAVY
            assert not heavy, f"{name} imports {heavy}"


@pytest.mark.parametrize("module", ["scaling", "scaling.cli"])
def test_the_package_and_the_command_start_light(module: str) -> None:
    code = (
        f"import sys, {module};"
        "heavy = ('torch', 'pandas', 'scipy', 'matplotlib', 'hydra', 'numpy', 'jinja2');"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_no_file_is_called_utils() -> None:
    assert not {"utils", "helpers", "misc", "common"} & {name.rpartition(".")[2] for name in files()}

"""The rooms import one way, and the analysis half never meets torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import scaling

PACKAGE = Path(scaling.__file__).parent
HEAVY = {"torch", "transformers", "datasets", "tokenizers"}
MAY_IMPORT = {
    "tables": set(),
    "families": set(),
    "corpora": set(),
    "training": {"tables", "families", "corpora"},
    "sweeping": {"tables", "families", "corpora", "training"},
    "fitting": {"tables"},
    "trends": {"tables", "fitting"},
    "figures": {"tables", "fitting", "trends"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, as absolute dotted names."""
    found: set[str] = set()
    package = ("scaling", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            module = f"{base}{node.module or ''}".rstrip(".")
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_reaches_only_where_it_may(room: str) -> None:
    files = list((PACKAGE / room).rglob("*.py"))
    assert files
    for path in files:
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("scaling.")}
        astray = (ours & set(MAY_IMPORT)) - MAY_IMPORT[room] - {room}
        assert not astray, f"{path.relative_to(PACKAGE)} reaches {astray}"


@pytest.mark.parametrize("room", ["tables", "fitting", "trends", "figures"])
def test_no_torch_in_the_analysis_half(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        heavy = {name.split(".")[0] for name in imports(path)} & HEAVY
        assert not heavy, f"{path.relative_to(PACKAGE)} imports {heavy}"


def test_the_command_starts_light() -> None:
    code = (
        "import sys, scaling.cli;"
        "heavy = ('torch', 'pandas', 'scipy', 'matplotlib', 'hydra', 'numpy', 'jinja2');"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_no_file_is_called_utils() -> None:
    assert not [p for p in PACKAGE.rglob("*.py") if p.stem in {"utils", "helpers", "misc", "common"}]

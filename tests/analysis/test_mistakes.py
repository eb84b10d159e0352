"""The study of mistakes put in on purpose fits the code as it is; the study itself takes minutes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_every_mistake_has_its_line_and_its_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("mistakes", ROOT / "analysis/studies/mistakes.py")
    assert spec is not None
    assert spec.loader is not None
    study = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mistakes", study)
    spec.loader.exec_module(study)
    for mistake in study.MISTAKES:
        assert mistake.right in (ROOT / mistake.file).read_text(encoding="utf-8"), mistake.name
        assert (ROOT / "tests" / mistake.tests.partition(" ")[0]).exists(), mistake.name

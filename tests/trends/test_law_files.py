"""A law's file that is none ends in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling.errors import TableError
from scaling.trends.ahead.loss_law import from_fit


@pytest.mark.parametrize(
    "text",
    ["[1]", "{", '{"parameters": [1]}', '{"parameters": {"E": "x", "A": 1, "B": 1, "alpha": 1, "beta": 1}}'],
)
def test_a_file_that_is_no_fit_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fit.json"
    path.write_text(text)
    for it in (path, tmp_path):
        with pytest.raises(TableError, match="make it again with `scaling fit`"):
            from_fit(it)

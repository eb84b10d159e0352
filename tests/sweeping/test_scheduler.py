"""The study of the scheduler in small: two machines, one of them killed, one slot frozen, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "analysis" / "studies" / "scheduler.py"


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path) -> None:
    options = ["--cells", "50", "--kills", "1", "--freezes", "1", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, str(STUDY), *options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "scheduler.json").read_text())
    assert (found["cells"], found["rows_right"]) == (50, 50)
    assert found["runs_begun_after_they_were_done"] == found["runs_done_twice"] == 0

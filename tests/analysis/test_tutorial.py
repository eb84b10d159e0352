"""Every command of the tutorial runs, in order, in one folder, and prints what the page shows."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.sweeping import slurm

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location("tutorial", ROOT / "analysis" / "tutorial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tutorial"] = module
    spec.loader.exec_module(module)
    return module


tutorial = load()
TEXT = tutorial.PAGE.read_text(encoding="utf-8")
BLOCKS = tutorial.blocks(TEXT)


def test_no_command_is_left_out() -> None:
    assert len(BLOCKS) == len(re.findall(r"^```bash", TEXT, flags=re.MULTILINE)) >= 8
    assert [block.mark for block in BLOCKS].count("slurm") == 1
    assert all(block.said for block in BLOCKS[1:] if block.mark != "slurm")


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "analysis" / target).resolve().exists(), target
    assert "analysis/tutorial.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_blocks_print_what_the_page_shows(tmp_path: Path) -> None:
    """In order and in one folder, as a reader runs them: each goes on from what those before it left."""
    for block in BLOCKS:
        if block.mark == "slurm":
            continue
        lost = tutorial.missing(block.said, tutorial.run(block, tmp_path))
        # Words that depend on a digit may change with the processor: a verdict here, a warning there.
        assert len(lost) <= 0.3 * len(block.said.splitlines()), "\n".join([block.code, *lost])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with slurm.cluster(tmp_path_factory.mktemp("slurm") / "cluster") as environment:
        yield environment


@pytest.mark.slow
@pytest.mark.slurm
@pytest.mark.skipif(bool(slurm.missing()), reason=str(slurm.missing()))
def test_the_slurm_block_runs(cluster: dict[str, str], tmp_path: Path) -> None:
    tutorial.run(BLOCKS[0], tmp_path)
    (block,) = [block for block in BLOCKS if block.mark == "slurm"]
    said = tutorial.run(block, tmp_path, cluster)
    assert "2 done (2 trained now" in said

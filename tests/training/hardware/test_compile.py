"""Compiled blocks reach the losses of the modules as they are written; a compiler that fails is left out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch._inductor.runtime import cache_dir_utils

from scaling.config import Config, parse
from scaling.corpora import Corpus
from scaling.errors import ConfigError
from scaling.training import Cell, RunPaths, record
from scaling.training.hardware import compile
from scaling.training.lifecycle.run import Placement, run

LONG = {"budget": {"tokens": 50 * 4 * 16}}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing said, nothing kept from another test."""
    monkeypatch.delenv(compile.CACHE, raising=False)
    compile.warn.cache_clear()


def both(cell: Cell, corpus: Corpus, folder: Path, mode: str) -> tuple[dict, dict]:
    """The records of a cell as it is written, and compiled."""
    plain = run(cell, corpus=corpus, paths=RunPaths.of(folder / "plain", cell.run_id))
    paths = RunPaths.of(folder / "compiled", cell.run_id)
    return plain, run(cell, corpus=corpus, paths=paths, placement=Placement(compile=mode))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_traced_blocks_end_at_the_same_loss(
    cell: Callable[..., Cell], corpus: Corpus, tmp_path: Path, family: str
) -> None:
    plain, traced = both(cell(**LONG, family={"name": family, "size": 0.5}), corpus, tmp_path, "aot_eager")
    assert traced["compiled"] == "aot_eager"
    assert plain["compiled"] is None
    assert traced["run_id"] == plain["run_id"]
    assert traced["loss"] == pytest.approx(plain["loss"], rel=1e-6)


@pytest.mark.slow
def test_generated_code_ends_at_the_same_loss_and_is_kept(
    cell: Callable[..., Cell], corpus: Corpus, tmp_path: Path
) -> None:
    plain, fast = both(cell(**LONG), corpus, tmp_path, "default")
    assert fast["compiled"] == "default"
    assert fast["loss"] == pytest.approx(plain["loss"], rel=1e-5)
    assert any((tmp_path / "compiled" / "compiled").iterdir()), "the cache of all runs"


def test_the_folder_that_torch_names_itself_is_not_a_users_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(compile.CACHE, cache_dir_utils.cache_dir())
    compile.keep_in(tmp_path)
    assert os.environ[compile.CACHE] == str(tmp_path)
    monkeypatch.setenv(compile.CACHE, "a folder of the user's")
    compile.keep_in(tmp_path)
    assert os.environ[compile.CACHE] == "a folder of the user's"


def test_a_compiler_that_fails_is_said_once_and_recorded(
    cell: Callable[..., Cell],
    corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> None:
        raise RuntimeError("no C++ compiler")

    compile_ = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **_: compile_(self, backend=broken))
    for seed in (0, 1):
        plain, fell_back = both(cell(seed=seed), corpus, tmp_path / str(seed), "default")
        assert fell_back["status"] == "done"
        assert fell_back["loss"] == plain["loss"]
        assert fell_back["compiled"].startswith("default failed: BackendCompilerFailed")
    assert capsys.readouterr().err.count("device.compile=default failed, so") == 1
    written = record.read(RunPaths.of(tmp_path / "1" / "compiled", fell_back["run_id"]))
    assert written["compiled"] == fell_back["compiled"]


def test_what_has_no_blocks(cell: Callable[..., Cell], corpus: Corpus, tmp_path: Path) -> None:
    it = cell(family={"name": "lstm", "size": 0.5})
    with pytest.raises(ConfigError, match="has no blocks"):
        run(it, corpus=corpus, paths=RunPaths.of(tmp_path, it.run_id), placement=Placement(compile="default"))
    with pytest.raises(ConfigError, match=r"device\.compile cannot be 'fast'; did you mean 'default'"):
        Placement.from_config(parse(Config, {"device": {"compile": "fast"}}))

"""A damaged checkpoint or file of weights is never loaded: the one before is, or the run starts again."""

from __future__ import annotations

import os
import pickle
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.corpora import Corpus
from scaling.errors import Preempted, StorageError
from scaling.training import Cell, RunPaths, record, tensors
from scaling.training.lifecycle.interrupts import Pause
from scaling.training.lifecycle.run import Placement, run
from scaling.training.network import build
from scaling.training.sample import load

NAME = "0123456789abcdef"
CONTENT = {
    "format": 1,
    "run_id": NAME,
    "module": {"w": torch.arange(12.0).view(3, 4), "b": torch.ones(5, dtype=torch.int64)},
    "state": {"step": 3, "rows": [[1, 2.5, None]]},
}


def equal(a: Any, b: Any) -> bool:
    """Whether two contents are the same to the last bit."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
    return bool(a == b)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of tensors, beside a copy of it."""
    path = tmp_path_factory.mktemp("tensors") / "checkpoint.pt"
    tensors.save(CONTENT, path, "it")
    path.with_suffix(".whole").write_bytes(path.read_bytes())
    return path


@settings(deadline=None, max_examples=200, derandomize=True)
@given(data=st.data())
def test_a_changed_file_is_read_as_written_or_not_at_all(file: Path, data: st.DataObject) -> None:
    raw = bytearray(file.with_suffix(".whole").read_bytes())
    for _ in range(data.draw(st.integers(0, 3), label="flips")):
        raw[data.draw(st.integers(0, len(raw) - 1), label="place")] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans(), label="cut"):
        raw = raw[: data.draw(st.integers(0, len(raw)))]
    file.write_bytes(raw)
    try:
        found = tensors.read(file, NAME)
    except tensors.Damaged:
        return
    assert equal(found, CONTENT)


class Bomb:
    """An object whose pickle calls a function."""

    def __reduce__(self) -> Any:
        return os.system, ("echo exploded > exploded",)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({**CONTENT, "bomb": Bomb()}, path)
    with pytest.raises(tensors.Damaged):
        tensors.read(path, NAME)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(tensors.Damaged, match="not a zip file"):
        tensors.read(path, NAME)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data.pkl", bytes(1 << 24))
    with pytest.raises(tensors.Damaged, match="compressed entries"):
        tensors.read(path, NAME)
    torch.save([1], path)
    with pytest.raises(tensors.Damaged, match="format 1"):
        tensors.read(path, NAME)
    torch.save(CONTENT, path)
    with pytest.raises(tensors.Damaged, match=f"belongs to {NAME}"):
        tensors.read(path, "another")
    assert not list(tmp_path.rglob("exploded"))
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match="cannot be read"):
        tensors.read(path, NAME)


def drop(*keys: Any) -> Callable[[dict[str, Any]], None]:
    """Removes one entry."""
    return put(*keys, None)


def put(*keys: Any) -> Callable[[dict[str, Any]], None]:
    """Sets the entry at the keys to the last argument, or removes it if that is None."""

    def change(content: dict[str, Any]) -> None:
        *path, last, value = keys
        for key in path:
            content = content[key]
        if value is None:
            del content[last]
        else:
            content[last] = value

    return change


def another_optimizer(content: dict[str, Any]) -> None:
    """Leaves the state of SGD for that of AdamW."""
    for held in content["optimizers"][0]["state"].values():
        held["momentum_buffer"] = held.pop("exp_avg")
        del held["exp_avg_sq"]


def other_shape(content: dict[str, Any]) -> None:
    """Transposes the moments of the first matrix, but not the matrix."""
    for held in content["optimizers"][0]["state"].values():
        if held["exp_avg"].ndim == 2 and len(set(held["exp_avg"].shape)) == 2:
            held["exp_avg"] = held["exp_avg"].T.contiguous()
            return


WRONG: dict[str, Callable[[dict[str, Any]], None]] = {
    "no weights": drop("module"),
    "a weight less": drop("module", "embedding.weight"),
    "a weight more": put("module", "more", torch.ones(2)),
    "another shape": put("module", "embedding.weight", torch.ones(3, 3)),
    "another number format": lambda c: c["module"].update(
        {"embedding.weight": c["module"]["embedding.weight"].double()}
    ),
    "no tensor": put("module", "embedding.weight", "text"),
    "no optimizer": put("optimizers", []),
    "an empty optimizer": put("optimizers", 0, "state", {}),
    "groups of another optimizer": lambda c: c["optimizers"][0]["param_groups"].pop(),
    "another optimizer": another_optimizer,
    "moments of another shape": other_shape,
    "no generator": drop("random"),
    "a generator of another kind": put("random", torch.ones(3)),
    "a scaler": put("scaler", {"scale": 2.0}),
    "no state": drop("state"),
    "no step": drop("state", "step"),
    "a step of text": put("state", "step", "17"),
    "a step before the start": put("state", "step", -1),
    "a step after the end": put("state", "step", 10**9),
    "losses of text": put("state", "losses", ["low"]),
    "rows of another width": put("state", "rows", [[1, 2]]),
    "a field more": put("state", "more", 1),
    "another run": put("run_id", "f" * 16),
    "another format": put("format", 99),
    "shards that are not there": put("parts", {"a": "b"}),
}


@pytest.fixture(scope="module")
def stopped(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run from start to end, and one that stopped at step 17 of 40, after checkpoints at 16 and 17."""
    from scaling.config import Config, parse

    from ..conftest import config

    it = Cell.from_config(parse(Config, config()), corpus)
    root = tmp_path_factory.mktemp("stopped")
    calm, wild = RunPaths.of(root / "calm", it.run_id), RunPaths.of(root / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm, config=parse(Config, config()))
    pause = Pause.__call__

    def leave(self: Pause) -> None:
        if self.trainer.state.step == 17:
            self.request.signal = signal.SIGTERM
        pause(self)

    Pause.__call__ = leave  # type: ignore[method-assign]
    try:
        with pytest.raises(Preempted):
            run(it, corpus=corpus, paths=wild, placement=Placement(checkpoint_seconds=0.0))
    finally:
        Pause.__call__ = pause  # type: ignore[method-assign]
    return {"cell": it, "calm": calm, "wild": wild}


def copied(stopped: dict[str, Any], tmp_path: Path) -> RunPaths:
    """Copies the stopped run."""
    paths = RunPaths.of(tmp_path, stopped["cell"].run_id)
    paths.make()
    for path in stopped["wild"].folder.iterdir():
        (paths.folder / path.name).write_bytes(path.read_bytes())
    return paths


def assert_same(a: RunPaths, b: RunPaths) -> None:
    """Checks that two runs ended with the same bits."""
    first, second = record.read(a), record.read(b)
    for name in ("status", "loss", "loss_se", "loss_train", "loss_best", "steps_done"):
        assert first[name] == second[name], second["reason"]
    assert a.curve.read_text() == b.curve.read_text()
    ours, theirs = (tensors.weights(paths.weights, paths.run_id) for paths in (a, b))
    assert equal(ours, theirs)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_checkpoint_of_other_content_is_renamed_and_the_one_before_is_taken(
    stopped: dict[str, Any], corpus: Corpus, tmp_path: Path, wrong: str, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = copied(stopped, tmp_path)
    content = tensors.read(paths.checkpoint, paths.run_id)
    WRONG[wrong](content)
    tensors.save(content, paths.checkpoint, "it")
    run(stopped["cell"], corpus=corpus, paths=paths)
    (said,) = capfd.readouterr().err.strip().splitlines()
    assert "checkpoint.pt is damaged (" in said
    assert said.endswith("was renamed to checkpoint.pt.damaged; the run continues from checkpoint.before.pt")
    assert paths.folder.joinpath("checkpoint.pt.damaged").exists()
    assert_same(stopped["calm"], paths)


@settings(deadline=None, max_examples=5, derandomize=True)
@given(
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), min_size=2, max_size=2), cut=st.booleans()
)
def test_damage_in_both_checkpoints_ends_at_the_same_loss(
    stopped: dict[str, Any],
    corpus: Corpus,
    tmp_path_factory: pytest.TempPathFactory,
    places: list[tuple[float, int]],
    cut: bool,
) -> None:
    paths = copied(stopped, tmp_path_factory.mktemp("both"))
    for path, (share, bit) in zip((paths.checkpoint, paths.checkpoint_before), places, strict=True):
        raw = bytearray(path.read_bytes())
        place = int(share * (len(raw) - 1))
        raw[place] ^= 1 << bit
        path.write_bytes(raw[:place] if cut else raw)
    run(stopped["cell"], corpus=corpus, paths=paths)
    assert_same(stopped["calm"], paths)


def test_two_damaged_checkpoints_start_the_run_again(
    stopped: dict[str, Any], corpus: Corpus, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = copied(stopped, tmp_path)
    paths.checkpoint.write_bytes(b"")
    paths.checkpoint_before.write_bytes(b"no")
    run(stopped["cell"], corpus=corpus, paths=paths)
    first, second = capfd.readouterr().err.strip().splitlines()
    assert first.endswith("the run continues from checkpoint.before.pt")
    assert second.endswith("was renamed to checkpoint.before.pt.damaged; the run starts from step 0")
    assert_same(stopped["calm"], paths)


def test_a_damaged_trunk_is_renamed_and_an_earlier_one_is_taken(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = {
        "name": "fixed",
        "batch_sequences": 4,
        "schedule": "wsd",
        "warmup_steps": 5,
        "decay_fraction": 0.2,
    }
    short, middle, long = (cell(recipe=recipe, budget={"tokens": steps * 64}) for steps in (20, 40, 60))
    for it in (short, middle):
        run(it, corpus=corpus, paths=RunPaths.of(tmp_path, it.run_id))
    (later,) = tmp_path.glob("trunks/*/step-32.pt")
    raw = bytearray(later.read_bytes())
    raw[len(raw) // 2] ^= 4
    later.write_bytes(raw)
    alone = run(
        long,
        corpus=corpus,
        paths=RunPaths.of(tmp_path / "alone", long.run_id),
        placement=Placement(share_trunk=False),
    )
    got = run(long, corpus=corpus, paths=RunPaths.of(tmp_path, long.run_id))
    assert (got["loss"], got["steps_inherited"]) == (alone["loss"], 16)
    assert later.with_name("step-32.pt.damaged").exists()
    assert "the run continues from step-16.pt" in capfd.readouterr().err


def changed_weights(
    stopped: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> RunPaths:
    """Copies the finished run with other weights."""
    paths = RunPaths.of(tmp_path, stopped["cell"].run_id)
    paths.make()
    paths.record.write_bytes(stopped["calm"].record.read_bytes())
    content = tensors.read(stopped["calm"].weights, paths.run_id)
    change(content)
    tensors.save(content, paths.weights, "it")
    return paths


@pytest.mark.parametrize("wrong", [name for name in WRONG if WRONG[name].__name__ == "change"][:4])
def test_weights_that_do_not_fit_are_a_sentence(
    stopped: dict[str, Any], corpus: Corpus, tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scaling.training.sample.open_data", lambda *_: corpus)
    paths = changed_weights(stopped, tmp_path, WRONG[wrong])
    with pytest.raises(
        StorageError, match=r"weights.pt is damaged \(.*was renamed to weights.pt.damaged; train"
    ) as e:
        load(paths)
    assert "\n" not in str(e.value)
    with pytest.raises(StorageError, match=r"has no weights.pt \(it was damaged and renamed\)"):
        load(paths)


def test_a_flipped_bit_of_weights_reaches_no_reader(
    stopped: dict[str, Any], corpus: Corpus, tmp_path: Path, cell: Callable[..., Cell]
) -> None:
    child = cell(start={"run": stopped["calm"].run_id}, results=str(stopped["calm"].folder.parent.parent))
    weights = stopped["calm"].weights
    sound = weights.read_bytes()
    build(child)
    raw = bytearray(sound)
    raw[len(raw) // 2] ^= 1
    try:
        weights.write_bytes(raw)
        with pytest.raises(StorageError, match="checksum"):
            build(child)
        weights.write_bytes(raw)
        with pytest.raises(StorageError, match="checksum"):
            load(stopped["calm"])
    finally:
        weights.write_bytes(sound)

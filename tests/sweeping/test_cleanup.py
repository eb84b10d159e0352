"""`scaling clean`: what goes, what stays, and nothing without being told."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scaling import files
from scaling.cli import app
from scaling.errors import ConfigError, StorageError
from scaling.sweeping import cleanup, lease
from scaling.training.paths import RunPaths

KEPT = ("record.json", "curve.csv", "config.yaml")


def run(results: Path, name: str, *, record: bool) -> RunPaths:
    paths = RunPaths.of(results, name)
    paths.make()
    for file in (
        "curve.csv",
        "config.yaml",
        "checkpoint.pt",
        "checkpoint.before.pt",
        "weights.pt",
        "weights.best.pt",
        "weights.step-10.pt",
        "record.json.damaged",
    ):
        (paths.folder / file).write_bytes(b"x" * 100)
    if record:
        paths.record.write_text("{}")
    return paths


def test_records_curves_and_configs_always_stay(tmp_path: Path) -> None:
    done = run(tmp_path, "a", record=True)
    assert cleanup.remove(cleanup.rubbish(tmp_path, list(cleanup.KINDS))) == 600
    assert sorted(path.name for path in done.folder.iterdir()) == sorted(KEPT)


def test_by_default_unfinished_runs_can_go_on(tmp_path: Path) -> None:
    open_run = run(tmp_path, "a", record=False)
    assert {one.kind for one in cleanup.rubbish(tmp_path)} == {"damaged"}
    cleanup.remove(cleanup.rubbish(tmp_path))
    assert open_run.checkpoint.exists()


def test_a_run_at_work_is_left_alone(tmp_path: Path) -> None:
    paths = run(tmp_path, "a", record=False)
    with lease.take(paths.claim):  # type: ignore[union-attr]
        assert cleanup.rubbish(tmp_path, list(cleanup.KINDS)) == []


def test_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'weights'"):
        cleanup.rubbish(tmp_path, ["weigths"])


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("link", ["runs", "runs/a", "trunks", "trunks/0123456789abcdef", "runs/b/parts-3"])
def test_no_link_is_followed(tmp_path: Path, link: str) -> None:
    outside, results = tmp_path / "outside", tmp_path / "results"
    run(outside / "x", "a", record=True)
    for folder in (outside, outside / "x" / "runs", outside / "x" / "runs" / "a"):
        for name in ("checkpoint.pt", "weights.pt", "step-5.pt", "__0_0.distcp", ".metadata"):
            (folder / name).write_bytes(b"mine")
    before = tree(outside)
    (results / link).parent.mkdir(parents=True)
    (results / link).symlink_to(outside / "x" / "runs" if link == "runs" else outside / "x" / "runs" / "a")
    found = cleanup.search(results, list(cleanup.KINDS))
    assert cleanup.remove(found.files) == 0
    assert found.left == [f"{results / link}: a link"]
    assert tree(outside) == before


def test_a_link_in_a_run_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_text("mine")
    paths = run(tmp_path, "a", record=True)
    paths.weights.unlink()
    paths.weights.symlink_to(tmp_path / "mine.pt")
    found = cleanup.search(tmp_path, ["weights"])
    assert (found.files, found.left) == ([], [f"{paths.weights}: a link"])


def test_only_temporary_names_of_this_package_are_taken(tmp_path: Path) -> None:
    """Names as the writers make them, and names that look alike."""
    paths = run(tmp_path, "a", record=True)
    ours = {files.temporary(paths.record).name, files.temporary(paths.milestone(7)).name}
    fresh = files.temporary(paths.checkpoint, "new")
    ours |= {fresh.name, files.temporary(fresh).name, files.temporary(paths.claim, "over-ab12").name}
    theirs = {
        ".bashrc",
        ".env.new",
        ".notes.12.abcdef",
        ".record.json",
        ".record.json.12.xyz",
        ".record.json.swp",
    }
    theirs |= {"weights.mine.pt", "notes.damaged", "my-checkpoint.pt", "parts-list"}
    for name in ours | theirs:
        (paths.folder / name).write_text("x")
    cleanup.remove(cleanup.rubbish(tmp_path, list(cleanup.KINDS)))
    assert {path.name for path in paths.folder.iterdir()} == theirs | set(KEPT)


def test_parts_and_trunks_go_by_name(tmp_path: Path) -> None:
    paths = run(tmp_path, "a", record=True)
    for folder, names in (
        (paths.checkpoint_parts(3), ("__0_0.distcp", ".metadata", "mine.txt")),
        (tmp_path / "trunks" / "0123456789abcdef", ("step-5.pt", "mine.pt")),
        (tmp_path / "trunks" / "mine", ("step-5.pt",)),
    ):
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text("x")
    cleanup.remove(cleanup.rubbish(tmp_path, ["checkpoints", "trunks"]))
    assert [path.name for path in paths.checkpoint_parts(3).iterdir()] == ["mine.txt"]
    left = {"0123456789abcdef", "0123456789abcdef/mine.pt", "mine", "mine/step-5.pt"}
    assert tree(tmp_path / "trunks") == left


def test_what_cannot_be_removed_is_named_after_the_others(tmp_path: Path) -> None:
    paths = run(tmp_path, "a", record=True)
    found = cleanup.rubbish(tmp_path)
    paths.checkpoint.unlink()
    paths.checkpoint.mkdir()
    with pytest.raises(StorageError, match=rf"{paths.checkpoint} cannot be removed"):
        cleanup.remove(found)
    assert not paths.checkpoint_before.exists()


@pytest.mark.parametrize("sure", [False, True])
def test_the_verb_lists_every_path(tmp_path: Path, sure: bool) -> None:
    paths = run(tmp_path, "a", record=True)
    words = ["clean", "weights", f"--results={tmp_path}", *(["--yes"] if sure else [])]
    said = CliRunner().invoke(app, words).stdout
    assert str(paths.weights) in said
    assert paths.weights.exists() != sure
    assert paths.milestone(10).exists()

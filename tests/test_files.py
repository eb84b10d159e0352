"""Files appear whole or not at all, and a refusal is one sentence."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from scaling import files
from scaling.errors import StorageError, TableError


def test_a_file_appears_whole_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "a.json"
    files.write(path, "é", "the table")
    assert path.read_bytes() == "é".encode()
    files.write(path, b"\x00", "the table", durable=True)
    assert path.read_bytes() == b"\x00"
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")

    def fail() -> None:
        with files.atomic(path, "the table") as file:
            file.write(b"half")
            (hidden,) = [p.name for p in tmp_path.iterdir() if p != path]
            assert hidden.startswith(f".a.{os.getpid()}.")  # `scaling clean` takes hidden files of runs
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "why", "remedy"),
    [
        (errno.ENOSPC, "the disk is full", "free some space and type"),
        (errno.EDQUOT, "the disk quota is used up", "free some space and type"),
        (errno.EACCES, "permission is denied", "choose another folder with --out FILE, or change its perm"),
        (errno.EROFS, "the file system is read-only", "choose another folder with --out FILE and type"),
        (errno.EIO, "input/output error", "look at the disk and type"),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, number: int, why: str, remedy: str) -> None:
    with (
        pytest.raises(StorageError) as caught,
        files.storage(tmp_path / "a", "the fit", option="--out FILE"),
    ):
        raise OSError(number, os.strerror(number))
    sentence = str(caught.value)
    assert sentence.startswith(f"the fit cannot be written to {tmp_path / 'a'}: {why}; nothing that was")
    assert remedy in sentence
    assert "\n" not in sentence


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StorageError, match=r"a file stands where .* with results=FOLDER or SCALING_RESULTS"):
        files.write(tmp_path / "taken" / "a", "", "the plan")


@pytest.mark.parametrize(("durable", "syncs"), [(True, 2), (False, 0)])
def test_file_and_folder_are_synced_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool, syncs: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    files.write(tmp_path / "a", "", "the record", durable=durable)
    assert len(calls) == syncs


def test_an_error_of_the_caller_stays_its_own(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="mine"), files.storage(tmp_path, "the record"):
        raise RuntimeError("mine")


@pytest.mark.parametrize(
    ("text", "part"),
    [("{", "cannot be read as JSON"), ("[]", "holds a list instead of an object"), (None, "cannot")],
)
def test_json_that_is_no_object_is_a_sentence(tmp_path: Path, text: str | None, part: str) -> None:
    path = tmp_path / "fit.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TableError, match=rf"{part}.*; fit again"):
        files.read_json(path, "fit again")
    path.write_text('{"a": 1}')
    assert files.read_json(path, "fit again") == {"a": 1}


def test_a_damaged_file_is_set_aside_over_an_older_one(tmp_path: Path) -> None:
    for text in ("first", "second"):
        (tmp_path / "a.json").write_text(text)
        aside = files.set_aside(tmp_path / "a.json")
    assert aside == tmp_path / "a.json.damaged"
    assert aside.read_text() == "second"
    assert list(tmp_path.iterdir()) == [aside]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    os.mkfifo(path)
    with pytest.raises(TableError, match=r"a\.json cannot be read \(it is a pipe, a socket or a device\)"):
        files.read_json(path, "remove it")
    with pytest.raises(OSError, match="pipe"):
        files.sha256(path)
    with pytest.raises(StorageError, match=r"a\.json is a pipe, .* where a file should be; move it away"):
        files.check_free(path)
    with pytest.raises(StorageError, match="is a folder where a file should be; move it away"):
        files.check_free(tmp_path)
    files.check_free(tmp_path / "absent")


def test_a_refusal_that_a_rust_package_words_is_one_sentence(tmp_path: Path) -> None:
    said = pytest.raises(StorageError, match=r"the model cannot be written to .*: the disk is full; nothing")
    with said, files.storage(tmp_path, "the model"):
        raise Exception("No space left on device (os error 28)")
    with pytest.raises(KeyError), files.storage(tmp_path, "the model"):
        raise KeyError

"""Fetching from a server of our own: right bytes, wrong hash, truncated, no network, moved, mirror only."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from scaling.errors import TableError
from scaling.published.fetch import fetch
from scaling.published.registry import Source, below_fifth_largest_loss, source, sources

TABLE = b"N,loss\n" + b"\n".join(b"%d,%d" % (i, 100 - i) for i in range(2000))


def row(content: bytes = TABLE, **changes: object) -> Source:
    values: dict[str, object] = {
        "name": "example",
        "file": "runs/example.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "repository": "someone/something",
        "commit": "0" * 40,
        "path": "example.csv",
        "licence": "MIT",
        "rows": 2000,
        "paper": "none",
        "verbatim": True,
    }
    return Source(**(values | changes))  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        body = TABLE if "changed" not in self.path else TABLE.replace(b"7", b"8")
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if "truncated" in self.path else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCALING_MIRROR", raising=False)


def sentence(caught: pytest.ExceptionInfo[TableError]) -> str:
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_right_bytes_are_kept_and_not_asked_for_again(server: str, tmp_path: Path) -> None:
    path = fetch(row(), cache=tmp_path, address=f"{server}/table.csv")
    assert path.read_bytes() == TABLE
    before = Handler.asked
    assert fetch(row(), cache=tmp_path, address=f"{server}/table.csv") == path
    assert Handler.asked == before
    path.write_bytes(b"damaged in the cache")
    assert fetch(row(), cache=tmp_path, address=f"{server}/table.csv").read_bytes() == TABLE


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("changed.csv", "has SHA-256 .*its source has changed or the file is damaged"),
        ("truncated.csv", "is incomplete; try again"),
        ("missing.csv", "answered 404; the source has moved"),
    ],
)
def test_a_bad_download_is_one_sentence_and_leaves_nothing(
    server: str, tmp_path: Path, page: str, said: str
) -> None:
    with pytest.raises(TableError, match=said) as caught:
        fetch(row(), cache=tmp_path, address=f"{server}/{page}")
    sentence(caught)
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TableError, match=r"cannot be reached.*go online, or set SCALING_MIRROR") as caught:
        fetch(row(), cache=tmp_path, address=f"http://127.0.0.1:{port}/table.csv")
    sentence(caught)


def test_a_mirror_comes_first_and_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "example.csv").write_bytes(TABLE)
    monkeypatch.setenv("SCALING_MIRROR", str(tmp_path))
    assert fetch(row(), cache=tmp_path / "cache") == tmp_path / "runs" / "example.csv"
    (tmp_path / "runs" / "example.csv").write_bytes(TABLE[:-5])
    with pytest.raises(TableError, match="copy the table to the mirror again"):
        fetch(row(), cache=tmp_path / "cache")
    monkeypatch.setenv("SCALING_MIRROR", str(tmp_path / "absent"))
    with pytest.raises(TableError, match="which is not a folder"):
        fetch(row(), cache=tmp_path / "cache")


def test_a_converted_table_needs_a_mirror_and_says_so(tmp_path: Path) -> None:
    said = r"had to be converted \(rows chosen\); set SCALING_MIRROR to a folder that holds runs/example.csv"
    with pytest.raises(TableError, match=said):
        fetch(row(verbatim=False, changed="rows chosen"), cache=tmp_path)


def test_a_plain_source_is_converted_on_arrival(server: str, tmp_path: Path) -> None:
    kept = below_fifth_largest_loss(TABLE)
    assert len(kept.splitlines()) == 1 + 1995
    made = row(kept, verbatim=False, convert=below_fifth_largest_loss)
    assert fetch(made, cache=tmp_path, address=f"{server}/table.csv").read_bytes() == kept
    other = row(kept, verbatim=False, convert=lambda content: below_fifth_largest_loss(b"x,y\n1,2\n"))
    with pytest.raises(TableError, match="cannot be converted"):
        fetch(other, cache=tmp_path / "again", address=f"{server}/table.csv")


def test_unknown_tables_come_with_the_nearest_names() -> None:
    with pytest.raises(TableError, match="did you mean 'gemstones-hot'"):
        source("gemstone-hot")


def test_every_row_is_pinned_and_says_how_it_differs() -> None:
    for entry in sources().values():
        assert len(entry.sha256) == 64
        assert entry.licence
        assert entry.verbatim != bool(entry.changed), entry.name
        if entry.address:
            assert entry.address.startswith(
                f"https://raw.githubusercontent.com/{entry.repository}/{entry.commit}/"
            )


def test_the_mirror_beside_the_checkout_has_every_registered_table(mirror: Path) -> None:
    for entry in sources().values():
        assert fetch(entry, mirror=mirror).is_file()

"""The hub on a local server: the real library's own requests, streamed and downloaded, JSON and Parquet."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

from .conftest import sentences
from .local_hub import COMMIT, local_hub

CODE = """
import json, sys
from pathlib import Path
from scaling import corpora
from scaling.config import CorpusConfig, parse
corpus = corpora.prepare(parse(CorpusConfig, json.loads(sys.argv[1])), Path(sys.argv[2]))
print(json.dumps([bytes(corpus.train).decode(), bytes(corpus.heldout).decode(), corpus.manifest["source"]]))
"""


@pytest.mark.parametrize(
    ("kind", "streaming"), [pytest.param("parquet", True, marks=pytest.mark.slow), ("jsonl", False)]
)
def test_a_dataset_of_the_hub_at_a_revision(kind: str, streaming: bool, tmp_path: Path) -> None:
    table = pandas.DataFrame({"text": sentences(40)})
    packed = io.BytesIO()
    if kind == "jsonl":
        table.to_json(packed, orient="records", lines=True)
    else:
        table.to_parquet(packed)
    asked = {"name": "far", "source": "hub", "dataset": "owner/name", "split": "train", "revision": COMMIT}
    asked |= {"streaming": streaming, "tokenizer": "bytes", "heldout_fraction": 0.2}
    with local_hub({f"train.{kind}": packed.getvalue()}) as (address, requests):
        own = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "cache"), "NO_PROXY": "127.0.0.1"}
        command = [sys.executable, "-c", CODE, json.dumps(asked), str(tmp_path / "root")]
        environment = {**os.environ, **own, "no_proxy": "127.0.0.1"}
        first = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        count = len(requests)
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert len(requests) == count, "opened again without asking the hub"
    train, held, origin = json.loads(first)
    assert sorted((train + held).split("\0")[:-1]) == sorted(sentences(40))
    assert again == first
    assert "Hugging Face hub: owner/name" in origin
    assert any(f"/resolve/{COMMIT}/train.{kind}" in path for path in requests)

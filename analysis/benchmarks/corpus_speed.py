"""What data costs: tokenisation against the library's own batches, the share of a step that waits for its
batch, and the memory that preparing a corpus takes as the text grows.

    python analysis/benchmarks/corpus_speed.py      # about two minutes

Text is drawn from words of Zipf's frequencies, so that the script needs no corpus. Tokenisation takes turns
with `encode_batch_fast` on the same documents and tokeniser, one thread each, processor time; ours writes too
and hashes. Waiting is for 8 sequences of 64 bytes, over nine tenths of the steps. Memory is the peak of a
fresh process that prepares so many megabytes. Expected: at least 0.9, below 2 %, and flat. Writes
results/bench/corpus_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ["TOKENIZERS_PARALLELISM"] = "false"
BPE = 2048
MEGABYTES = (2, 4, 8, 16)
FAMILIES = (("llama", 0.8), ("llama", 2.0), ("llama", 4.0), ("lstm", 0.8), ("bert", 0.8), ("bert", 2.0))
TEXT = {"name": "text", "source": "files", "document": "line", "tokenizer": "bytes", "heldout_fraction": 0.1}

PREPARE = """\
import resource, sys
from pathlib import Path
from scaling import corpora
from scaling.config import CorpusConfig
options = dict(path=sys.argv[1], document="line")
corpora.prepare(CorpusConfig(name="text", source="files", options=options), Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def lines(megabytes: float, seed: int = 0) -> list[str]:
    """Documents of some 500 words."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    words = ["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(20_000)]
    share = 1 / np.arange(1, len(words) + 1)
    found, size = [], 0
    while size < megabytes * 1e6:
        found.append(" ".join(words[i] for i in rng.choice(len(words), 500, p=share / share.sum())))
        size += len(found[-1])
    return found


def tokenisation(folder: Path, rounds: int) -> dict[str, float]:
    """Ours over the library's, on the same documents."""
    from scaling.corpora.preparing.writing import Stream
    from scaling.corpora.tokenizers import Learned, make

    documents = [line.encode() for line in lines(4)]
    tokenizer = make(f"bpe:{BPE}", documents)
    assert isinstance(tokenizer, Learned)
    texts = [document.decode() for document in documents]
    ours, theirs = [], []
    for _ in range(rounds):
        start = time.process_time()
        tokenizer.library.encode_batch_fast(texts, add_special_tokens=False)
        theirs.append(time.process_time() - start)
        start = time.process_time()
        stream = Stream(folder / "stream", tokenizer)
        for document in documents:
            stream.add(document)
        stream.close()
        ours.append(time.process_time() - start)
    megabytes = sum(map(len, documents)) / 1e6
    return {
        "ours_megabytes_per_second": round(megabytes / min(ours), 2),
        "library_megabytes_per_second": round(megabytes / min(theirs), 2),
        "ratio": round(min(theirs) / min(ours), 3),
        "ratio_median": round(float(np.median(np.array(theirs) / ours)), 3),
    }


def waiting(text: Path, root: Path) -> list[dict[str, Any]]:
    """Share of the time of a training step that its batch takes, as the loop asks for both."""
    import torch

    from scaling import corpora
    from scaling.config import Config, CorpusConfig, parse
    from scaling.training import Cell
    from scaling.training.network import build
    from scaling.training.objectives import make
    from scaling.training.objectives.task import how_many

    torch.set_num_threads(1)
    corpus, found = corpora.prepare(parse(CorpusConfig, TEXT | {"path": str(text)}), root), []
    for name, size in FAMILIES:
        config = {
            "family": {"name": name, "size": size},
            "context": 64,
            "budget": {"tokens": 640 * 8 * 64},
            "recipe": {"name": "fixed", "peak": 0.001, "batch_sequences": 8},
            "seed": 0,
            "evaluation": {"sequences": 8, "points": 0},
        }
        cell = Cell.from_config(parse(Config, config), corpus)
        task, module = make(cell, corpus), build(cell)
        optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)
        waited, whole = 0.0, 0.0
        for step in range(cell.steps):
            start = time.process_time()
            batch = task.training(step)
            middle = time.process_time()
            predictions, targets = task.predict(module, batch)
            (task.losses(predictions, targets).sum() / how_many(task, batch)).backward()
            optimizer.step()
            optimizer.zero_grad()
            if step >= cell.steps // 10:
                waited += middle - start
                whole += time.process_time() - start
        timed = cell.steps - cell.steps // 10
        found.append(
            {
                "family": name,
                "params": cell.counts.params_total,
                "batch_ms": round(waited / timed * 1e3, 4),
                "step_ms": round(whole / timed * 1e3, 3),
                "share": round(waited / whole, 4),
            }
        )
    return found


def memory(folder: Path) -> list[dict[str, float]]:
    """Peak memory of preparing growing texts."""
    found = []
    for megabytes in MEGABYTES:
        text = folder / f"{megabytes}.txt"
        text.write_text("\n".join(lines(megabytes)), encoding="utf-8")
        command = [sys.executable, "-c", PREPARE, str(text), str(folder / f"prepared-{megabytes}")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append({"megabytes": megabytes, "peak_megabytes": round(float(done.stdout), 1)})
    return found


def main() -> None:
    """The three, the file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path, default=Path("results/bench/corpus_speed.json"))
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-speed-") as name:
        folder = Path(name)
        found = {
            "memory": memory(folder),
            "waiting": waiting(folder / f"{MEGABYTES[0]}.txt", folder / f"prepared-{MEGABYTES[0]}"),
            "tokenisation": tokenisation(folder, asked.rounds),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            "load_average_at_the_end": os.getloadavg()[0],
            "command": " ".join(["python analysis/benchmarks/corpus_speed.py", *sys.argv[1:]]),
        }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

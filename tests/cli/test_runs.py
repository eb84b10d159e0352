"""`scaling sample` and `scaling export` on a run trained here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaling import cli


def call(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    quiet = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=cwd, env=quiet, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose results hold one finished run."""
    path = tmp_path_factory.mktemp("runs")
    done = call("scaling.train", "family.size=0.5", "budget.tokens=30000", "evaluation.sequences=8", cwd=path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def typed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`scaling` in this process and that folder: its exit code and what it said."""

    def call_here(*words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["scaling", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return call_here


def test_the_same_seed_writes_the_same_text(folder: Path, typed: Callable[..., tuple[int, str, str]]) -> None:
    words = ("sample", _run(folder), "--prompt", "The ", "--tokens", "20", "--seed", "3", "--json")
    one, two = (json.loads(typed(*words)[1]) for _ in range(2))
    assert one == two
    assert one["text"].startswith("The ")


def test_the_exported_folder_loads_and_generates(
    folder: Path, typed: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, said = typed("export", _run(folder), "exported", "--json")
    assert code == 0, said
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder / "exported")
    tokenizer = AutoTokenizer.from_pretrained(folder / "exported")
    asked = tokenizer("Thé", return_tensors="pt")
    assert asked["input_ids"].tolist() == [list("Thé".encode())]
    written = model.generate(**asked, max_new_tokens=3, do_sample=False)
    assert tokenizer.decode(written[0]).startswith("Thé")
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id == 0


def test_an_exported_folder_is_what_a_harness_takes(folder: Path) -> None:
    """lm-eval's own rolling likelihood of a text is ours, nat by nat."""
    huggingface = pytest.importorskip("lm_eval.models.huggingface", reason="lm-eval is not installed")
    import torch
    from lm_eval.api.instance import Instance
    from transformers import AutoModelForCausalLM

    assert call("scaling", "export", _run(folder), "harnessed", cwd=folder).returncode == 0
    text = "The naïve people of the States."
    harness = huggingface.HFLM(pretrained=str(folder / "harnessed"), device="cpu", dtype="float32")
    asked = Instance(request_type="loglikelihood_rolling", doc={}, arguments=(text,), idx=0)
    tokens = torch.tensor([[0, *text.encode()]])
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(folder / "harnessed")(tokens).logits[0, :-1]
    expected = logits.log_softmax(-1).gather(1, tokens[0, 1:, None]).sum()
    assert harness.loglikelihood_rolling([asked])[0] == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sample", "zzz"), "fits no run"),
        (("sample", "", "--temperature", "-1"), "temperature is -1"),
        (("sample", "", "--top-p", "2"), "--top-p is 2"),
    ],
)
def test_mistakes_end_in_one_sentence(
    words: tuple[str, ...], sentence: str, typed: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, said = typed(*words)
    assert code == 2
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def _run(folder: Path) -> str:
    return next(path.name for path in (folder / "results" / "runs").iterdir())

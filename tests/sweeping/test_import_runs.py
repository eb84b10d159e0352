"""Runs from elsewhere: what is taken, what is asked for, what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.sweeping import import_runs


def read(
    path: Path, kind: str | None = None, names: dict[str, str] | None = None, **values: str
) -> list[dict]:
    return import_runs.read([path], kind=kind, names=names or {}, values=values)[0]


def test_a_table_with_names_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("model,N,D,val_loss\na,1000,20000,3.5\nb,2000,40000,3.1\n")
    rows = read(path, names={"params": "N", "tokens": "D", "loss": "val_loss", "family": "model"})
    assert [(row["params"], row["tokens"], row["loss"]) for row in rows] == [
        (1000, 20000, 3.5),
        (2000, 40000, 3.1),
    ]
    saved = import_runs.save(rows, tmp_path / "results" / "mine")
    assert set(pd.read_parquet(saved).family) == {"a", "b"}
    with pytest.raises(TableError, match="exists already"):
        import_runs.save(rows, tmp_path / "results" / "mine")


def test_what_is_missing_is_asked_for_by_name(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("N,loss\n1000,3.5\n")
    with pytest.raises(TableError, match=r"has no tokens; .*--name tokens=NAME, .*--set tokens=VALUE"):
        read(path, names={"params": "N"}, family="x")


def test_a_row_without_an_end_is_named(tmp_path: Path) -> None:
    source = tmp_path / "export.csv"
    source.write_text("n,tokens,val/loss\n1e6,2e7,3.0\n2e6,4e7,\n")
    names = {"params": "n", "loss": "val/loss"}
    with pytest.raises(TableError, match=r"row 2 has no value in 'val/loss' for loss.*leave that row out"):
        import_runs.read([source], kind=None, names=names, values={"family": "llama"})


def test_nanochat_needs_bytes_per_token_for_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        "flops_budget,depth,model_dim,num_params,num_scaling_params,num_iterations,tokens_trained,param_data_ratio,"
        "val_bpb,core_score,train_time_sec\n1e18,8,512,41943040,30000000,1000,524288000,17.5,1.05,0.08,300\n"
    )
    with pytest.raises(TableError, match="bytes_per_token"):
        read(path, family="nanochat")
    (row,) = read(path, family="nanochat", bytes_per_token="4.5")
    assert row["loss"] == pytest.approx(1.05 * math.log(2) * 4.5)
    assert (row["budget_flops"], row["width"], row["seconds"]) == (1e18, 512, 300)


def test_a_trainer_state(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    history = [{"loss": 5.0, "step": 1}, {"eval_loss": 4.0, "step": 5}, {"eval_loss": 3.5, "step": 10}]
    path.write_text(
        json.dumps(
            {"log_history": history, "global_step": 10, "num_input_tokens_seen": 8000, "total_flos": 1e9}
        )
    )
    (row,) = read(path, family="opt", params="125000000")
    assert (row["loss"], row["steps"], row["tokens"], row["flops"]) == (3.5, 10, 8000, None)
    path.write_text("{}")
    with pytest.raises(TableError, match="not a trainer_state"):
        read(path, family="opt")


def test_a_wandb_run_folder(tmp_path: Path) -> None:
    files = tmp_path / "run-1" / "files"
    files.mkdir(parents=True)
    (files / "wandb-summary.json").write_text(json.dumps({"val/loss": 3.2, "tokens": 1e6, "_step": 4}))
    (files / "config.yaml").write_text("lr:\n  value: 0.01\nn_params:\n  value: 5000\n")
    names = {
        "loss": "summary.val/loss",
        "tokens": "summary.tokens",
        "params": "config.n_params",
        "learning_rate": "config.lr",
    }
    (row,) = read(tmp_path / "run-1", names=names, family="gpt")
    assert (row["loss"], row["params"], row["learning_rate"]) == (3.2, 5000, 0.01)


@pytest.mark.slow
def test_a_wandb_run_that_was_never_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = wandb.init(mode="offline", dir=str(tmp_path), config={"n_params": 5000})
    folder = Path(run.dir).parent
    run.log({"loss": 3.0})
    run.finish()
    with pytest.raises(TableError, match=r"offline W&B run.*wandb sync.*CSV"):
        read(folder, family="gpt")


def test_event_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_scalar("eval/loss", 4.0 - step, step)
    (row,) = read(tmp_path / "run", names={"loss": "eval/loss"}, family="x", params="10", tokens="100")
    assert row["loss"] == 2.0


@pytest.mark.parametrize("value", ["", "nan", "-1", "many"])
def test_a_loss_that_cannot_be(tmp_path: Path, value: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"family,params,tokens,loss\nx,10,100,{value}\n")
    with pytest.raises(TableError, match="loss"):
        read(path)


def test_an_unknown_column_or_kind(tmp_path: Path) -> None:
    path = tmp_path / "runs.log"
    path.write_text("x")
    with pytest.raises(TableError, match="the kind of"):
        read(path)
    with pytest.raises(TableError, match="did you mean 'params'"):
        read(path, names={"param": "N"})
    with pytest.raises(TableError, match="did you mean 'table'"):
        read(path, kind="tabel")

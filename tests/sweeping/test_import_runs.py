"""Runs from elsewhere: what is taken, what is asked for, what is refused."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.sweeping import import_programs, import_runs


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


def test_a_run_id_of_several_rows_is_refused_before_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("family,params,tokens,loss\na,1000,20000,3.5\na,2000,40000,3.1\n")
    with pytest.raises(TableError, match="the run_id 'x' stands in several rows"):
        read(path, run_id="x")


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


@pytest.mark.parametrize(
    ("history", "state", "row", "note"),
    [
        ([(5, 3.2), (8, 3.1)], {}, {"loss": 3.1, "steps": 8}, "was last evaluated at step 8 of 10"),
        (
            [(5, 3.0), (10, 3.4)],
            {"best_metric": 3.0},
            {"loss": 3.4, "tokens": 800},
            "best evaluation .* is 3;",
        ),
        ([(5, 3.2), (10, 3.1, 777)], {"num_input_tokens_seen": 0}, {"loss": 3.1, "tokens": 777}, None),
    ],
)
def test_a_trainer_state_describes_one_moment(
    tmp_path: Path, history: list[tuple], state: dict, row: dict, note: str | None
) -> None:
    names = ("step", "eval_loss", "num_input_tokens_seen")
    log = [dict(zip(names, entry, strict=False)) for entry in history] + [{"step": 10, "train_loss": 2.0}]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"global_step": 10, "num_input_tokens_seen": 800, "log_history": log} | state))
    found, notes = import_programs.trainer(path)
    assert found == {"steps": 10} | row
    assert (note is None and notes == []) or re.search(note or "", notes[0])


def test_an_evaluation_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    log = [{"step": 5, "eval_loss": 3.2}, {"step": 10, "eval_loss": math.nan}]
    path.write_text(json.dumps({"global_step": 10, "log_history": log}))
    with pytest.raises(TableError, match="at step 10, has the loss nan"):
        read(path, family="opt", params="10", tokens="100")
    path.write_text(json.dumps({"global_step": 10, "num_input_tokens_seen": 8, "log_history": log[:1]}))
    with pytest.raises(TableError, match=r"has no tokens; .*was last evaluated at step 5 of 10"):
        read(path, family="opt", params="10")


def test_runs_that_did_not_end_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("Name,State,params,tokens,loss\na,finished,1e3,2e4,3\nb,crashed,1e3,3e4,2\n")
    rows, notes = import_runs.read([path], kind=None, names={"status": "State"}, values={"family": "x"})
    assert [(row["loss"], row["status"]) for row in rows] == [(3, "done")]
    assert notes == ["1 of 2 runs are not done and are left out"]


def test_tags_of_a_config_construct_nothing(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "wandb-summary.json").write_text(json.dumps({"loss": {"min": 3.21}}))
    canary = tmp_path / "canary"
    config = files / "config.yaml"
    config.write_text(
        f"betas:\n  value: !!python/tuple [0.9, 0.95]\nrun: !!python/object/apply:os.mkdir ['{canary}']\n"
        "size:\n  value: {params: !!python/object:os.stat_result 5000}\n"
    )
    (row,) = read(
        tmp_path,
        names={"loss": "summary.loss.min", "params": "config.size.value.params"},
        family="x",
        tokens="9",
    )
    assert (row["loss"], row["params"]) == (3.21, 5000)
    assert not canary.exists()
    for text, said in (("a: [", "cannot be read as YAML"), ("- a", "is not a W&B config")):
        config.write_text(text)
        with pytest.raises(TableError, match=said) as caught:
            read(tmp_path, family="x")
        assert "\n" not in str(caught.value)
    (files / "wandb-summary.json").write_text("[1]")
    with pytest.raises(TableError, match="is not a W&B summary"):
        read(tmp_path, family="x")


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


@pytest.mark.parametrize("loss", ["1e300", "1e-300"])
def test_a_loss_that_no_run_can_have_is_refused(tmp_path: Path, loss: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"params,tokens,loss\n1e6,1e8,3.1\n1e6,2e8,{loss}\n")
    with pytest.raises(TableError, match=r"row 2 has .* for 'loss', .* leave that row out with --where"):
        read(path, family="x")


@pytest.mark.parametrize(
    ("names", "values", "said"),
    [
        ({}, {"family": "x", "seed": "1.5"}, "--set seed=1.5 is not a whole number"),
        ({}, {"family": "x", "git_dirty": "maybe"}, "holds 'maybe'; write true or false"),
        ({"family": "params"}, {"family": "x"}, "--name and --set both give family"),
    ],
)
def test_a_value_for_all_rows_is_not_bent(
    tmp_path: Path, names: dict[str, str], values: dict[str, str], said: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("params,tokens,loss\n10,20,3\n30,40,2\n")
    with pytest.raises(TableError, match=said):
        import_runs.read([path], kind=None, names=names, values=values)

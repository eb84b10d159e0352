"""Diverged cells again at a lower rate: which runs, how often, and the same ones at every call."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling.errors import ConfigError
from scaling.sweeping import rescue
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning import planner as plans
from scaling.sweeping.planning.cells import prepare
from scaling.sweeping.planning.combinations import split
from scaling.training import record
from tests.sweeping.test_ledger import leave

ASKED = ("sweep.budgets=[2e8]", "sweep.rescue={factor: 0.5, times: 2}")


@pytest.fixture
def tiny(folder: Path):  # type: ignore[no-untyped-def]
    """The plan of two cells that asks for rescues, and what composes its cells."""
    with configs.hydra("tiny") as (engine, name):
        compose = configs.composer(engine.config_loader, configs.master(engine, name, ASKED))
        yield plans.plan(compose, split(ASKED)), compose


def test_a_diverged_cell_is_tried_again_as_a_run_of_its_own(tiny) -> None:  # type: ignore[no-untyped-def]
    plan, compose = tiny
    fallen, other = plan.run_ids
    more = rescue.rescued(plan, {fallen: "diverged", other: "done"}, compose)
    (new,) = [cell for cell in more.cells if cell.run_id not in plan.run_ids]
    (old,) = [cell for cell in plan.cells if cell.run_id == fallen]
    assert new.rescues == fallen
    assert new.row["learning_rate"] == pytest.approx(old.row["learning_rate"] / 2, rel=1e-5)
    assert {k: v for k, v in new.row.items() if k not in ("run_id", "learning_rate")} == {
        k: v for k, v in old.row.items() if k not in ("run_id", "learning_rate")
    }
    assert prepare(compose(new.overrides))[0].run_id == new.run_id, "a launcher makes the same run of it"
    (line,) = rescue.sentences(more, set(plan.run_ids))
    assert fallen in line
    assert new.run_id in line


def test_tries_end_and_records_alone_decide(tiny, folder: Path) -> None:  # type: ignore[no-untyped-def]
    """Each try diverges in its turn: two of them, halving, found again by whoever looks."""
    plan, compose = tiny
    fallen = plan.run_ids[0]
    rates = [plan.cells[0].row["learning_rate"]]
    for tries in range(4):
        now, statuses = rescue.standing(plan, compose)
        again, _ = rescue.standing(plan, compose)
        assert now.run_ids == again.run_ids
        assert len(now.cells) - len(plan.cells) == min(tries, 2)
        newest = now.cells[-1] if tries else plan.cells[0]
        if newest.run_id not in statuses:
            science = {name: newest.row[name] for name in record.SCIENCE}
            leave(folder / "results", newest.run_id, status="diverged", loss=None, **science)
            rates.append(newest.row["learning_rate"])
    assert rates[1:] == pytest.approx([rates[0], rates[0] / 2, rates[0] / 4], rel=1e-4)
    assert now.cells[-1].rescues == now.cells[-2].run_id
    assert now.cells[-2].rescues == fallen


def test_nothing_is_rescued_unasked(tiny) -> None:  # type: ignore[no-untyped-def]
    import dataclasses

    plan, compose = tiny
    plan = dataclasses.replace(plan, rescue=None)
    assert rescue.rescued(plan, dict.fromkeys(plan.run_ids, "diverged"), compose) is plan


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{factor: 2, times: 1}", "must be below 1"),
        ("{factor: 0.5}", "sweep.rescue.times is not set"),
        ("{factor: 0.5, tries: 1}", "did you mean 'times'"),
        ("0.5", "write sweep.rescue: {factor"),
    ],
)
def test_a_rescue_that_cannot_be(folder: Path, given: str, words: str) -> None:
    arguments = [f"sweep.rescue={given}"]
    with configs.hydra("tiny") as (engine, name):
        compose = configs.composer(engine.config_loader, configs.master(engine, name, arguments))
        with pytest.raises(ConfigError, match=words):
            plans.plan(compose, split(arguments))

"""The one loop: batch, forward, backward, clip, step; and what is noted down on the way."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Generator

import numpy as np
import torch
from torch import Tensor, nn

from scaling.errors import Diverged
from scaling.tables.schema import CurveRow
from scaling.training.cell import Cell
from scaling.training.compression.training import prune
from scaling.training.evaluation import SEQUENCES_AT_ONCE, THINNING, Evaluation, Precision, evaluate
from scaling.training.hardware.sharding import travelling
from scaling.training.hardware.team import SOLO, Team
from scaling.training.objectives import Task
from scaling.training.objectives.task import how_many, part
from scaling.training.optimization.optimizers import Optimizers
from scaling.training.optimization.schedules import schedule

EXPLODED = 2.0
"""A run has exploded when its loss, averaged over WINDOW steps, is more than so many times its first loss."""
WINDOW = 16
"""Losses are fetched from the device so many at a time: fetching each would stall an accelerator at every
step."""
CURVE_POINTS = 200
"""Rows of the training curve, evenly spaced, beside those of the evaluations."""


@dataclasses.dataclass(kw_only=True)
class State:
    """Everything that moves during a run besides weights, optimiser and random generator."""

    step: int = 0
    """Steps taken; also the position in the data, since a batch is a function of (seed, step)."""
    inherited: int = 0
    """Steps of these that a trunk took."""
    seconds_training: float = 0.0
    """Over all continuations."""
    seconds_evaluating: float = 0.0
    """Over all continuations."""
    joules: float | None = None
    """Of the accelerator, over all continuations, where it counts them."""
    rows: list[CurveRow] = dataclasses.field(default_factory=list)
    """The curve so far."""
    losses: list[float] = dataclasses.field(default_factory=list)
    """Training losses since the last row."""
    window: list[float] = dataclasses.field(default_factory=list)
    """The last losses that were fetched, at most WINDOW."""
    tail: list[float] = dataclasses.field(default_factory=list)
    """Training losses of the last twentieth of the steps."""
    first_loss: float | None = None
    """Training loss of step 0."""
    best: float | None = None
    """Lowest held-out loss on the way."""
    waited: int = 0
    """Evaluations since then."""
    stopped: bool = False
    """Early stopping ended it."""

    def spend(self, joules: float | None) -> None:
        """Add the energy of the steps since the last call; None where nobody counts it."""
        if joules is not None:
            self.joules = (self.joules or 0.0) + joules

    @property
    def improved(self) -> bool:
        """Whether the step before now was evaluated, with the lowest held-out loss so far."""
        if not self.rows or self.rows[-1].step != self.step:
            return False
        loss = self.rows[-1].loss
        return loss is not None and loss == self.best


@dataclasses.dataclass(kw_only=True)
class Trainer:
    """A cell with everything that its loop works on."""

    cell: Cell
    module: nn.Module
    task: Task
    optimizers: Optimizers
    heldout: dict[str, Tensor]
    """The evaluation batch, on the device."""
    precision: Precision
    micro_batch: int
    """Sequences held at once; gradients add up to those of the whole batch."""
    team: Team = SOLO
    """The processes that share the run."""
    headless: nn.Module | None = None
    """The module without its last product, where the loss is computed in chunks."""
    shared: nn.Module | None = None
    """What predicts, with gradients averaged over the team; None for a team of one."""
    state: State = dataclasses.field(default_factory=State)
    scaler: torch.amp.GradScaler | None = None
    """For float16 alone, whose small gradients would vanish."""
    pending: list[Tensor] = dataclasses.field(default_factory=list)
    """Losses of steps taken that still lie on the device."""

    @property
    def predictor(self) -> nn.Module:
        """What a batch goes through."""
        return self.module if self.headless is None else self.headless

    def gradients(self, step: int) -> Tensor:
        """The gradient of step's whole batch, left in the parameters; returns the mean loss over its
        targets. In a team: the gradient likewise, and of the loss what our part of the batch adds to it."""
        h, team = self.cell.hyperparameters, self.team
        module = self.predictor if self.shared is None else self.shared
        batch = self.task.training(step)
        scale = 1.0 / max(how_many(self.task, batch), 1)
        batch = self.precision.move(team.part(batch, h.batch_sequences) if team.size > 1 else batch)
        ours = h.batch_sequences // team.size
        total: Tensor | None = None
        for first in range(0, ours, self.micro_batch):
            some = part(batch, first, min(first + self.micro_batch, ours))
            with travelling(self.shared, last=first + self.micro_batch >= ours):
                total = self.learn(module, some, scale, total)
        assert total is not None
        return total

    def learn(self, module: nn.Module, some: dict[str, Tensor], scale: float, total: Tensor | None) -> Tensor:
        """Adds the gradient of some sequences; returns `total` with their loss, which weighs `scale`."""
        h = self.cell.hyperparameters
        with self.precision.autocast():
            predictions, targets = self.task.predict(module, some)
        loss = scale * self.task.losses(predictions, targets, smoothing=h.label_smoothing).sum()
        # a module's own loss (routed experts balance theirs) is learnt from and not reported; it is a mean
        # over sequences, so each part weighs what it is of the batch
        auxiliary = getattr(self.module, "auxiliary_loss", None)
        goal = loss if auxiliary is None else loss + auxiliary * len(some["targets"]) / h.batch_sequences
        if self.team.size > 1:
            goal = goal * self.team.size  # which the average over the team takes back
        (goal if self.scaler is None else self.scaler.scale(goal)).backward()
        return loss.detach() if total is None else total + loss.detach()

    def update(self) -> Tensor:
        """Clips, steps, drops the gradients; returns the gradient's norm before clipping."""
        h = self.cell.hyperparameters
        if self.scaler is None:
            norm = self.optimizers.clip(h.clip)
            self.optimizers.step()
        else:
            for optimizer in self.optimizers.parts:
                self.scaler.unscale_(optimizer)
            norm = self.optimizers.clip(h.clip)
            for optimizer in self.optimizers.parts:
                self.scaler.step(optimizer)
            self.scaler.update()
        self.optimizers.zero()
        return norm

    def fetch(self) -> None:
        """Brings the pending losses from the device into the state.

        Raises Diverged for the first that is not finite, or with which the run has exploded.
        """
        if not self.pending:
            return
        losses = self.team.sum(torch.stack(self.pending)).tolist()
        self.pending.clear()
        state, tail = self.state, self.cell.steps - max(1, self.cell.steps // 20)
        for step, loss in enumerate(losses, start=state.step - len(losses)):
            if state.first_loss is None:
                state.first_loss = loss
            if not math.isfinite(loss):
                raise Diverged(f"the loss was {loss} at step {step}")
            state.window = [*state.window[1 - WINDOW :], loss]
            mean = math.fsum(state.window) / len(state.window)
            if len(state.window) == WINDOW and mean > EXPLODED * state.first_loss:
                raise Diverged(
                    f"the loss exploded: {mean:.3g} over the {WINDOW} steps before step {step}, "
                    f"{state.first_loss:.3g} at the start"
                )
            state.losses.append(loss)
            if step >= tail:
                state.tail.append(loss)

    def evaluate(self, *, thin: int = 1, measures: bool = False) -> Evaluation:
        """The held-out loss now, on every `thin`-th sequence."""
        started = time.perf_counter()
        batch = {name: tensor[::thin] for name, tensor in self.heldout.items()}
        # where memory ran out in training, evaluation is as careful
        short = self.micro_batch < self.cell.hyperparameters.batch_sequences // self.team.size
        evaluation = evaluate(
            self.predictor,
            self.task,
            batch,
            precision=self.precision,
            at_once=self.micro_batch if short else SEQUENCES_AT_ONCE,
            measures=measures,
            team=self.team,
        )
        self.state.seconds_evaluating += time.perf_counter() - started
        return evaluation


def train(trainer: Trainer, *, pause: Callable[[], None]) -> None:
    """Trains from the state's step to the last, calling `pause` after every step (heartbeat, checkpoint,
    signals).

    Between two steps nothing is in flight, so a checkpoint taken in `pause` continues to the same bit.

    Raises Diverged with the step when the loss is not finite or has exploded.
    """
    loop, loss = steps(trainer, pause=pause), None
    while True:
        try:
            loop.send(loss)
        except StopIteration:
            return
        started = time.perf_counter()
        loss = trainer.gradients(trainer.state.step)
        trainer.state.seconds_training += time.perf_counter() - started


def steps(trainer: Trainer, *, pause: Callable[[], None]) -> Generator[None, Tensor | None, None]:
    """The loop without its gradients: it stops wherever it needs those of a step, in the parameters, and is
    sent the step's loss. Raises as `train`.
    """
    cell, state = trainer.cell, trainer.state
    h = cell.hyperparameters
    rate = schedule(
        h.schedule,
        steps=cell.steps,
        warmup_steps=cell.warmup_steps,
        decay_steps=cell.decay_steps,
        final_fraction=h.final_fraction,
    )
    evaluations = evaluation_steps(cell)
    rows = evaluations | curve_steps(cell)
    trainer.module.train()
    while state.step < cell.steps and not state.stopped:
        loss = yield
        assert loss is not None
        started = time.perf_counter()
        learning_rate = h.learning_rate * rate(state.step)
        trainer.optimizers.set_learning_rate(learning_rate)
        trainer.pending.append(loss)
        norm = trainer.update()
        state.step += 1
        if cell.compression is not None:
            prune(trainer.module, cell.compression, step=state.step, steps=cell.steps)
        noting = state.step in rows
        if noting or len(trainer.pending) == WINDOW:
            trainer.fetch()
        state.seconds_training += time.perf_counter() - started
        if noting:
            held = trainer.evaluate(thin=THINNING).loss if state.step in evaluations else None
            note(state, cell, learning_rate=learning_rate, norm=float(norm), held=held)
        pause()


def note(state: State, cell: Cell, *, learning_rate: float, norm: float, held: float | None) -> None:
    """Adds a row to the curve, and stops the run when the held-out loss has not improved for too long."""
    tokens = state.step * cell.batch_tokens
    mean = math.fsum(state.losses) / len(state.losses) if state.losses else None
    flops = tokens * cell.flops_per_token
    state.rows.append(
        CurveRow(
            step=state.step,
            tokens=tokens,
            flops=flops,
            loss_train=mean,
            learning_rate=learning_rate,
            gradient_norm=norm,
            loss=held,
        )
    )
    state.losses.clear()
    if held is None:
        return
    if state.best is None or held < state.best:
        state.best, state.waited = held, 0
    else:
        state.waited += 1
        state.stopped = 0 < cell.hyperparameters.patience <= state.waited


def evaluation_steps(cell: Cell) -> set[int]:
    """Steps after which the held-out loss is measured on the way: evenly in logs from a hundredth of the
    run."""
    points, last = cell.evaluation_points, cell.steps
    if points < 1:
        return set()
    first = max(1.0, last / 100)
    logs = np.linspace(math.log(first), math.log(last), points + 1)[:-1]
    return {round(math.exp(x)) for x in logs} - {last}


def curve_steps(cell: Cell) -> set[int]:
    """Steps after which the curve gets a row: CURVE_POINTS evenly, and the last."""
    return {round(x) for x in np.linspace(0, cell.steps, min(CURVE_POINTS, cell.steps) + 1)[1:]}

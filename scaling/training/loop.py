"""Train a model: batch, forward, backward, clip, step, and the loss curve."""

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
from scaling.training.cell import THINNING, Cell
from scaling.training.compression.training import prune
from scaling.training.evaluation import SEQUENCES_AT_ONCE, Evaluation, Precision, evaluate
from scaling.training.hardware.sharding import travelling
from scaling.training.hardware.team import SOLO, Team
from scaling.training.objectives import Task
from scaling.training.objectives.task import how_many, part
from scaling.training.optimization.optimizers import Optimizers
from scaling.training.optimization.schedules import schedule

EXPLODED = 2.0
"""A run has diverged when its mean loss over WINDOW steps is more than this multiple of its first loss."""
WINDOW = 16
"""Largest number of steps between copies of losses from the device (a copy at every step would stall an
accelerator), and number of losses in the mean that detects divergence."""
CURVE_POINTS = 200
"""Number of evenly spaced rows of the training curve; evaluations add further rows."""


@dataclasses.dataclass(kw_only=True)
class State:
    """The state of a run besides weights, optimiser and random generators."""

    step: int = 0
    """Number of steps taken; also the position in the data, since a batch is a function of (seed, step)."""
    inherited: int = 0
    """Number of those steps that the shared trunk took."""
    seconds_training: float = 0.0
    """Seconds of training, over all continuations."""
    seconds_evaluating: float = 0.0
    """Seconds of evaluation, over all continuations."""
    joules: float | None = None
    """Energy of the accelerator over all continuations; None if it is not measured."""
    rows: list[CurveRow] = dataclasses.field(default_factory=list)
    """Rows of the curve so far."""
    losses: list[float] = dataclasses.field(default_factory=list)
    """Training losses since the last row."""
    window: list[float] = dataclasses.field(default_factory=list)
    """The last training losses, at most WINDOW."""
    tail: list[float] = dataclasses.field(default_factory=list)
    """Training losses of the last twentieth of the steps."""
    first_loss: float | None = None
    """Training loss of step 0."""
    best: float | None = None
    """Lowest held-out loss so far."""
    waited: int = 0
    """Number of evaluations since `best`."""
    stopped: bool = False
    """Whether early stopping ended the run."""

    def spend(self, joules: float | None) -> None:
        """Add the energy of the steps since the last call; None if it is not measured."""
        if joules is not None:
            self.joules = (self.joules or 0.0) + joules

    @property
    def improved(self) -> bool:
        """Whether the last step was evaluated and has the lowest held-out loss so far."""
        if not self.rows or self.rows[-1].step != self.step:
            return False
        loss = self.rows[-1].loss
        return loss is not None and loss == self.best


@dataclasses.dataclass(kw_only=True)
class Trainer:
    """The objects that the training loop of a cell needs."""

    cell: Cell
    module: nn.Module
    task: Task
    optimizers: Optimizers
    heldout: dict[str, Tensor]
    """The evaluation batch, on the device."""
    precision: Precision
    micro_batch: int
    """Sequences of one forward pass; the gradients of all of them add up to that of the batch."""
    team: Team = SOLO
    """Processes of the run."""
    headless: nn.Module | None = None
    """Module without its output layer, if the loss is computed in chunks; else None."""
    shared: nn.Module | None = None
    """Module that averages gradients over the team; None for one process."""
    state: State = dataclasses.field(default_factory=State)
    scaler: torch.amp.GradScaler | None = None
    """Loss scaler of float16, without which small gradients underflow; else None."""
    pending: list[Tensor] = dataclasses.field(default_factory=list)
    """Training losses that are still on the device."""

    @property
    def predictor(self) -> nn.Module:
        """Module of the forward pass."""
        return self.module if self.headless is None else self.headless

    def gradients(self, step: int) -> Tensor:
        """Set the gradient of the batch of a step and return its mean loss over the targets.

        In a team, the gradient is that of the whole batch; the loss is this process's share of the mean.
        """
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
        """Add the gradient of some sequences; return `total` plus `scale` times their summed loss."""
        h = self.cell.hyperparameters
        with self.precision.autocast():
            predictions, targets = self.task.predict(module, some)
        loss = scale * self.task.losses(predictions, targets, smoothing=h.label_smoothing).sum()
        # an auxiliary loss, such as the load balancing of experts, is trained on but not reported; it is a
        # mean over sequences, so it is weighted by the part's share of the batch
        auxiliary = getattr(self.module, "auxiliary_loss", None)
        goal = loss if auxiliary is None else loss + auxiliary * len(some["targets"]) / h.batch_sequences
        if self.team.size > 1:
            goal = goal * self.team.size  # the average over the team divides by it
        (goal if self.scaler is None else self.scaler.scale(goal)).backward()
        return loss.detach() if total is None else total + loss.detach()

    def update(self) -> Tensor:
        """Clip the gradient, take a step, drop the gradient; return its norm before clipping."""
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
        """Copy the pending losses from the device into the state.

        Raises Diverged for a loss that is not finite, or if the mean of the last WINDOW losses exceeds
        EXPLODED times the first loss.
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
        """Return the evaluation of every `thin`-th held-out sequence."""
        started = time.perf_counter()
        batch = {name: tensor[::thin] for name, tensor in self.heldout.items()}
        # after training ran out of memory, evaluation uses the smaller micro-batch too
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
    """Train from the state's step to the last step.

    `pause` is called after every step, for the heartbeat, checkpoints and signals. The step is complete then,
    so a run continued from a checkpoint of `pause` is bitwise equal to an uninterrupted one.

    Raises Diverged, as `Trainer.fetch` does.
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
    """Run the loop without computing gradients.

    The generator yields when it needs the gradient of the next step. The caller sets it in the parameters and
    sends the loss. Raises Diverged, as `train` does.
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
    """Add a row to the curve; stop the run if the last `patience` evaluations brought no lower loss."""
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
    """Return the steps of evaluations, evenly spaced in logs from 1 % of the run, without the last step."""
    points, last = cell.evaluation_points, cell.steps
    if points < 1:
        return set()
    first = max(1.0, last / 100)
    logs = np.linspace(math.log(first), math.log(last), points + 1)[:-1]
    return {round(math.exp(x)) for x in logs} - {last}


def curve_steps(cell: Cell) -> set[int]:
    """Return the steps with a row of the curve: CURVE_POINTS of them, evenly spaced, up to the last step."""
    return {round(x) for x in np.linspace(0, cell.steps, min(CURVE_POINTS, cell.steps) + 1)[1:]}

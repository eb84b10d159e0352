"""Fetch the batches of several steps at once; for small batches one call per step would cost too much."""

from __future__ import annotations

from collections.abc import Callable

from scaling.training.objectives.task import Batch, part

_TOKENS = 1 << 15
"""Number of tokens to fetch at once: a few hundred kilobytes."""
_STEPS = 32


class Ahead:
    """A cache that fetches the batches of several steps with one call of `make`.

    Args:
        make: (first, steps) → the batches of the steps first … first + steps − 1, concatenated along the
            first axis.
        sequences: sequences of one batch.
        tokens: tokens of one sequence.
    """

    def __init__(self, make: Callable[[int, int], Batch], *, sequences: int, tokens: int) -> None:
        self.make, self.sequences = make, sequences
        self.steps = min(max(_TOKENS // (sequences * tokens), 1), _STEPS)
        self.first: int | None = None
        self.held: Batch = {}

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step."""
        place = step % self.steps
        if self.first != step - place:
            self.first = step - place
            self.held = self.make(self.first, self.steps)
        return part(self.held, place * self.sequences, (place + 1) * self.sequences)

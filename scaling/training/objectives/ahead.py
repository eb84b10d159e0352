"""Batches of several steps in one go: at small batches a call costs more than the text that it fetches."""

from __future__ import annotations

from collections.abc import Callable

from scaling.training.objectives.task import Batch, part

_TOKENS = 1 << 15
"""As many as are fetched at once, where a batch is smaller: a few hundred kilobytes."""
_STEPS = 32


class Ahead:
    """The batches of `make`, the same to the bit, fetched for some steps beyond the one asked for.

    Args:
        make: (first, steps) → the batches of the steps first … first + steps − 1, one after another along
        the first axis.
        sequences: of a batch.
        tokens: of a sequence.
    """

    def __init__(self, make: Callable[[int, int], Batch], *, sequences: int, tokens: int) -> None:
        self.make, self.sequences = make, sequences
        self.steps = min(max(_TOKENS // (sequences * tokens), 1), _STEPS)
        self.first: int | None = None
        self.held: Batch = {}

    def __call__(self, step: int) -> Batch:
        """The batch of one step."""
        place = step % self.steps
        if self.first != step - place:
            self.first = step - place
            self.held = self.make(self.first, self.steps)
        return part(self.held, place * self.sequences, (place + 1) * self.sequences)

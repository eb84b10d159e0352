"""Define the LSTM language model as a family: dial and counts without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from scaling.families.counts import Counts
from scaling.families.decoder.switches import PRESETS
from scaling.families.dial import check_size, dial_params
from scaling.families.recurrent.switches import LSTMSwitches
from scaling.families.shape import Shape, check_switches

if TYPE_CHECKING:
    from scaling.families.recurrent.module import LSTM

SIZES = (0.25, 128.0)
"""The dial's range: about 3 thousand to 10 billion parameters on bytes."""


def lstm_params(depth: int, width: int, vocab: int, *, tied: bool) -> dict[str, int]:
    """Return the parameters by component.

    Each of the four gates has an input matrix, a recurrent matrix and the two biases of torch.
    """
    return {
        "embedding": vocab * width,
        "other": depth * (8 * width * width + 8 * width),
        "head": 0 if tied else vocab * width,
    }


@dataclass(frozen=True, kw_only=True)
class LSTMFamily:
    """A causal language model whose only memory is the state of its LSTM layers."""

    lstm: LSTMSwitches
    """Switches of the LSTM."""
    name: str = "lstm"
    """The name in a config."""
    objective: str = "causal"
    """Next-token prediction."""
    dial: str = "N of the decoder of the same size; one layer per 2 of size, at most 4"
    """How the shape grows with size."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""
    source: str = "doi:10.1162/neco.1997.9.8.1735; as a language model arXiv:1409.2329"
    """Source of the architecture."""

    @property
    def switches(self) -> dict[str, Any]:
        """All settings but the size."""
        return asdict(self.lstm)

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the shape whose N is nearest that of the decoder `llama` of this size; the width is even."""
        size = check_size(size, self.name, self.sizes)
        depth = self.lstm.depth or min(4, max(1, math.floor(size / 2 + 0.5)))
        width = self.lstm.width
        if width is None:
            target = dial_params(size, vocab=vocab, context=context, switches=PRESETS["llama"][0])
            # depth·8w² + (8·depth + tables·vocab)·w = target
            a, b = 8.0 * depth, 8.0 * depth + vocab * (1 if self.lstm.tied else 2)
            width = max(2, 2 * round((math.sqrt(b * b + 4 * a * target) - b) / (2 * a) / 2))
        return Shape(size=size, vocab=vocab, context=context, depth=depth, width=width)

    def counts(self, shape: Shape) -> Counts:
        """Return the parameters and forward FLOPs per token; the gates are counted under `other`."""
        params = lstm_params(shape.depth, shape.width, shape.vocab, tied=self.lstm.tied)
        flops = {
            "other": 2.0 * shape.depth * 8 * shape.width * shape.width,
            "head": 2.0 * shape.vocab * shape.width,
        }
        return Counts(params=params, params_active=sum(params.values()), flops=flops)

    def build(self, shape: Shape, *, seed: int) -> LSTM:
        """Return the module on the CPU, initialised with `seed`."""
        from scaling.families.recurrent.module import build

        return build(shape, self.lstm, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> LSTMFamily:
    """Return the LSTM with some switches set. Raises ConfigError for an unknown switch."""
    check_switches(changes, (field.name for field in fields(LSTMSwitches)), name)
    return LSTMFamily(name=name, lstm=LSTMSwitches(**changes))

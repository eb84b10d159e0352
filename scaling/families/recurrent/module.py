"""The LSTM language model as a torch module, built from torch's own (cuDNN) layers."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.recurrent.switches import LSTMSwitches
from scaling.families.shape import Shape


class LSTM(nn.Module):
    """An LSTM: tokens (batch, T) int64 → logits of each next token (batch, T, vocab). T has no limit."""

    def __init__(self, shape: Shape, switches: LSTMSwitches) -> None:
        super().__init__()
        self.shape, self.switches = shape, switches
        self.embedding = nn.Embedding(shape.vocab, shape.width)
        between = switches.dropout if shape.depth > 1 else 0.0
        self.lstm = nn.LSTM(shape.width, shape.width, shape.depth, batch_first=True, dropout=between)
        self.head = None if switches.tied else nn.Linear(shape.width, shape.vocab, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the token after each position; position t depends on tokens up to t."""
        x = self.embedding(tokens)
        if self.switches.dropout and self.training:
            x = F.dropout(x, self.switches.dropout)
        if self.switches.truncate is None or not self.training:
            y, _ = self.lstm(x)
        else:
            pieces, state = [], None
            for piece in x.split(self.switches.truncate, dim=1):
                out, state = self.lstm(piece, state)
                state = (state[0].detach(), state[1].detach())
                pieces.append(out)
            y = torch.cat(pieces, dim=1)
        if self.switches.dropout and self.training:
            y = F.dropout(y, self.switches.dropout)
        logits: Tensor = F.linear(y, self.embedding.weight) if self.head is None else self.head(y)
        return logits


def component_of(parameter: str) -> str:
    """Return the component that a named parameter belongs to."""
    first = parameter.split(".")[0]
    return first if first in ("embedding", "head") else "other"


@torch.no_grad()
def initialise(module: LSTM, *, seed: int) -> None:
    """Draw all weights from one generator with this seed.

    Matrices are normal with variance 1/width. The embedding has standard deviation 1, because no norm stands
    before the gates; a tied embedding has 1/√width. Biases are zero, except for the forget gate's, which is 1
    (arXiv:1503.04069 and Jozefowicz 2015).
    """
    width = module.shape.width
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        if "bias" in name:
            parameter.zero_()
            if "bias_ih" in name:
                parameter[width : 2 * width] = 1.0
        elif name == "embedding.weight":
            parameter.normal_(0, 1 / math.sqrt(width) if module.head is None else 1.0, generator=generator)
        else:
            parameter.normal_(0, 1 / math.sqrt(width), generator=generator)


def build(shape: Shape, switches: LSTMSwitches, *, seed: int) -> LSTM:
    """Return an LSTM on the CPU in float32; its weights depend only on shape, switches and seed."""
    with torch.device("meta"):
        module = LSTM(shape, switches)
    module.to_empty(device="cpu")
    initialise(module, seed=seed)
    return module

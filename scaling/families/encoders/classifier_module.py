"""The text classifier as a torch module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaling.families.decoder.switches import Switches
from scaling.families.encoders.masked_module import Encoder, initialise
from scaling.families.shape import Shape


class Classifier(Encoder):
    """A classifier: tokens (batch, T) int64 and lengths (batch,) → logits of the classes (batch, classes).

    The head is one linear map of the mean of the last features over the tokens of the text. BERT instead
    reads a special token in front of every text, which our tokenisers do not have.
    """

    def __init__(self, shape: Shape, switches: Switches, classes: int) -> None:
        super().__init__(shape, switches)
        del self.transform, self.transform_norm, self.head_bias
        self.classifier = nn.Linear(shape.width, classes)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        """Return the logits of each text's classes, (batch, classes).

        Args:
            tokens: (batch, T) int64, T at most the context.
            lengths: (batch,) int64, 1 or more; positions at or beyond a length are masked.

        Raises:
            ShapeError: when there are more tokens than the context.
        """
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        x = self.features(tokens, ~inside)
        mean = (x * inside[:, :, None]).sum(1) / lengths[:, None]
        logits: Tensor = self.classifier(mean)
        return logits


def build(shape: Shape, switches: Switches, classes: int, *, seed: int) -> Classifier:
    """Return a classifier on the CPU in float32; its weights depend only on the arguments."""
    with torch.device("meta"):
        module = Classifier(shape, switches, classes)
    module.to_empty(device="cpu")
    module.fill_tables()
    initialise(module, seed=seed)
    return module

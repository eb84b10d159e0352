"""The encoder with a head for classes as a torch module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaling.families.decoder.switches import Switches
from scaling.families.encoders.masked_module import Encoder, initialise
from scaling.families.shape import Shape


class Classifier(Encoder):
    """Texts to logits of their classes: (batch, T) int64, lengths (batch,) → (batch, classes).

    The mean of the last features over the text's own tokens goes through one linear map. (BERT reads one
    token that stands in front of every text; our tokenisers have none.)
    """

    def __init__(self, shape: Shape, switches: Switches, classes: int) -> None:
        super().__init__(shape, switches)
        del self.transform, self.transform_norm, self.head_bias
        self.classifier = nn.Linear(shape.width, classes)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        """Logits of each text's class.

        Args:
            tokens: (batch, T) int64, T at most the context.
            lengths: (batch,) int64, 1 or more; what stands at or beyond a length is seen by nobody.

        Raises:
            ShapeError: when the tokens are more than the context.
        """
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        x = self.features(tokens, ~inside)
        mean = (x * inside[:, :, None]).sum(1) / lengths[:, None]
        logits: Tensor = self.classifier(mean)
        return logits


def build(shape: Shape, switches: Switches, classes: int, *, seed: int) -> Classifier:
    """A classifier on the CPU in float32, whose weights depend on shape, switches, classes and seed alone."""
    with torch.device("meta"):
        module = Classifier(shape, switches, classes)
    module.to_empty(device="cpu")
    module.fill_tables()
    initialise(module, seed=seed)
    return module

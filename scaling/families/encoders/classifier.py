"""Define the text classifier (BERT with another head) as a family: dial and counts without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.errors import ConfigError
from scaling.families.counts import Counts, norm_width
from scaling.families.encoders import masked
from scaling.families.shape import Shape

if TYPE_CHECKING:
    from scaling.families.encoders.classifier_module import Classifier


@dataclass(frozen=True, kw_only=True)
class ClassifierFamily(masked.EncoderFamily):
    """An encoder that predicts the class of a text.

    Its loss is per text, so it is not comparable with a loss per token.
    """

    classes: int = 2
    """Number of classes."""
    name: str = "bert_classifier"
    """The name in a config."""
    objective: str = "classification"
    """Classification of whole texts."""

    @property
    def switches(self) -> dict[str, Any]:
        """The switches of the encoder and the number of classes."""
        return super().switches | {"classes": self.classes}

    def counts(self, shape: Shape) -> Counts:
        """Return the counts with the classifier's head, which runs once for each context."""
        base, width = super().counts(shape), shape.width
        params = dict(base.params)
        params["head"] = width * self.classes + self.classes
        params["norm"] -= int(norm_width(width, self.encoder))
        flops = {**base.flops, "head": 2.0 * width * self.classes / shape.context}
        return Counts(params=params, params_active=sum(params.values()), flops=flops)

    def build(self, shape: Shape, *, seed: int) -> Classifier:
        """Return the module on the CPU, initialised with `seed`."""
        from scaling.families.encoders.classifier_module import build

        return build(shape, self.encoder, self.classes, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> ClassifierFamily:
    """Return the classifier with some switches set.

    Raises ConfigError for an unknown switch, or fewer than two classes.
    """
    rest = dict(changes)
    classes = rest.pop("classes", 2)
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise ConfigError(f"family.classes is {classes!r}; it must be a whole number, 2 or more")
    encoder = masked.family(name, rest)
    return ClassifierFamily(encoder=encoder.encoder, overrides=encoder.overrides, name=name, classes=classes)

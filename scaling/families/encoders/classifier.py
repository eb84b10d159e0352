"""The encoder with a head that names a text's class: dial and counts without torch."""

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
    """Reads a text from both sides and says its class: one loss a text, an axis of its own."""

    classes: int = 2
    """How many there are."""
    name: str = "bert_classifier"
    """What it is asked for by."""
    objective: str = "classification"
    """One class a text."""

    @property
    def switches(self) -> dict[str, Any]:
        """Those of the encoder, and the classes."""
        return super().switches | {"classes": self.classes}

    def counts(self, shape: Shape) -> Counts:
        """The encoder's counts with another head, which is read once a text and paid once a context."""
        base, width = super().counts(shape), shape.width
        params = dict(base.params)
        params["head"] = width * self.classes + self.classes
        params["norm"] -= int(norm_width(width, self.encoder))
        flops = {**base.flops, "head": 2.0 * width * self.classes / shape.context}
        return Counts(params=params, params_active=sum(params.values()), flops=flops)

    def build(self, shape: Shape, *, seed: int) -> Classifier:
        """The module on the CPU, initialised from its own generator."""
        from scaling.families.encoders.classifier_module import build

        return build(shape, self.encoder, self.classes, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> ClassifierFamily:
    """The encoder with some switches set (ConfigError for one that it has not, or fewer than two classes)."""
    rest = dict(changes)
    classes = rest.pop("classes", 2)
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise ConfigError(f"family.classes is {classes!r}; it must be a whole number, 2 or more")
    encoder = masked.family(name, rest)
    return ClassifierFamily(encoder=encoder.encoder, overrides=encoder.overrides, name=name, classes=classes)

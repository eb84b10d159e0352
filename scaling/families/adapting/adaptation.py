"""Define an adaptation: which part of a trained network is trained, its parameters and its FLOPs. No torch.

FLOPs are counted as follows. The forward pass counts in full. The backward pass counts the gradients of the
inputs (the cost of one more forward pass) for every block that gradients pass through. It counts the
gradients of the weights (the same cost again) only for trained weights. Products of two activations
(attention scores) count both gradients wherever gradients pass through them. `full` then costs the usual
three forward passes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scaling.config import StartConfig
from scaling.errors import ConfigError, one_of
from scaling.families.counts import COUNTED, Counts, block_params, norm_width

if TYPE_CHECKING:
    from scaling.families.decoder.switches import Switches
    from scaling.families.shape import Shape

KINDS = {
    "full": (),
    "head": (),
    "blocks": ("blocks",),
    "lora": ("rank", "alpha", "targets"),
    "adapters": ("bottleneck",),
}
"""Kind of adaptation → its settings."""
TARGETS = {"qkv": "attention_projection", "out": "attention_projection", "up": "mlp", "down": "mlp"}
"""Matrix of a block that can have a low-rank map → component of its FLOPs."""
HEADS = ("head", "head_bias", "transform", "transform_norm", "classifier")
"""First parts of the names of the parameters of a head."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adaptation:
    """The part of a trained network that is trained further."""

    kind: str = "full"
    """full, head, blocks, lora (arXiv:2106.09685) or adapters (arXiv:1902.00751)."""
    blocks: int | None = None
    """Of blocks: number of trained blocks, from the last; the last norm and the head are trained too."""
    rank: int | None = None
    """Of lora: rank r of the maps."""
    alpha: float | None = None
    """Of lora: the product B A is multiplied by alpha / r."""
    targets: tuple[str, ...] | None = None
    """Of lora: the matrices of each block that have a low-rank map."""
    bottleneck: int | None = None
    """Of adapters: features between the two matrices of an adapter."""

    def as_dict(self) -> dict[str, Any]:
        """Return the settings that are not null."""
        targets = list(self.targets) if self.targets else None
        every = {**dataclasses.asdict(self), "targets": targets}
        return {name: value for name, value in every.items() if value is not None}

    def learns(self, name: str, depth: int, *, head_is_new: bool) -> bool:
        """Return whether the parameter `name` is trained, in a network of `depth` blocks."""
        first, *rest = name.split(".")
        if self.kind == "full":
            return True
        if name.endswith(("lora_a", "lora_b")) or ".adapter" in name:
            return True
        if first in HEADS:
            return self.kind in ("head", "blocks") or head_is_new
        if self.kind == "blocks":
            return first == "norm" or (first == "blocks" and int(rest[0]) >= depth - int(self.blocks or 0))
        return False


def from_config(config: StartConfig, depth: int) -> Adaptation:
    """Return the adaptation of the section `start` of a config, for a network of `depth` blocks.

    Raises ConfigError for a key that the kind does not take, or a value that is not allowed.
    """
    kind = str(config.adaptation or "full")
    if kind not in KINDS:
        raise ConfigError(one_of("start.adaptation", kind, KINDS))
    named = {key for keys in KINDS.values() for key in keys}
    for key in sorted(named.difference(KINDS[kind])):
        if getattr(config, key) is not None:
            owner = next(name for name, keys in KINDS.items() if key in keys)
            raise ConfigError(
                f"start.{key} belongs to start.adaptation={owner}, not {kind}; leave it null or set "
                f"start.adaptation={owner}"
            )
    settings: dict[str, Any] = {}
    for key in KINDS[kind]:
        if key == "targets":
            targets = config.targets or list(TARGETS)
            for target in targets:
                if target not in TARGETS:
                    raise ConfigError(one_of("start.targets", target, TARGETS))
            settings["targets"] = tuple(name for name in TARGETS if name in targets)
        elif key == "alpha":
            value = config.alpha
            settings["alpha"] = float(settings["rank"] if value is None else value)
            if not settings["alpha"] > 0:
                raise ConfigError(f"start.alpha is {value}; set it above 0, or null for alpha=rank")
        else:
            settings[key] = _count(getattr(config, key), f"start.{key}")
    if kind == "blocks" and settings["blocks"] > depth:
        raise ConfigError(
            f"start.blocks is {settings['blocks']} and the network has {depth}; set it between 1 and {depth}"
        )
    return Adaptation(kind=kind, **settings)


def _count(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number, 1 or more; set {name}=NUMBER")
    return value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """The trained parameters of an adaptation of one shape, and its training FLOPs per token."""

    params_trainable: int
    """Parameters that are trained."""
    flops: Mapping[str, float]
    """Training FLOPs per token by component."""

    @property
    def flops_per_token(self) -> float:
        """Training FLOPs per token: the sum over the components in `COUNTED`."""
        return sum(self.flops.get(name, 0.0) for name in COUNTED)


def cost(adaptation: Adaptation, family: Any, shape: Shape, counts: Counts, *, head_is_new: bool) -> Cost:
    """Return the trained parameters and the training FLOPs per token of an adaptation of a family at a shape.

    Raises ConfigError for a partial adaptation of a family that is neither a decoder nor an encoder, has
    routed experts, or has no head of its own to train.
    """
    forward = dict(counts.flops)
    if adaptation.kind == "full":
        tripled = {name: 3.0 * value for name, value in forward.items()}
        return Cost(params_trainable=counts.params_total, flops=tripled)
    switches = _switches(family, adaptation)
    width, depth = shape.width, shape.depth
    head = _Head.of(family, shape, counts, switches)
    head_learns = adaptation.kind in ("head", "blocks") or head_is_new
    if adaptation.kind == "head" and not head.params:
        raise ConfigError(
            f"family {family.name!r} ties its head to its embedding, so no head can learn alone; set "
            "start.adaptation to blocks, lora or adapters, or start from a run with family.tied=false"
        )
    # share of the blocks that gradients pass through
    crossed = {"head": 0.0, "blocks": (adaptation.blocks or 0) / depth}.get(adaptation.kind, 1.0)
    trained = crossed if adaptation.kind == "blocks" else 0.0
    flops = dict.fromkeys(forward, 0.0)
    for name in ("attention_projection", "mlp"):
        flops[name] = forward.get(name, 0.0) * (1 + crossed + trained)
    for name in ("attention_scores_full", "attention_scores_causal"):
        flops[name] = forward.get(name, 0.0) * (1 + 2 * crossed)
    flops["norm"] = forward.get("norm", 0.0) * (1 + crossed + trained)
    through = 1.0 if crossed else 0.0
    flops["head"] = head.flops_own * (1 + through + head_learns) + head.flops_shared * 2.0
    params = head.params if head_learns else 0
    if adaptation.kind == "blocks":
        attention = shape.heads * shape.head_dim
        block = block_params(
            width, attention, shape.kv_heads * shape.head_dim, shape.head_dim, shape.hidden, switches
        )
        last_norm = norm_width(width, switches) if switches.norm_position == "pre" else 0
        params += int((adaptation.blocks or 0) * sum(block.values()) + last_norm)
    for target in adaptation.targets or ():
        ins, outs = matrix(target, shape, switches)
        more = depth * (adaptation.rank or 0) * (ins + outs)
        params += more
        flops[TARGETS[target]] += 3.0 * 2.0 * more
    if adaptation.bottleneck is not None:
        maps = 2 * depth * 2 * width * adaptation.bottleneck
        params += maps + 2 * depth * (adaptation.bottleneck + width)
        flops["mlp"] += 3.0 * 2.0 * maps
    return Cost(params_trainable=int(params), flops=flops)


def matrix(target: str, shape: Shape, switches: Switches) -> tuple[int, int]:
    """Return (inputs, outputs) of one matrix of a block."""
    attention = shape.heads * shape.head_dim
    return {
        "qkv": (shape.width, attention + 2 * shape.kv_heads * shape.head_dim),
        "out": (attention, shape.width),
        "up": (shape.width, shape.hidden * (2 if switches.gated else 1)),
        "down": (shape.hidden, shape.width),
    }[target]


def _switches(family: Any, adaptation: Adaptation) -> Switches:
    """Return the switches of the family's blocks. Raises ConfigError unless it has plain blocks."""
    switches: Switches | None = getattr(family, "decoder", None) or getattr(family, "encoder", None)
    if switches is None or switches.experts:
        what = "has routed experts" if switches is not None else "is neither a decoder nor an encoder"
        raise ConfigError(
            f"start.adaptation={adaptation.kind} needs plain blocks and family {family.name!r} {what}; set "
            "start.adaptation=full"
        )
    return switches


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Head:
    """The parts of a head: its own weights, and the products with a matrix shared with the embedding."""

    params: int
    flops_own: float
    flops_shared: float

    @classmethod
    def of(cls, family: Any, shape: Shape, counts: Counts, switches: Switches) -> _Head:
        flops = counts.flops.get("head", 0.0)
        if family.objective == "masked":
            own = 2.0 * shape.width * shape.width
            params = counts.params_head + int(norm_width(shape.width, switches))
            return cls(params=params, flops_own=own, flops_shared=flops - own)
        if counts.params_head:
            return cls(params=counts.params_head, flops_own=flops, flops_shared=0.0)
        return cls(params=0, flops_own=0.0, flops_shared=flops)

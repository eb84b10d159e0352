"""Parameters and forward FLOPs of a shape, by component, as plain arithmetic: no torch.

One multiply and one add are two FLOPs, so a matrix of p entries costs 2p FLOPs a token. Backward is twice
forward (one product for the gradient of the input, one for that of the weight): training is three times
forward, and 6N per token (arXiv:2001.08361, 2.1) is what is left when attention scores and the difference
between N and its matrices are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaling.families.decoder.switches import Switches
    from scaling.families.shape import Shape

COMPONENTS = (
    "embedding",
    "position",
    "attention_projection",
    "attention_scores_full",
    "attention_scores_causal",
    "mlp",
    "norm",
    "head",
    "other",
)
"""Every component that a count speaks of. Families without one count it as 0. `other` are products of no
name here: recurrent gates, routers, whole blocks of foreign modules."""

COUNTED = ("attention_projection", "attention_scores_full", "mlp", "head", "other")
"""Components whose forward FLOPs make up the headline: what torch's own counter sees (matrix products)."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What one shape holds and what one token costs it."""

    params: Mapping[str, int]
    """Parameters by component. A tied head is counted once, under `embedding`."""
    params_active: int
    """Parameters that one token uses: all of them, unless experts are routed."""
    flops: Mapping[str, float]
    """Forward FLOPs per token by component, averaged over the positions of a full context. `norm` is
    elementwise."""

    @property
    def params_total(self) -> int:
        """N."""
        return sum(self.params.values())

    @property
    def params_embedding(self) -> int:
        """Token and position tables."""
        return self.params.get("embedding", 0) + self.params.get("position", 0)

    @property
    def params_head(self) -> int:
        """The output matrix where it is not the embedding."""
        return self.params.get("head", 0)

    @property
    def params_block(self) -> int:
        """Everything else: what arXiv:2001.08361 calls non-embedding."""
        return self.params_total - self.params_embedding - self.params_head

    @property
    def flops_per_token(self) -> float:
        """Training FLOPs per token: 3 × forward matrix products, attention scores full T×T, head included
        (the convention of arXiv:2204.02311 and arXiv:2203.15556, appendix F; norms and look-ups are not in
        it)."""
        return 3.0 * sum(self.flops.get(name, 0.0) for name in COUNTED)

    @property
    def flops_per_token_causal(self) -> float:
        """The same with only those attention scores that the mask leaves."""
        full, causal = (
            self.flops.get("attention_scores_full", 0.0),
            self.flops.get("attention_scores_causal", 0.0),
        )
        return self.flops_per_token - 3.0 * (full - causal)

    def as_dict(self) -> dict[str, dict[str, float] | float]:
        """For JSON."""
        return {
            "params": dict(self.params),
            "params_total": self.params_total,
            "params_active": self.params_active,
            "flops": dict(self.flops),
            "flops_per_token": self.flops_per_token,
        }


def keys_seen(context: int, window: int | None) -> float:
    """Keys that one query attends to under a causal mask, averaged over a context of so many tokens."""
    reach = context if window is None else min(window, context)
    # the first `reach` positions see 1, 2, … reach keys, the rest see `reach`
    return (reach * (reach + 1) / 2 + (context - reach) * reach) / context


def norm_width(width: float, switches: Switches) -> float:
    """Parameters of one norm over so many features."""
    return width * (2 if switches.norm == "layernorm" and switches.bias else 1)


def block_params(
    width: float, attention_width: float, kv_width: float, head_dim: float, hidden: float, switches: Switches
) -> dict[str, float]:
    """Parameters of one block by component.

    Args:
        width: features of the residual stream.
        attention_width: query heads × head_dim.
        kv_width: key and value heads × head_dim.
        head_dim: features of one head.
        hidden: features inside the MLP.
        switches: what the block is made of.
    """
    bias = 1 if switches.bias else 0
    into = (width + bias) * (attention_width + 2 * kv_width)
    out = attention_width * width + bias * width
    matrices = 3 if switches.gated else 2
    mlp = matrices * width * hidden + bias * ((matrices - 1) * hidden + width)
    norm = switches.norms_per_block * norm_width(width, switches) + (2 * head_dim if switches.qk_norm else 0)
    return {"attention_projection": into + out, "mlp": mlp, "norm": norm}


def outer_params(width: float, vocab: int, context: int, switches: Switches) -> dict[str, float]:
    """Parameters outside the blocks by component."""
    return {
        "embedding": vocab * width,
        "position": context * width if switches.position == "learned" else 0,
        "norm": norm_width(width, switches) if switches.norm_position == "pre" else 0,
        "head": 0 if switches.tied else vocab * width,
    }


def decoder_counts(shape: Shape, switches: Switches) -> Counts:
    """Parameters and forward FLOPs per token of a decoder, by component."""
    attention_width, kv_width = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    block = block_params(shape.width, attention_width, kv_width, shape.head_dim, shape.hidden, switches)
    outer = outer_params(shape.width, shape.vocab, shape.context, switches)
    params = {name: 0 for name in COMPONENTS if not name.startswith("attention_scores")}
    active = int(block["mlp"])
    if switches.experts:
        # shape.hidden is that of the chosen experts together; all are of one width
        block["mlp"] = active * switches.experts // switches.experts_per_token
        block["other"] = shape.width * switches.experts
    for name, value in block.items():
        params[name] += shape.depth * int(value)
    for name, value in outer.items():
        params[name] += int(value)

    projections = shape.width * (attention_width + 2 * kv_width) + attention_width * shape.width
    matrices = 3 if switches.gated else 2
    # scores QKᵀ and the weighted sum of values: two products of context × head_dim per query and head
    per_key = 2 * 2 * attention_width
    # a gain, a square, a sum and a scaling per feature; LayerNorm also subtracts the mean it has summed, and
    # shifts
    elementwise = 4 if switches.norm == "rmsnorm" else 6 + int(switches.bias)
    norms = shape.depth * switches.norms_per_block + (switches.norm_position == "pre")
    qk_features = shape.depth * (attention_width + kv_width) if switches.qk_norm else 0
    flops = {
        "embedding": 0.0,
        "position": 0.0,
        "attention_projection": 2.0 * shape.depth * projections,
        "attention_scores_full": float(shape.depth * per_key * shape.context),
        "attention_scores_causal": shape.depth * per_key * keys_seen(shape.context, switches.window),
        "mlp": 2.0 * shape.depth * matrices * shape.width * shape.hidden,
        "norm": float(norms * shape.width * elementwise + qk_features * 4),
        "head": 2.0 * shape.vocab * shape.width,
        "other": 2.0 * shape.depth * block.get("other", 0.0),
    }
    idle = shape.depth * (int(block["mlp"]) - active)
    return Counts(params=params, params_active=sum(params.values()) - idle, flops=flops)

"""Count the parameters and forward FLOPs of a shape by component. Plain arithmetic, no torch.

One multiplication and one addition are two FLOPs, so a matrix of p entries costs 2p FLOPs per token. The
backward pass costs twice the forward pass: one product for the gradient of the input, one for the gradient of
the weight. Training therefore costs three times the forward pass. The approximation of 6N per token
(arXiv:2001.08361, section 2.1) drops the attention scores and counts all of N as matrices.
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
"""All components of a count. A family without a component counts it as 0. `other` holds the products without
a component of their own: recurrent gates, routers, whole blocks of foreign modules."""

COUNTED = ("attention_projection", "attention_scores_full", "mlp", "head", "other")
"""Components that `flops_per_token` sums: the matrix products, which torch's FLOP counter counts too."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The parameters of one shape and its FLOPs per token, by component."""

    params: Mapping[str, int]
    """Parameters by component. A tied head is counted once, under `embedding`."""
    params_active: int
    """Parameters that one token uses; fewer than all only with routed experts."""
    flops: Mapping[str, float]
    """Forward FLOPs per token by component, averaged over the positions of a full context. `norm` counts
    elementwise operations."""

    @property
    def params_total(self) -> int:
        """N: all parameters."""
        return sum(self.params.values())

    @property
    def params_embedding(self) -> int:
        """Parameters of the token and position embeddings."""
        return self.params.get("embedding", 0) + self.params.get("position", 0)

    @property
    def params_head(self) -> int:
        """Parameters of the output matrix; 0 when it is tied to the embedding."""
        return self.params.get("head", 0)

    @property
    def params_block(self) -> int:
        """All other parameters, which arXiv:2001.08361 calls non-embedding parameters."""
        return self.params_total - self.params_embedding - self.params_head

    @property
    def flops_per_token(self) -> float:
        """Training FLOPs per token: 3 × the forward matrix products, with the head and full T×T scores.

        This is the convention of arXiv:2204.02311 and arXiv:2203.15556, appendix F. Norms and embedding
        look-ups are not counted.
        """
        return 3.0 * sum(self.flops.get(name, 0.0) for name in COUNTED)

    @property
    def flops_per_token_causal(self) -> float:
        """Training FLOPs per token with only the attention scores that the causal mask leaves."""
        full, causal = (
            self.flops.get("attention_scores_full", 0.0),
            self.flops.get("attention_scores_causal", 0.0),
        )
        return self.flops_per_token - 3.0 * (full - causal)

    def as_dict(self) -> dict[str, dict[str, float] | float]:
        """Return the counts as a dict for JSON."""
        return {
            "params": dict(self.params),
            "params_total": self.params_total,
            "params_active": self.params_active,
            "flops": dict(self.flops),
            "flops_per_token": self.flops_per_token,
        }


def keys_seen(context: int, window: int | None) -> float:
    """Return the number of keys that a query attends to under a causal mask, averaged over a context.

    Args:
        context: tokens in the context.
        window: tokens in the sliding window; None = the whole context.
    """
    reach = context if window is None else min(window, context)
    # the first `reach` positions see 1, 2, … reach keys, the rest see `reach`
    return (reach * (reach + 1) / 2 + (context - reach) * reach) / context


def norm_width(width: float, switches: Switches) -> float:
    """Return the number of parameters of one norm over `width` features."""
    return width * (2 if switches.norm == "layernorm" and switches.bias else 1)


def block_params(
    width: float, attention_width: float, kv_width: float, head_dim: float, hidden: float, switches: Switches
) -> dict[str, float]:
    """Return the parameters of one block by component.

    Args:
        width: features of the residual stream.
        attention_width: query heads × head_dim.
        kv_width: key and value heads × head_dim.
        head_dim: features of one head.
        hidden: features inside the MLP.
        switches: switches of the block.
    """
    bias = 1 if switches.bias else 0
    into = (width + bias) * (attention_width + 2 * kv_width)
    out = attention_width * width + bias * width
    matrices = 3 if switches.gated else 2
    mlp = matrices * width * hidden + bias * ((matrices - 1) * hidden + width)
    norm = switches.norms_per_block * norm_width(width, switches) + (2 * head_dim if switches.qk_norm else 0)
    return {"attention_projection": into + out, "mlp": mlp, "norm": norm}


def outer_params(width: float, vocab: int, context: int, switches: Switches) -> dict[str, float]:
    """Return the parameters outside the blocks by component."""
    return {
        "embedding": vocab * width,
        "position": context * width if switches.position == "learned" else 0,
        "norm": norm_width(width, switches) if switches.norm_position == "pre" else 0,
        "head": 0 if switches.tied else vocab * width,
    }


def decoder_counts(shape: Shape, switches: Switches) -> Counts:
    """Return the parameters and forward FLOPs per token of a decoder, by component."""
    attention_width, kv_width = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    block = block_params(shape.width, attention_width, kv_width, shape.head_dim, shape.hidden, switches)
    outer = outer_params(shape.width, shape.vocab, shape.context, switches)
    params = {name: 0 for name in COMPONENTS if not name.startswith("attention_scores")}
    active = int(block["mlp"])
    if switches.experts:
        # shape.hidden is the sum over the chosen experts; all experts have the same width
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
    # per feature: a gain, a square, a sum and a scaling; LayerNorm also sums and subtracts the mean, and adds
    # its bias
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

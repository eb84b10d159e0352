"""Define the switches of the decoder and its named presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from scaling.config.kinds import FLAG, PARTS, check, choice, key, number, whole
from scaling.errors import ConfigError, one_of

DROPOUT = number(0, 1, open_high=True)
"""Allowed probabilities of dropout."""


@dataclass(frozen=True, kw_only=True)
class Switches:
    """The architecture of a decoder, apart from its size."""

    norm: str = key("rmsnorm", choice("rmsnorm", "layernorm"))
    """`rmsnorm` (arXiv:1910.07467) or `layernorm` (arXiv:1607.06450; shifted when `bias`)."""
    norm_position: str = key("pre", choice("pre", "post"))
    """`pre`: before each branch and once before the head (arXiv:2002.04745); `post`: after each sum, as in
    the Transformer of 2017."""
    qk_norm: bool = key(False, FLAG)
    """RMSNorm with a gain over each head's queries and keys, before rotation (arXiv:2302.05442, eq. 2; as in
    Qwen 3)."""
    position: str = key("rope", choice("none", "sinusoidal", "learned", "rope", "alibi"))
    """`none`, `sinusoidal` (arXiv:1706.03762, 3.5), `learned`, `rope` (arXiv:2104.09864), `alibi`
    (arXiv:2108.12409)."""
    rope_base: float = key(10_000.0, number(1, 1e12))
    """Base of the RoPE frequencies: the longest wavelength divided by 2π, in tokens."""
    mlp: str = key("swiglu", choice("relu", "gelu", "gelu_tanh", "swiglu", "relu2"))
    """`relu`, `gelu`, `gelu_tanh`, `swiglu` (arXiv:2002.05202), `relu2` (arXiv:2109.08668)."""
    mlp_ratio: float | None = key(None, number(0, 64, open_low=True))
    """Hidden width divided by width; None = 8/3 for the gated `swiglu`, else 4, so that all cost the same."""
    kv_heads: int | None = key(None, PARTS)
    """Key and value heads, each shared by a group of query heads (arXiv:2305.13245); None = one for each
    query head; 1 = multi-query attention."""
    window: int | None = key(None, whole())
    """Tokens that a query attends to, itself included (sliding window, arXiv:2004.05150); None = all tokens
    before it."""
    tied: bool = key(False, FLAG)
    """Whether the head is the embedding transposed (arXiv:1608.05859)."""
    bias: bool = key(False, FLAG)
    """Whether linear maps and LayerNorms have a bias. The head never has one."""
    residual_scale: str = key("none", choice("none", "init", "branch"))
    """`init`: the output matrices of attention and MLP start 1/√(2·depth) smaller, as in GPT-2; `branch`:
    each branch is multiplied by 1/√(2·depth) (arXiv:2310.02244)."""
    parallel: bool = key(False, FLAG)
    """Whether attention and MLP read the same normalised input and are added in one sum (arXiv:2204.02311,
    section 2)."""
    embedding_scale: bool = key(False, FLAG)
    """Whether embeddings start with standard deviation 1/√width and are multiplied by √width
    (arXiv:1706.03762, section 3.4)."""
    experts: int | None = key(None, PARTS)
    """Experts, of which a router chooses a few for each token (arXiv:1701.06538); None = one dense MLP. The
    chosen experts together are as wide as the dense MLP, so the cost of a token and the active N at a given
    `size` do not change."""
    experts_per_token: int = key(2, PARTS)
    """Experts that each token is sent to."""
    balance: float = key(0.01, number(0, 1e6))
    """Weight of the load-balancing loss (arXiv:2101.03961, eq. 4)."""
    dropout: float = key(0.0, DROPOUT)
    """Probability of dropout on embeddings, attention weights and branches. Dropout suits training over many
    epochs and is no part of an architecture, so every preset leaves it at 0."""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value that no decoder can have."""
        check(self, "family")
        if self.experts is not None and self.experts < self.experts_per_token:
            raise ConfigError(
                f"family.experts={self.experts} must be at least "
                f"family.experts_per_token={self.experts_per_token}"
            )
        if self.experts is not None and self.bias:
            raise ConfigError("routed experts have no biases; set family.bias=false, or family.experts=null")

    @property
    def ratio(self) -> float:
        """Hidden width divided by width."""
        return self.mlp_ratio if self.mlp_ratio is not None else 8 / 3 if self.gated else 4.0

    @property
    def gated(self) -> bool:
        """Whether the MLP has a third matrix that gates the other two."""
        return self.mlp == "swiglu"

    @property
    def norms_per_block(self) -> int:
        """Norms in one block; parallel branches share one norm."""
        return 1 if self.parallel else 2

    def with_(self, changes: Mapping[str, Any]) -> Switches:
        """Return these switches with some changed. Raises ConfigError for an unknown name."""
        known = {field.name for field in fields(self)}
        for name in changes:
            if name not in known:
                raise ConfigError(
                    one_of("a switch of the decoder", name, known | {"depth", "width", "heads"})
                )
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Return the switches by name, in the order above."""
        return asdict(self)


PRESETS: dict[str, tuple[Switches, str]] = {
    "llama": (Switches(), "arXiv:2302.13971"),
    "gpt2": (
        Switches(
            norm="layernorm",
            position="learned",
            mlp="gelu_tanh",
            tied=True,
            bias=True,
            residual_scale="init",
        ),
        "Radford et al. 2019, Language models are unsupervised multitask learners",
    ),
    "transformer2017": (
        Switches(
            norm="layernorm",
            norm_position="post",
            position="sinusoidal",
            mlp="relu",
            tied=True,
            bias=True,
            embedding_scale=True,
        ),
        "arXiv:1706.03762 (its decoder alone, without cross-attention)",
    ),
}
"""Name → switches and their source."""

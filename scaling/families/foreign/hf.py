"""Define any causal language model of `transformers` as a family: the dial fills its config.

    families.get("hf", model_type="mamba", state_size=8)

The dial gives width, depth and heads as for the decoder. Fields that depend on them keep the proportions of
the default config of the model type, and any field may be set by its name. The counts come from torch, on the
meta device: parameters from numel, FLOPs from `torch.utils.flop_counter`. This family therefore needs torch
even for a plan.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scaling.errors import ConfigError, one_of
from scaling.families.counts import Counts, keys_seen
from scaling.families.decoder.switches import PRESETS
from scaling.families.dial import check_size, decoder_shape
from scaling.families.shape import Shape

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from scaling.families.foreign.module import Foreign

SIZES = (1.0, 128.0)
"""Smallest and largest size. Below 1, heads are too small for the rotary positions of some model types."""

HIDDEN = ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "d_ff")
"""Names that configs use for the width inside the MLP."""
TWINS = ("word_embed_proj_dim", "attention_hidden_size", "embedding_size", "lru_width")
"""Fields that are set to the width where they equal the width in the default config."""
PARTS = ("depth", "width", "heads")
"""Parts of the shape that may be set in addition to the size."""


@dataclass(frozen=True, kw_only=True)
class HFFamily:
    """A model type of `transformers` with a causal head; the dial sets the fields of its config."""

    model_type: str
    """Key of `transformers.CONFIG_MAPPING`: llama, gpt_neox, qwen2, gemma, mamba, …"""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the config that are set by the user, not by the dial."""
    overrides: Mapping[str, int] = field(default_factory=dict)
    """Parts of the shape that do not follow the dial."""
    name: str = "hf"
    """The name in a config."""
    objective: str = "causal"
    """Next-token prediction."""
    dial: str = "width, depth and heads of the decoder of the same size, mapped on the config's own fields"
    """How the shape grows with size."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""
    source: str = "transformers, by family.model_type"
    """Source of the architecture."""

    @property
    def switches(self) -> dict[str, Any]:
        """All settings but the size."""
        return {"model_type": self.model_type, **self.fields, **self.overrides}

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the decoder's shape at this size, with the values that the config accepted.

        Raises ShapeError when the size is out of range, ConfigError when the config refuses a value.
        """
        check_size(size, self.name, self.sizes)
        shape = decoder_shape(
            size,
            vocab=vocab,
            context=context,
            switches=PRESETS["llama"][0],
            family=self.name,
            overrides=self.overrides,
        )
        config = self.config(shape)
        heads = getattr(config, "num_attention_heads", None)
        return Shape(
            size=shape.size,
            vocab=vocab,
            context=context,
            depth=getattr(config, "num_hidden_layers", shape.depth),
            width=getattr(config, "hidden_size", shape.width),
            heads=heads or 0,
            kv_heads=getattr(config, "num_key_value_heads", None) or heads or 0,
            head_dim=shape.head_dim if heads else 0,
            hidden=getattr(config, "intermediate_size", None) or shape.hidden,
            more=(("model_type", self.model_type),),
        )

    def config(self, shape: Shape) -> PreTrainedConfig:
        """Return the `transformers` config of a shape."""
        return config_of(self.model_type, shape, self.fields)

    def counts(self, shape: Shape) -> Counts:
        """Return the parameters and forward FLOPs per token, counted by torch on the meta device."""
        return _counts(self.config(shape).to_json_string(), self.model_type, shape.context)

    def build(self, shape: Shape, *, seed: int) -> Foreign:
        """Return the module on the CPU in float32, initialised by transformers from this seed."""
        from scaling.families.foreign.module import build

        return build(self.config(shape), seed=seed)


def config_of(model_type: str, shape: Shape, fields: Mapping[str, Any]) -> PreTrainedConfig:
    """Return a config of this type with the width, depth, heads, vocabulary and context of a shape.

    Args:
        model_type: key of `transformers.CONFIG_MAPPING`.
        shape: the shape.
        fields: fields of the config that the user set.

    Raises:
        ConfigError: when a field is unknown, or the config refuses its values.
    """
    from transformers import CONFIG_MAPPING

    kind = CONFIG_MAPPING[model_type]
    default = kind()
    own: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        if hasattr(default, name):
            own[default.attribute_map.get(name, name)] = value

    heads = shape.heads or max(1, shape.width // 24)
    put("vocab_size", shape.vocab)
    put("hidden_size", shape.width)
    put("num_hidden_layers", shape.depth)
    put("num_attention_heads", heads)
    put("max_position_embeddings", shape.context)
    put("use_cache", False)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        # a padding token would get no gradient, and the default ids exceed small vocabularies
        put(name, None)
    width = default.hidden_size
    for name in HIDDEN:
        if getattr(default, name, None) and not hasattr(default, "expand"):
            put(name, max(8, 8 * round(getattr(default, name) / width * shape.width / 8)))
    for name in TWINS:
        if getattr(default, name, None) == width:
            put(name, shape.width)
    for name in ("num_key_value_heads", "num_kv_heads"):
        kv_heads = getattr(default, name, None)
        if kv_heads:
            target = heads * kv_heads / default.num_attention_heads
            put(name, max(n for n in range(1, heads + 1) if heads % n == 0 and n <= max(1, target)))
    if hasattr(default, "expand"):
        if hasattr(default, "num_heads") and hasattr(default, "head_dim"):
            own |= {"num_heads": heads, "head_dim": default.expand * shape.width // heads}
    elif getattr(default, "head_dim", None) and hasattr(default, "num_attention_heads"):
        put("head_dim", shape.width // heads)
        put("query_pre_attn_scalar", shape.width // heads)
    for name in default.to_dict():
        if name.endswith(("dropout", "pdrop", "dropout_prob", "dropout_rate")) and isinstance(
            getattr(default, name), int | float
        ):
            put(name, 0.0)
    known = set(default.to_dict()) | set(default.attribute_map)
    for name in fields:
        if name not in known:
            raise ConfigError(one_of(f"a field of the {model_type} config", name, known | set(PARTS)))
    own |= {default.attribute_map.get(name, name): value for name, value in fields.items()}
    try:
        config: PreTrainedConfig = kind(**own)
    except Exception as error:  # the classes of these errors differ by version and share no base class
        text = " ".join(str(error).split())
        raise ConfigError(f"transformers refuses this {model_type} config: {text}") from None
    _check_room(config, shape)
    return config


def _check_room(config: PreTrainedConfig, shape: Shape) -> None:
    """Raise ConfigError when the user's embedding table is too small for the tokens or positions.

    Without this check the error comes from deep inside the module, or not at all with rotary positions.
    """
    for name, least, what in (
        ("vocab_size", shape.vocab, "the corpus has {} tokens"),
        ("max_position_embeddings", shape.context, "the context is {}"),
    ):
        rows = getattr(config, name, None)
        if isinstance(rows, int) and rows < least:
            raise ConfigError(
                f"family.{name} is {rows} and {what.format(least)}; leave it out, so that the dial sets it, "
                f"or set it to {least} or more"
            )


@lru_cache(maxsize=512)
def _counts(config_text: str, model_type: str, context: int) -> Counts:
    """Return torch's counts of one forward pass over one context on the meta device, per token."""
    from transformers import CONFIG_MAPPING

    from scaling.families.foreign.module import measure

    config = CONFIG_MAPPING[model_type].from_dict(json.loads(config_text))
    params, flops = measure(config, context)
    per_token = {name: value / context for name, value in flops.items()}
    scores = per_token.get("attention_scores_full", 0.0)
    window = getattr(config, "sliding_window", None)
    seen = keys_seen(context, window if isinstance(window, int) and window > 0 else None)
    per_token["attention_scores_causal"] = scores * seen / context
    if not math.isfinite(sum(per_token.values())) or not sum(params.values()):
        raise ConfigError(f"torch counts neither parameters nor FLOPs of this {model_type} config")
    return Counts(params=params, params_active=sum(params.values()), flops=per_token)


def family(name: str, changes: Mapping[str, Any]) -> HFFamily:
    """Return a model type with some fields of its config set.

    Raises:
        ConfigError: when the type is missing, unknown or has no causal head.
    """
    changes = dict(changes)
    model_type = changes.pop("model_type", None)
    fields = dict(changes.pop("fields", None) or {})
    overrides = {key: changes.pop(key) for key in PARTS if key in changes}
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    if model_type is None:
        raise ConfigError(
            "family=hf needs family.model_type, the type of a transformers config: "
            "llama, gpt2, gpt_neox, qwen2, gemma, mamba, …"
        )
    if model_type not in CAUSAL:
        from transformers import CONFIG_MAPPING

        if model_type in CONFIG_MAPPING:
            raise ConfigError(
                f"family.model_type={model_type} has no causal head in transformers; "
                "choose a type that has one, such as llama, gpt_neox or mamba"
            )
        raise ConfigError(one_of("family.model_type", model_type, CAUSAL))
    return HFFamily(name=name, model_type=model_type, fields=fields | changes, overrides=overrides)

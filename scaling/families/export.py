"""Convert a trained module to the equivalent `transformers` model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scaling.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

    from scaling.families.decoder.module import Decoder
    from scaling.families.decoder.switches import Switches


def to_transformers(module: nn.Module) -> PreTrainedModel:
    """Return the `transformers` model with this module's weights and the same logits.

    Args:
        module: a decoder of this package with the switches of Llama (`LlamaForCausalLM`), Llama with QK norm
            (`Qwen3ForCausalLM`) or GPT-2 (`GPT2LMHeadModel`), an encoder with those of BERT
            (`BertForMaskedLM`), an encoder–decoder with those of T5 (`T5ForConditionalGeneration`), or a
            module that is a `transformers` model inside.

    Returns:
        A model in evaluation mode on the CPU. `model.save_pretrained(folder)` writes a folder that
        `from_pretrained` reads.

    Raises:
        ConfigError: when `transformers` has no model with these switches.
    """
    from transformers import PreTrainedModel

    from scaling.families.decoder.module import Decoder
    from scaling.families.encoders.export import bert, t5
    from scaling.families.encoders.masked_module import Encoder
    from scaling.families.encoders.seq2seq_module import EncoderDecoder

    inner = getattr(module, "model", None)
    if isinstance(inner, PreTrainedModel):
        return inner
    if isinstance(module, Encoder):
        model, weights = bert(module)
        _copy(model, weights, tied=True)
    elif isinstance(module, EncoderDecoder):
        model, weights = t5(module)
        _copy(model, weights, tied=True)
    elif isinstance(module, Decoder):
        model = _gpt2(module) if module.switches.position == "learned" else _llama(module)
    else:
        raise ConfigError(
            f"a {type(module).__name__} has no equivalent in transformers; "
            "export takes decoders, encoders, encoder–decoders and hf families"
        )
    model.train(False)
    return model


def _refuse_unless(switches: Switches, model: str, wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if getattr(switches, name) != value:
            raise ConfigError(
                f"{model} has no family.{name}={getattr(switches, name)!r}, only {value!r}; "
                "this decoder cannot be exported to transformers"
            )


def _llama(module: Decoder) -> PreTrainedModel:
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    from scaling.families.decoder.layers import EPSILON

    decoder: Any = module
    shape, switches = module.shape, module.switches
    name = "Qwen3ForCausalLM" if switches.qk_norm else "LlamaForCausalLM"
    wanted = {
        "norm": "rmsnorm", "norm_position": "pre", "position": "rope", "mlp": "swiglu", "parallel": False,
        "embedding_scale": False, "window": None, "bias": False, "experts": None,
    }  # fmt: skip
    _refuse_unless(switches, name, wanted)
    _refuse_branch_scale(switches, name)
    fields: dict[str, Any] = {
        "vocab_size": shape.vocab,
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": EPSILON,
        "tie_word_embeddings": switches.tied,
        "attention_bias": switches.bias,
        "rope_theta": switches.rope_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": switches.rope_base},
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
    }
    if switches.qk_norm:
        model: PreTrainedModel = Qwen3ForCausalLM(Qwen3Config(**fields))
    else:
        model = LlamaForCausalLM(LlamaConfig(**fields))
    weights: dict[str, Any] = {"model.embed_tokens.weight": module.embedding.weight}
    if module.head is not None:
        weights["lm_head.weight"] = module.head.weight
    if module.norm is not None:
        weights["model.norm.weight"] = module.norm.weight
    parts = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim, shape.kv_heads * shape.head_dim)
    for i, block in enumerate(decoder.blocks):
        layer = f"model.layers.{i}"
        for part, matrix in zip("qkv", block.attention.qkv.weight.split(parts), strict=True):
            weights[f"{layer}.self_attn.{part}_proj.weight"] = matrix
        weights[f"{layer}.self_attn.o_proj.weight"] = block.attention.out.weight
        up, gate = block.mlp.up.weight.chunk(2)[::-1]
        weights[f"{layer}.mlp.gate_proj.weight"] = gate
        weights[f"{layer}.mlp.up_proj.weight"] = up
        weights[f"{layer}.mlp.down_proj.weight"] = block.mlp.down.weight
        weights[f"{layer}.input_layernorm.weight"] = block.norm1.weight
        weights[f"{layer}.post_attention_layernorm.weight"] = block.norm2.weight
        if switches.qk_norm:
            weights[f"{layer}.self_attn.q_norm.weight"] = block.attention.query_gain
            weights[f"{layer}.self_attn.k_norm.weight"] = block.attention.key_gain
    _copy(model, weights, tied=switches.tied)
    return model


def _gpt2(module: Decoder) -> PreTrainedModel:
    from transformers import GPT2Config, GPT2LMHeadModel

    from scaling.families.decoder.layers import EPSILON

    decoder: Any = module
    shape, switches = module.shape, module.switches
    wanted = {
        "norm": "layernorm", "norm_position": "pre", "position": "learned", "qk_norm": False, "parallel":
        False,
        "embedding_scale": False, "window": None, "bias": True, "experts": None,
    }  # fmt: skip
    _refuse_unless(switches, "GPT2LMHeadModel", wanted)
    _refuse_branch_scale(switches, "GPT2LMHeadModel")
    activations = {"gelu_tanh": "gelu_new", "gelu": "gelu", "relu": "relu", "relu2": "relu2"}
    if switches.mlp not in activations or shape.kv_heads != shape.heads:
        raise ConfigError(
            "GPT2LMHeadModel has neither gated MLPs nor grouped key and value heads; this decoder "
            "cannot be exported "
            "to transformers"
        )
    config = GPT2Config(
        vocab_size=shape.vocab,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.depth,
        n_head=shape.heads,
        n_inner=shape.hidden,
        activation_function=activations[switches.mlp],
        layer_norm_epsilon=EPSILON,
        tie_word_embeddings=switches.tied,
        resid_pdrop=switches.dropout,
        embd_pdrop=switches.dropout,
        attn_pdrop=switches.dropout,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = GPT2LMHeadModel(config)
    weights = {
        "transformer.wte.weight": module.embedding.weight,
        "transformer.wpe.weight": decoder.position.weight,
    }
    if module.head is not None:
        weights["lm_head.weight"] = module.head.weight
    for name in ("weight", "bias"):
        weights[f"transformer.ln_f.{name}"] = getattr(module.norm, name)
    for i, block in enumerate(decoder.blocks):
        layer = f"transformer.h.{i}"
        pairs = {
            "attn.c_attn": block.attention.qkv, "attn.c_proj": block.attention.out,
            "mlp.c_fc": block.mlp.up, "mlp.c_proj": block.mlp.down,
        }  # fmt: skip
        for name, linear in pairs.items():
            # GPT-2 stores its matrices transposed
            weights[f"{layer}.{name}.weight"] = linear.weight.T
            weights[f"{layer}.{name}.bias"] = linear.bias
        for name, norm in (("ln_1", block.norm1), ("ln_2", block.norm2)):
            weights[f"{layer}.{name}.weight"], weights[f"{layer}.{name}.bias"] = norm.weight, norm.bias
    _copy(model, weights, tied=switches.tied)
    return model


def _refuse_branch_scale(switches: Switches, model: str) -> None:
    if switches.residual_scale == "branch":
        raise ConfigError(
            f"{model} has no family.residual_scale='branch'; this decoder cannot be exported to transformers"
        )


def _copy(model: PreTrainedModel, weights: dict[str, Any], *, tied: bool) -> None:
    """Copy every weight by name. Raises AssertionError when a weight is left over on either side."""
    import torch

    copies = {name: weight.detach().to("cpu", torch.float32).contiguous() for name, weight in weights.items()}
    missing, unexpected = model.load_state_dict(copies, strict=False)
    left = {
        name for name in missing if not (tied and name.startswith(("lm_head.", "cls.predictions.decoder.")))
    }
    if left or unexpected:
        raise AssertionError(f"weights left over: {sorted(left)} {sorted(unexpected)}")
    model.tie_weights()

"""Convert encoders and encoder–decoders to the equivalent `transformers` models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from scaling.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from scaling.families.encoders.masked_module import Encoder
    from scaling.families.encoders.seq2seq_module import EncoderDecoder


def bert(module: Encoder) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return a `BertForMaskedLM` and its weights by name; the mask token is the last token id."""
    from transformers import BertConfig, BertForMaskedLM

    from scaling.families.decoder.layers import EPSILON
    from scaling.families.encoders.masked import BERT

    shape, switches = module.shape, module.switches
    for name in ("norm", "norm_position", "position", "qk_norm", "mlp", "bias"):
        if getattr(switches, name) != getattr(BERT, name):
            raise ConfigError(
                f"BertForMaskedLM has no family.{name}={getattr(switches, name)!r}, only "
                f"{getattr(BERT, name)!r}; this encoder cannot be exported to transformers"
            )
    config = BertConfig(
        vocab_size=shape.vocab + 1,
        hidden_size=shape.width,
        num_hidden_layers=shape.depth,
        num_attention_heads=shape.heads,
        intermediate_size=shape.hidden,
        max_position_embeddings=shape.context,
        type_vocab_size=1,
        hidden_act="gelu",
        layer_norm_eps=EPSILON,
        hidden_dropout_prob=switches.dropout,
        attention_probs_dropout_prob=switches.dropout,
        pad_token_id=None,
    )
    model = BertForMaskedLM(config)
    modules: Any = module
    weights: dict[str, Any] = {
        "bert.embeddings.word_embeddings.weight": modules.embedding.weight,
        "bert.embeddings.position_embeddings.weight": modules.position.weight,
        "bert.embeddings.token_type_embeddings.weight": torch.zeros(1, shape.width),
        # the mask token is never predicted
        "cls.predictions.bias": torch.cat((module.head_bias, torch.full((1,), -1e4))),
    }
    pairs = {
        "bert.embeddings.LayerNorm": modules.embedding_norm,
        "cls.predictions.transform.dense": modules.transform,
        "cls.predictions.transform.LayerNorm": modules.transform_norm,
    }
    for i, block in enumerate(modules.blocks):
        layer = f"bert.encoder.layer.{i}"
        pairs |= {
            f"{layer}.attention.output.dense": block.attention.out,
            f"{layer}.attention.output.LayerNorm": block.norm1,
            f"{layer}.intermediate.dense": block.mlp.up,
            f"{layer}.output.dense": block.mlp.down,
            f"{layer}.output.LayerNorm": block.norm2,
        }
        for kind in ("weight", "bias"):
            for part, piece in zip(
                ("query", "key", "value"), getattr(block.attention.qkv, kind).chunk(3), strict=True
            ):
                weights[f"{layer}.attention.self.{part}.{kind}"] = piece
    for name, part in pairs.items():
        weights[f"{name}.weight"], weights[f"{name}.bias"] = part.weight, part.bias
    return model, weights


def t5(module: EncoderDecoder) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return a `T5ForConditionalGeneration` and its weights; the start token is the last token id."""
    from transformers import T5Config, T5ForConditionalGeneration

    from scaling.families.decoder.layers import EPSILON
    from scaling.families.encoders.switches import PRESETS

    shape, switches, preset = module.shape, module.switches, PRESETS["t5"][0]
    if module.source_distance is None:
        raise ConfigError("transformers has no equivalent of the encoder–decoder of 2017; export family=t5")
    for name in ("norm", "norm_position", "position", "bias", "tied", "embedding_scale"):
        if getattr(switches, name) != getattr(preset, name):
            raise ConfigError(
                f"T5ForConditionalGeneration has no family.{name}={getattr(switches, name)!r}, only "
                f"{getattr(preset, name)!r}; this encoder–decoder cannot be exported to transformers"
            )
    if switches.mlp not in ("relu", "gelu"):
        raise ConfigError(
            f"T5ForConditionalGeneration has no family.mlp={switches.mlp!r}, only 'relu' and 'gelu'; "
            "this encoder–decoder cannot be exported to transformers"
        )
    fields: dict[str, Any] = {
        "vocab_size": shape.vocab + 1,
        "d_model": shape.width,
        "d_kv": shape.head_dim,
        "d_ff": shape.hidden,
        "num_layers": shape.depth,
        "num_decoder_layers": shape.depth,
        "num_heads": shape.heads,
        "dropout_rate": switches.dropout,
        "layer_norm_epsilon": EPSILON,
        "feed_forward_proj": switches.mlp,
        "decoder_start_token_id": module.start_token,
        "pad_token_id": module.start_token,
        "eos_token_id": None,
        "tie_word_embeddings": True,
    }
    model = T5ForConditionalGeneration(T5Config(**fields))
    modules: Any = module
    weights: dict[str, Any] = {"shared.weight": modules.embedding.weight}
    for side, blocks, distance, norm in (
        ("encoder", modules.encoder, modules.source_distance, modules.source_norm),
        ("decoder", modules.decoder, modules.target_distance, modules.target_norm),
    ):
        weights[f"{side}.embed_tokens.weight"] = modules.embedding.weight
        weights[f"{side}.final_layer_norm.weight"] = norm.weight
        weights[f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = distance.weight
        for i, block in enumerate(blocks):
            layer, last = f"{side}.block.{i}.layer", 1 if side == "encoder" else 2
            q, k, v = block.attention.qkv.weight.chunk(3)
            weights |= {f"{layer}.0.SelfAttention.{n}.weight": w for n, w in (("q", q), ("k", k), ("v", v))}
            weights[f"{layer}.0.SelfAttention.o.weight"] = block.attention.out.weight
            weights[f"{layer}.0.layer_norm.weight"] = block.norm1.weight
            if side == "decoder":
                k, v = block.cross.key_value.weight.chunk(2)
                weights |= {
                    f"{layer}.1.EncDecAttention.{n}.weight": w
                    for n, w in (
                        ("q", block.cross.query.weight),
                        ("k", k),
                        ("v", v),
                        ("o", block.cross.out.weight),
                    )
                }
                weights[f"{layer}.1.layer_norm.weight"] = block.norm2.weight
            weights[f"{layer}.{last}.DenseReluDense.wi.weight"] = block.mlp.up.weight
            weights[f"{layer}.{last}.DenseReluDense.wo.weight"] = block.mlp.down.weight
            final = block.norm2 if side == "encoder" else block.norm3
            weights[f"{layer}.{last}.layer_norm.weight"] = final.weight
    return model, weights

"""Build modules of `transformers` for a family, and count their parameters and FLOPs with torch."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from scaling.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

SCORES = ("bmm", "baddbmm", "scaled_dot_product")
"""Operations that, in a model with attention, only the scores and their weighted sums of values use."""


class Foreign(nn.Module):
    """A causal language model of `transformers`: (batch, T) int64 → logits (batch, T, vocab)."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the token after each position, (batch, T, vocab)."""
        logits: Tensor = self.model(input_ids=tokens, use_cache=False).logits
        return logits


def build(config: PreTrainedConfig, *, seed: int) -> Foreign:
    """Return the module, initialised by transformers from this seed; torch's generator is not changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Foreign(_model(config))


def _model(config: PreTrainedConfig, attention: str | None = None) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM

    options = {} if attention is None else {"attn_implementation": attention}
    try:
        auto: Any = AutoModelForCausalLM
        model: PreTrainedModel = auto.from_config(config, dtype=torch.float32, **options)
    except (ValueError, TypeError, ZeroDivisionError, AssertionError) as error:
        text = " ".join(str(error).split())
        raise ConfigError(f"transformers cannot build this {config.model_type}: {text}") from None
    return model


def component_of(name: str, *, head: str, table: str) -> str:
    """Return the component that a module or parameter of this dotted name belongs to.

    Args:
        name: dotted name inside the model.
        head: dotted name of the output embedding.
        table: dotted name of the input embedding.
    """
    parts = name.lower().split(".")
    if name == table or name.startswith(f"{table}."):
        return "embedding"
    if name == head or name.startswith(f"{head}."):
        return "head"
    if any(word in part for part in parts for word in ("wpe", "embed_positions", "position_embedding")):
        return "position"
    if any("norm" in part or part in ("ln_1", "ln_2", "ln_f") for part in parts):
        return "norm"
    if any(part in ("mlp", "ffn", "feed_forward", "fc1", "fc2") for part in parts):
        return "mlp"
    if any("attn" in part or "attention" in part for part in parts):
        return "attention_projection"
    return "other"


def measure(config: PreTrainedConfig, context: int) -> tuple[dict[str, int], dict[str, float]]:
    """Return the parameters and the forward FLOPs of one sequence, each by component.

    Raises:
        ConfigError: when the model cannot be built, or its FLOPs depend on its data: the meta device, on
            which the model runs here, has no data.
    """
    attends = bool(getattr(config, "num_attention_heads", None))
    with torch.device("meta"):
        model: Any = _model(config, "eager" if attends else None).train(False)
    tokens = torch.zeros(1, context, dtype=torch.long, device="meta")
    # without a mask transformers looks for packed sequences in the data, which the meta device does not have
    mask = {"attention_mask": torch.ones_like(tokens)} if attends else {}
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.no_grad():
            model(input_ids=tokens, use_cache=False, **mask)
    except (NotImplementedError, RuntimeError) as error:
        text = " ".join(str(error).split())[:160]
        raise ConfigError(
            f"the FLOPs of this {config.model_type} depend on its data and cannot be counted before it runs: "
            f"{text}"
        ) from None
    names = {id(module): name for name, module in model.named_modules()}
    table = names[id(model.get_input_embeddings())]
    out = model.get_output_embeddings()
    head = names[id(out)] if out is not None else ""
    params: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        params[component_of(name, head=head, table=table)] += parameter.numel()

    by_module = counter.get_flop_counts()
    root = type(model).__name__
    total = float(sum(by_module["Global"].values()))
    flops: dict[str, float] = defaultdict(float)
    if attends:
        scores = [n for op, n in by_module["Global"].items() if any(word in str(op) for word in SCORES)]
        flops["attention_scores_full"] = sum(scores)
    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            work = by_module.get(f"{root}.{name}", {})
            matrices = sum(n for op, n in work.items() if not any(word in str(op) for word in SCORES))
            component = component_of(name, head=head, table=table)
            flops["other" if component in ("embedding", "position", "norm") else component] += matrices
    flops["other"] += total - sum(flops.values())
    return dict(params), {name: float(value) for name, value in flops.items() if value}

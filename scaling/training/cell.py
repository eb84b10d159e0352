"""Define a cell: everything that decides the result of one run. Equal cells have the same run id."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from scaling import families
from scaling.config import Config
from scaling.config.kinds import POSITIVE
from scaling.errors import ConfigError
from scaling.tables.schema import SCHEMA_VERSION
from scaling.training.config.budget import check_steps, solve, tokens_asked
from scaling.training.config.compression import Compression
from scaling.training.config.compression import from_config as compression_of
from scaling.training.config.text import check_heldout, check_kind, read_by, supply
from scaling.training.parent import Start, find
from scaling.training.recipes.recipe import Hyperparameters, Situation

IDENTITY = 1
"""Version of the dictionary that `Cell.identity` returns. Increase it when the same dictionary would train
another run; new columns of the record do not change it."""
THINNING = 8
"""Evaluations during training use every eighth held-out sequence, so that 16 of them cost as much as 2 full
ones."""
COMPONENTS = {
    "flops_attention_projection": "attention_projection",
    "flops_attention_scores_full": "attention_scores_full",
    "flops_attention_scores_causal": "attention_scores_causal",
    "flops_mlp": "mlp",
    "flops_norm": "norm",
    "flops_head": "head",
}
"""Column of the record → component of the family's FLOPs."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """The scientific part of one run's config. Nothing in it depends on the machine."""

    family: str
    """Name of the family."""
    switches: Mapping[str, Any]
    """The family's other settings."""
    architecture: Any = dataclasses.field(repr=False, compare=False)
    """The family object."""
    size: float
    """Value of the family's dial."""
    shape: Any
    """Shape at this size: width, depth, heads, …"""
    counts: Any
    """Parameters and FLOPs by component."""
    objective: str
    """Training objective: causal, masked, classification, seq2seq or regression."""
    corpus: str
    """Name of the corpus."""
    corpus_hash: str
    """Hash of the corpus."""
    vocab: int
    """Vocabulary size."""
    bytes_per_token: float
    """Mean bytes per token of the held-out text."""
    context: int
    """Tokens of one sequence."""
    steps: int
    """Number of optimiser steps."""
    tokens_unique: int
    """Number of distinct tokens that the run can see."""
    unique_tokens: int | None
    """Limit on distinct tokens in the config, or None."""
    hyperparameters: Hyperparameters
    """Hyperparameters that the recipe derived."""
    recipe: str
    """Name of the recipe. It is not part of the run id; the hyperparameters are."""
    budget_flops: float | None
    """Budget C in FLOPs, or None if the budget is in tokens."""
    evaluation_sequences: int
    """Number of held-out sequences."""
    evaluation_points: int
    """Number of evaluations during training, evenly spaced in log steps."""
    seed: int
    """Random seed of the weights and the data order."""
    dtype: str
    """Number format of the forward pass. It changes the loss, so it is part of the run id."""
    start: Start | None = None
    """Trained run whose weights the cell starts from, and which of them are trained."""
    compression: Compression | None = None
    """Rounding and pruning during training."""

    @classmethod
    def from_config(cls, config: Config, corpus: Any) -> Cell:
        """Return the cell of a config and a prepared corpus.

        Args:
            config: the config of the run.
            corpus: the result of `open_data`; only its manifest is read, not its tokens.

        Raises:
            ConfigError: for an invalid budget, recipe, family or number of steps.
            CorpusError: for too little text.
        """
        context = config.context
        family = families.from_config(config.family)
        corpus = read_by(family.objective, corpus)
        texts = getattr(corpus, "texts", corpus)
        check_kind(family.objective, family.name, corpus, context, classes=getattr(family, "classes", None))
        # in regression a token is an example
        length = 1 if family.objective == "regression" else context
        size = POSITIVE.read("family.size", config.family.size)
        shape = family.shape(size, vocab=texts.vocab, context=context)
        counts = family.counts(shape)
        start = find(config, family=family, shape=shape, counts=counts, corpus=corpus)
        compression = compression_of(config.compression, start)
        flops_per_token = counts.flops_per_token if start is None else start.cost.flops_per_token
        asked, budget_flops = tokens_asked(config.budget, flops_per_token)

        unique_tokens, unique = supply(config.corpus, corpus, asked, length)
        situation = Situation(
            params=counts.params_total,
            params_body=counts.params_block,
            width=shape.width,
            depth=shape.depth,
            context=length,
            tokens=asked,
            flops_per_token=counts.flops_per_token,
            flops_per_token_body=counts.flops_per_token - 3.0 * counts.flops.get("head", 0.0),
            tokens_unique=unique,
        )
        hyperparameters, steps = solve(situation, config.recipe, asked)
        check_steps(steps, hyperparameters.batch_sequences * length, asked, flops_per_token, budget_flops)
        if (hyperparameters.warmup_steps or 0) > steps:
            raise ConfigError(
                f"recipe.warmup_steps is {hyperparameters.warmup_steps:,} and the run has {steps:,} steps; "
                "set fewer, or a larger budget"
            )

        check_heldout(corpus, config.evaluation.sequences, context)
        return cls(
            family=family.name,
            switches=family.switches,
            architecture=family,
            size=size,
            shape=shape,
            counts=counts,
            objective=str(family.objective),
            corpus=texts.name,
            corpus_hash=texts.hash,
            vocab=texts.vocab,
            bytes_per_token=float(texts.bytes_per_token),
            context=context,
            steps=steps,
            tokens_unique=unique,
            unique_tokens=unique_tokens,
            hyperparameters=hyperparameters,
            recipe=str(config.recipe.name),
            budget_flops=budget_flops,
            evaluation_sequences=config.evaluation.sequences,
            evaluation_points=config.evaluation.points,
            seed=config.seed,
            dtype=config.device.dtype,
            start=start,
            compression=compression,
        )

    @property
    def flops_per_token(self) -> float:
        """Training FLOPs of one token. Frozen weights make the backward pass cheaper."""
        return float(self.counts.flops_per_token if self.start is None else self.start.cost.flops_per_token)

    @property
    def batch_tokens(self) -> int:
        """Tokens of one optimiser step (examples, in regression)."""
        length = 1 if self.objective == "regression" else self.context
        return self.hyperparameters.batch_sequences * length

    @property
    def tokens(self) -> int:
        """D, tokens seen in training."""
        return self.steps * self.batch_tokens

    @property
    def epochs(self) -> float:
        """Tokens seen per distinct token."""
        return self.tokens / self.tokens_unique

    @property
    def flops(self) -> float:
        """C, training FLOPs of the whole run."""
        return float(self.tokens * self.flops_per_token)

    @property
    def warmup_steps(self) -> int:
        """Number of steps of linear warm-up."""
        h = self.hyperparameters
        return round(h.warmup_fraction * self.steps) if h.warmup_steps is None else h.warmup_steps

    @property
    def decay_steps(self) -> int:
        """Number of steps of decay at the end of the schedule wsd."""
        return round(self.hyperparameters.decay_fraction * self.steps)

    def identity(self) -> dict[str, Any]:
        """Return everything that decides the result of the run, and nothing else."""
        # an absent option is left out, so that runs older than the option keep their ids
        start = {} if self.start is None else {"start": self.start.identity()}
        compression = {} if self.compression is None else {"compression": self.compression.as_dict()}
        return {
            "schema": IDENTITY,
            "family": self.family,
            "switches": dict(self.switches),
            # two sizes may give the same shape; then they are the same run
            "shape": {k: v for k, v in self.shape.as_dict().items() if k != "size"},
            "objective": self.objective,
            "corpus": self.corpus_hash,
            "context": self.context,
            "steps": self.steps,
            "unique_tokens": self.unique_tokens,
            "hyperparameters": self.hyperparameters.as_dict(),
            "evaluation": {"sequences": self.evaluation_sequences, "points": self.evaluation_points},
            "seed": self.seed,
            "dtype": self.dtype,
            **start,
            **compression,
        }

    @property
    def run_id(self) -> str:
        """Sixteen hex digits of the SHA-256 of the science as canonical JSON."""
        text = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def columns(self) -> dict[str, Any]:
        """Return the columns of the record that are known before training."""
        counts, h, shape = self.counts, self.hyperparameters, self.shape.as_dict()
        start, compression = self.start, self.compression
        # a training step costs three forward passes: one forward, two backward (gradients of inputs and of
        # weights), or fewer if some weights are frozen
        flops = {part: 3.0 * counts.flops.get(part, 0.0) for part in COMPONENTS.values()}
        if start is not None:
            flops = dict(start.cost.flops)
        return {
            "run_id": self.run_id,
            "schema": SCHEMA_VERSION,
            "family": self.family,
            "size": self.size,
            "seed": self.seed,
            "objective": self.objective,
            "params": counts.params_total,
            "params_embedding": counts.params_embedding,
            "params_head": counts.params_head,
            "params_block": counts.params_block,
            "params_active": counts.params_active,
            "width": self.shape.width,
            "depth": self.shape.depth,
            "heads": shape.get("heads") or None,
            "tokens": self.tokens,
            "tokens_unique": self.tokens_unique,
            "epochs": self.epochs,
            "steps": self.steps,
            "batch_sequences": h.batch_sequences,
            "batch_tokens": self.batch_tokens,
            "context": self.context,
            "vocab": self.vocab,
            "bytes_per_token": self.bytes_per_token,
            "corpus": self.corpus,
            "corpus_hash": self.corpus_hash,
            "budget_flops": self.budget_flops,
            "flops": self.flops,
            **{column: flops.get(part, 0.0) * self.tokens for column, part in COMPONENTS.items()},
            "learning_rate": h.learning_rate,
            "weight_decay": h.weight_decay,
            "schedule": h.schedule,
            "warmup_steps": self.warmup_steps,
            "optimizer": h.optimizer,
            "recipe": self.recipe,
            "parent": start and start.run_id,
            "adaptation": start and start.adaptation.kind,
            "params_trainable": start.cost.params_trainable if start else counts.params_total,
            "tokens_before": start.tokens_before if start else 0,
            "flops_before": start.flops_before if start else 0.0,
            "sparsity": compression and compression.sparsity,
            "weight_bits": float(compression.bits) if compression and compression.bits else None,
            "dtype": self.dtype,
        }

"""Derive hyperparameters from the model and its tokens; each derived value has its rule as text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from scaling.config.kinds import (
    PARTS,
    POSITIVE,
    SEQUENCES,
    SHARE,
    Setting,
    check,
    choice,
    key,
    number,
    or_none,
    required,
    whole,
)
from scaling.errors import ConfigError, one_of, quoted

SCHEDULES = ("constant", "linear", "cosine", "wsd")
OPTIMIZERS = ("adamw", "adam", "sgd", "lion", "muon", "soap")
OF_MATRICES = ("muon", "soap")
"""Optimisers that update the unsharded matrices of the blocks, with AdamW for all other parameters."""
PARAMETRIZATIONS = ("standard", "mup", "completep")
_DECAY = number(0, 0.99999)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters of a run. They are part of the run id."""

    learning_rate: float = required(POSITIVE)
    """Peak learning rate."""
    batch_sequences: int = required(SEQUENCES)
    """Batch size in sequences per optimiser step."""
    optimizer: str = key("adamw", choice(*OPTIMIZERS))
    """Algorithm of an optimiser step."""
    beta1: float = key(0.9, _DECAY)
    """Decay rate of the mean of gradients; the momentum of sgd, lion and muon."""
    beta2: float = key(0.99, _DECAY)
    """Decay rate of the mean of squared gradients. The default is 0.99, not the usual 0.95, because small
    batches need a longer average (arXiv:2406.19146 section 3.4)."""
    epsilon: float = key(1e-8, number(0, 1))
    """Constant added to the root of the second moment."""
    weight_decay: float = key(0.1, number(0, 1e6))
    """Decoupled weight decay: a step subtracts learning_rate × weight_decay of every matrix. Gains, biases
    and embeddings do not decay."""
    clip: float | None = key(1.0, or_none(POSITIVE))
    """Maximum norm of the whole gradient; none = not clipped."""
    schedule: str = key("linear", choice(*SCHEDULES))
    """Learning-rate schedule."""
    warmup_fraction: float = key(0.05, SHARE)
    """Share of the steps that are linear warm-up."""
    warmup_steps: int | None = key(None, or_none(whole(0, 1_000_000_000)))
    """Number of steps of warm-up, for instance for runs that share a trunk; none = use warmup_fraction."""
    decay_fraction: float = key(0.2, SHARE)
    """Share of the steps that are the decay of wsd; arXiv:2405.18392 finds that 20 % is enough."""
    final_fraction: float = key(0.0, SHARE)
    """Learning rate at the end, as a share of the peak."""
    label_smoothing: float = key(0.0, number(0, 0.99))
    """Label smoothing in training; the held-out loss is not smoothed."""
    patience: int = key(0, whole(0, 1_000_000))
    """Number of evaluations without a lower held-out loss after which training stops early; 0 = never."""
    parametrization: str = key("standard", choice(*PARAMETRIZATIONS))
    """Scaling of initial weights and learning rates with width and depth."""
    base_width: int = key(64, PARTS)
    """Width at which mup and completep equal the standard parametrization."""
    base_depth: int = key(2, PARTS)
    """Depth at which completep equals the standard parametrization."""
    rules: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    """Name → rule that gave the value, as text. Not part of the run id."""

    def __post_init__(self) -> None:
        check(self, "recipe")
        if self.warmup_fraction + (self.decay_fraction if self.schedule == "wsd" else 0) > 1:
            raise ConfigError(
                f"recipe.warmup_fraction {self.warmup_fraction:g} and decay_fraction "
                f"{self.decay_fraction:g} add up to more than "
                f"1; lower one of them"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return all fields but `rules`; they are part of the run id."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "rules"}


TIMESCALE = "weight_decay_timescale"
"""Key of the config that replaces weight_decay."""
SHARE_OF_RUN = Setting(
    POSITIVE,
    None,
    "In place of weight_decay: the share of the run over which AdamW forgets a weight.",
)
"""Setting of TIMESCALE."""
FIELDS = {f.name: f for f in dataclasses.fields(Hyperparameters) if f.name != "rules"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Situation:
    """The model and data of a run, from which rules derive hyperparameters."""

    params: int
    """N, all parameters."""
    params_body: int
    """N without embedding and head, as Kaplan, Step Law and others count."""
    width: int
    """Width of the residual stream."""
    depth: int
    """Number of blocks."""
    context: int
    """Tokens of one sequence."""
    tokens: float
    """D, the tokens that this run will see, also in an IsoFLOP sweep."""
    flops_per_token: float
    """Training FLOPs per token by the family's count, so that C = D × flops_per_token."""
    flops_per_token_body: float
    """Training FLOPs per token without the head, as DeepSeek counts."""
    tokens_unique: float = math.inf
    """Number of distinct tokens."""

    @property
    def flops(self) -> float:
        """C, training FLOPs."""
        return self.tokens * self.flops_per_token

    @property
    def flops_body(self) -> float:
        """Training FLOPs without the head."""
        return self.tokens * self.flops_per_token_body

    def sequences(self, tokens: float) -> int:
        """Return a batch of `tokens` tokens as a whole number of sequences, at least 1."""
        return max(1, round(tokens / self.context))


Derived = Mapping[str, tuple[Any, str]]
"""Name of a hyperparameter → its value, and its rule as text."""
Rule = Callable[[Situation, Mapping[str, Any]], Derived]
"""Function from the situation and the recipe's constants to some hyperparameters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named set of rules with its source."""

    name: str
    """Name in the config."""
    source: str
    """Source of the rules: arXiv id and equation, or a measurement."""
    rule: Rule
    """Function that derives the hyperparameters."""
    constants: Mapping[str, Setting] = dataclasses.field(default_factory=dict)
    """Constants of the rules that a config may change."""

    def resolve(self, situation: Situation, settings: Mapping[str, Any] | None = None) -> Hyperparameters:
        """Return the hyperparameters of a run.

        A value of `settings` that is not null replaces that of a rule; a rule replaces the default. Derived
        values are rounded to six digits, so that a cell has the same run id on every machine.

        Raises ConfigError for an unknown name or an invalid value.
        """
        chosen = {k: v for k, v in (settings or {}).items() if v is not None and k != "name"}
        allowed = {*FIELDS, *self.constants, TIMESCALE}
        unknown = [k for k in chosen if k not in allowed]
        if unknown:
            raise ConfigError(one_of(f"a setting of recipe {self.name!r}", unknown[0], allowed))
        constants = {
            name: setting.kind.read(f"recipe.{name}", chosen.get(name, setting.default))
            for name, setting in self.constants.items()
        }
        derived = self.rule(situation, constants)
        values: dict[str, Any] = {}
        rules: dict[str, str] = {}
        for name, (value, text) in derived.items():
            values[name] = self._derived(name, six_digits(value), chosen)
            rules[name] = text
        for name, value in chosen.items():
            if name in FIELDS:
                values[name] = FIELDS[name].metadata["kind"].read(f"recipe.{name}", value)
                rules[name] = "set in the config"
        if TIMESCALE in chosen:
            if "weight_decay" in chosen:
                raise ConfigError(
                    f"recipe.weight_decay and recipe.{TIMESCALE} both set the decay; leave one of them null"
                )
            share = SHARE_OF_RUN.kind.read(f"recipe.{TIMESCALE}", chosen[TIMESCALE])
            decay, rules["weight_decay"] = decay_over(share, situation, values)
            values["weight_decay"] = self._derived("weight_decay", decay, chosen)
        return Hyperparameters(**values, rules=rules)

    def _derived(self, name: str, value: Any, chosen: Mapping[str, Any]) -> Any:
        """Return a derived value. Raises ConfigError, which names the settings, if it is not allowed."""
        try:
            FIELDS[name].metadata["kind"].read(f"recipe.{name}", value)
        except ConfigError as error:
            given = ", ".join(f"recipe.{key}={quoted(one)}" for key, one in chosen.items()) or "no setting"
            raise ConfigError(f"{error}; the recipe {self.name!r} derives it from {given}") from None
        return value


def decay_over(share: float, situation: Situation, values: Mapping[str, Any]) -> tuple[float, str]:
    """Return the weight decay λ of an AdamW timescale, and its rule as text.

    The timescale τ = B / (η λ D), a `share` of the run's tokens, is the time over which AdamW averages its
    updates. The best τ depends less on model and data than the best λ (arXiv:2405.13698, where the run is an
    epoch).
    """
    batch = values["batch_sequences"] * situation.context
    decay = six_digits(batch / (values["learning_rate"] * share * situation.tokens))
    return decay, f"B / (rate · τ · D) with τ = {share:g} of the run"


def six_digits(value: Any) -> Any:
    """Round a derived float to six significant digits, so that it is equal on all machines."""
    return float(f"{value:.6g}") if isinstance(value, float) else value

"""Derive hyperparameters from the model and its tokens; each derived value has its rule as text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from scaling.errors import ConfigError, one_of

SCHEDULES = ("constant", "linear", "cosine", "wsd")
OPTIMIZERS = ("adamw", "adam", "sgd", "lion", "muon", "soap")
OF_MATRICES = ("muon", "soap")
"""Optimisers that update the unsharded matrices of the blocks, with AdamW for all other parameters."""
PARAMETRIZATIONS = ("standard", "mup", "completep")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters of a run. They are part of the run id."""

    learning_rate: float
    """Peak learning rate."""
    batch_sequences: int
    """Batch size in sequences per optimiser step."""
    optimizer: str = "adamw"
    """One of OPTIMIZERS."""
    beta1: float = 0.9
    """Decay rate of the mean of gradients; the momentum of sgd, lion and muon."""
    beta2: float = 0.99
    """Decay rate of the mean of squared gradients. The default is 0.99, not the usual 0.95, because small
    batches need a longer average (arXiv:2406.19146 section 3.4)."""
    epsilon: float = 1e-8
    """Constant added to the root of the second moment."""
    weight_decay: float = 0.1
    """Decoupled weight decay: a step subtracts learning_rate × weight_decay of every matrix. Gains, biases
    and embeddings do not decay."""
    clip: float | None = 1.0
    """Maximum norm of the whole gradient; None = not clipped."""
    schedule: str = "linear"
    """Learning-rate schedule: one of SCHEDULES."""
    warmup_fraction: float = 0.05
    """Share of the steps that are linear warm-up."""
    warmup_steps: int | None = None
    """Number of steps of warm-up, for instance for runs that share a trunk; None = use warmup_fraction."""
    decay_fraction: float = 0.2
    """Share of the steps that are the decay of wsd; arXiv:2405.18392 finds that 20 % is enough."""
    final_fraction: float = 0.0
    """Learning rate at the end, as a share of the peak."""
    label_smoothing: float = 0.0
    """Label smoothing in training; the held-out loss is not smoothed."""
    patience: int = 0
    """Number of evaluations without a lower held-out loss after which training stops early; 0 = never."""
    parametrization: str = "standard"
    """Scaling of initial weights and learning rates with width and depth: one of PARAMETRIZATIONS."""
    base_width: int = 64
    """Width at which mup and completep equal the standard parametrization."""
    base_depth: int = 2
    """Depth at which completep equals the standard parametrization."""
    rules: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    """Name → rule that gave the value, as text. Not part of the run id."""

    def __post_init__(self) -> None:
        for name, allowed in (
            ("schedule", SCHEDULES),
            ("optimizer", OPTIMIZERS),
            ("parametrization", PARAMETRIZATIONS),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise ConfigError(one_of(f"recipe.{name}", value, allowed))
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(
                    f"recipe.{name} is {value!r}; it must lie between {low:g} and {high:g}; change it or "
                    "leave it null"
                )
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(
                f"recipe.learning_rate is {self.learning_rate!r}; it must be positive; change it or leave "
                "it null"
            )
        if self.batch_sequences < 1:
            raise ConfigError(
                f"recipe.batch_sequences is {self.batch_sequences!r}; it must be 1 or more; change it or "
                "leave it null"
            )
        if self.clip is not None and self.clip <= 0:
            raise ConfigError(f"recipe.clip is {self.clip!r}; it must be positive, or 'none' to never clip")
        if self.warmup_fraction + (self.decay_fraction if self.schedule == "wsd" else 0) > 1:
            raise ConfigError(
                f"recipe.warmup_fraction {self.warmup_fraction:g} and decay_fraction "
                f"{self.decay_fraction:g} add up to more than "
                f"1; lower one of them"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return all fields but `rules`; they are part of the run id."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "rules"}


_RANGES = (
    ("beta1", 0.0, 0.99999),
    ("beta2", 0.0, 0.99999),
    ("epsilon", 0.0, 1.0),
    ("weight_decay", 0.0, 1e6),
    ("warmup_fraction", 0.0, 1.0),
    ("decay_fraction", 0.0, 1.0),
    ("final_fraction", 0.0, 1.0),
    ("label_smoothing", 0.0, 0.99),
    ("warmup_steps", 0, 1_000_000_000),
    ("patience", 0, 1_000_000),
    ("base_width", 1, 1_000_000),
    ("base_depth", 1, 1_000_000),
)
TIMESCALE = "weight_decay_timescale"
"""Key of the config that replaces weight_decay."""
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
    constants: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Constants of the rules that a config may change: name → default."""

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
        constants = {k: _typed(k, chosen.get(k, v), "float") for k, v in self.constants.items()}
        derived = self.rule(situation, constants)
        values: dict[str, Any] = {}
        rules: dict[str, str] = {}
        for name, (value, text) in derived.items():
            values[name] = six_digits(value)
            rules[name] = text
        for name, value in chosen.items():
            if name in FIELDS:
                values[name] = _typed(name, value, str(FIELDS[name].type))
                rules[name] = "set in the config"
        if TIMESCALE in chosen:
            if "weight_decay" in chosen:
                raise ConfigError(
                    f"recipe.weight_decay and recipe.{TIMESCALE} both set the decay; leave one of them null"
                )
            share = _typed(TIMESCALE, chosen[TIMESCALE], "float")
            values["weight_decay"], rules["weight_decay"] = decay_over(share, situation, values)
        return Hyperparameters(**values, rules=rules)


def decay_over(share: float, situation: Situation, values: Mapping[str, Any]) -> tuple[float, str]:
    """Return the weight decay λ of an AdamW timescale, and its rule as text.

    The timescale τ = B / (η λ D), a `share` of the run's tokens, is the time over which AdamW averages its
    updates. The best τ depends less on model and data than the best λ (arXiv:2405.13698, where the run is an
    epoch). Raises ConfigError.
    """
    if not 0 < share < math.inf:
        raise ConfigError(
            f"recipe.{TIMESCALE} is {share!r}; it must be a share of the run above 0, such as 0.3, or null"
        )
    batch = values["batch_sequences"] * situation.context
    decay = six_digits(batch / (values["learning_rate"] * share * situation.tokens))
    return decay, f"B / (rate · τ · D) with τ = {share:g} of the run"


def six_digits(value: Any) -> Any:
    """Round a derived float to six significant digits, so that it is equal on all machines."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _typed(name: str, value: Any, kind: str) -> Any:
    """Convert a config value to its field's type; '1e-3' is a number, 'none' is None if allowed."""
    if isinstance(value, str) and value.lower() == "none" and "None" in kind:
        return None
    try:
        if "int" in kind:
            if float(value) != int(float(value)):
                raise ValueError
            return int(float(value))
        if "float" in kind:
            return float(value)
    except (TypeError, ValueError):
        what = "a whole number" if "int" in kind else "a number"
        raise ConfigError(
            f"recipe.{name} is {value!r}; it must be {what}; change it or leave it null"
        ) from None
    return str(value)

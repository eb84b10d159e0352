"""Recipes: hyperparameters as functions of the model and of the tokens it will see, every number with its
rule in words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from scaling.errors import ConfigError, one_of

SCHEDULES = ("constant", "linear", "cosine", "wsd")
OPTIMIZERS = ("adamw", "adam", "sgd", "lion", "muon", "soap")
OF_MATRICES = ("muon", "soap")
"""Optimisers that take the matrices of the blocks, whole, and leave everything else to AdamW."""
PARAMETRIZATIONS = ("standard", "mup", "completep")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that a recipe decides. A value here is science: another value is another run."""

    learning_rate: float
    """Peak learning rate."""
    batch_sequences: int
    """Sequences of one optimiser step."""
    optimizer: str = "adamw"
    """One of OPTIMIZERS."""
    beta1: float = 0.9
    """Decay of the mean of gradients; the momentum of sgd, lion and muon."""
    beta2: float = 0.99
    """Decay of the mean of squared gradients. 0.99, not the 0.95 of large batches: a batch of few tokens
    needs the
    longer average (arXiv:2406.19146 section 3.4 finds the same for small models)."""
    epsilon: float = 1e-8
    """Added to the root of the second moment."""
    weight_decay: float = 0.1
    """Decoupled: a step takes learning_rate × weight_decay off every matrix. Gains, biases and embeddings are
    spared."""
    clip: float | None = 1.0
    """Largest norm of the whole gradient; None = never clipped."""
    schedule: str = "linear"
    """Learning rate against step: one of SCHEDULES."""
    warmup_fraction: float = 0.05
    """Share of the steps in which the learning rate rises linearly to its peak."""
    warmup_steps: int | None = None
    """Steps of warm-up where they must not move with the horizon, as for a shared trunk; None = the
    fraction."""
    decay_fraction: float = 0.2
    """Share of the steps in which wsd decays (arXiv:2405.18392 finds 20 % enough); no other schedule reads
    it."""
    final_fraction: float = 0.0
    """Learning rate at the end as a share of the peak."""
    label_smoothing: float = 0.0
    """Share of the target spread evenly over the vocabulary in training; the held-out loss is never
    smoothed."""
    patience: int = 0
    """Early stopping: evaluations without a new lowest held-out loss after which training ends; 0 = never.
    Recorded."""
    parametrization: str = "standard"
    """How initial weights and learning rates move with width and depth: one of PARAMETRIZATIONS."""
    base_width: int = 64
    """Width at which mup and completep equal the standard parametrization."""
    base_depth: int = 2
    """Depth at which completep equals the standard parametrization."""
    rules: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    """How each derived number came about, in words; not science."""

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
                f"{self.decay_fraction:g} are more than "
                f"the whole run; together they may be at most 1"
            )

    def as_dict(self) -> dict[str, Any]:
        """The science: every field but the words."""
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
"""What a config gives instead of a weight decay."""
FIELDS = {f.name: f for f in dataclasses.fields(Hyperparameters) if f.name != "rules"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Situation:
    """What a rule may look at. D is the tokens that this run will see: rules that take D are right in IsoFLOP
    mode."""

    params: int
    """N, all parameters."""
    params_body: int
    """N without the input embedding and the output head, as Kaplan, Step Law and others count."""
    width: int
    """Size of the residual stream."""
    depth: int
    """Blocks."""
    context: int
    """Tokens of one sequence."""
    tokens: float
    """D, tokens seen."""
    flops_per_token: float
    """Training FLOPs per token by the family's own count; C = D × this."""
    flops_per_token_body: float
    """The same without the output head, as DeepSeek counts."""
    tokens_unique: float = math.inf
    """Distinct tokens that can be seen."""

    @property
    def flops(self) -> float:
        """C, the training FLOPs."""
        return self.tokens * self.flops_per_token

    @property
    def flops_body(self) -> float:
        """The training FLOPs without the head's."""
        return self.tokens * self.flops_per_token_body

    def sequences(self, tokens: float) -> int:
        """A batch of so many tokens, in whole sequences, at least one."""
        return max(1, round(tokens / self.context))


Derived = Mapping[str, tuple[Any, str]]
"""A hyperparameter's name → its value and the rule in words."""
Rule = Callable[[Situation, Mapping[str, Any]], Derived]
"""A rule sees the situation and its constants, and derives some hyperparameters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named set of rules with its source."""

    name: str
    """What a config calls it."""
    source: str
    """Where the rules come from: arXiv id and equation, or the measurement behind them."""
    rule: Rule
    """The rules."""
    constants: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Numbers of the rules that a config may change."""

    def resolve(self, situation: Situation, settings: Mapping[str, Any] | None = None) -> Hyperparameters:
        """The hyperparameters of a run. What `settings` gives (not null) comes before the rules, rules before
        defaults.

        Derived numbers keep six digits: the same cell on another machine is then the same run.

        Raises ConfigError for a name that is neither a hyperparameter nor a constant of this recipe, or a bad
        value.
        """
        given = {k: v for k, v in (settings or {}).items() if v is not None and k != "name"}
        allowed = {*FIELDS, *self.constants, TIMESCALE}
        unknown = [k for k in given if k not in allowed]
        if unknown:
            raise ConfigError(one_of(f"a setting of recipe {self.name!r}", unknown[0], allowed))
        constants = {k: _typed(k, given.get(k, v), "float") for k, v in self.constants.items()}
        derived = self.rule(situation, constants)
        values: dict[str, Any] = {}
        rules: dict[str, str] = {}
        for name, (value, words) in derived.items():
            values[name] = six_digits(value)
            rules[name] = words
        for name, value in given.items():
            if name in FIELDS:
                values[name] = _typed(name, value, str(FIELDS[name].type))
                rules[name] = "set in the config"
        if TIMESCALE in given:
            if "weight_decay" in given:
                raise ConfigError(
                    f"recipe.weight_decay and recipe.{TIMESCALE} both say how weights decay; leave one null"
                )
            share = _typed(TIMESCALE, given[TIMESCALE], "float")
            values["weight_decay"], rules["weight_decay"] = decay_over(share, situation, values)
        return Hyperparameters(**values, rules=rules)


def decay_over(share: float, situation: Situation, values: Mapping[str, Any]) -> tuple[float, str]:
    """The weight decay with which AdamW forgets a weight over this `share` of the run's tokens, and its rule:
    τ = B / (η λ D), which moves less with the model and the data than the best decay does (arXiv:2405.13698,
    where the run is an epoch). Raises ConfigError.
    """
    if not 0 < share < math.inf:
        raise ConfigError(
            f"recipe.{TIMESCALE} is {share!r}; it must be above 0, such as 0.3 of the run, or null"
        )
    batch = values["batch_sequences"] * situation.context
    decay = six_digits(batch / (values["learning_rate"] * share * situation.tokens))
    return decay, f"B / (rate · τ · D) with τ = {share:g} of the run"


def six_digits(value: Any) -> Any:
    """A derived float with six significant digits, so that the last bit of a power does not tell machines
    apart."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _typed(name: str, value: Any, kind: str) -> Any:
    """A config's value as its field's type: '1e-3' is a number, 'none' is None where that is allowed."""
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

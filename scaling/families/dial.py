"""Derive the shape of a decoder from one number, size (the dial). Plain arithmetic, no torch.

An integer size s gives depth s and width 24·s, so the blocks hold about 12·24²·s³ ≈ 6900·s³ parameters.
Between integers N grows smoothly: the depth is rounded, and the width is chosen so that N matches the formula
at the fractional depth. The width moves in steps of two features per head, so N matches to a few per cent. A
larger size never has fewer parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from scaling.errors import ShapeError
from scaling.families.counts import block_params, outer_params
from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape, positive_integer

ASPECT = 24
"""Width per layer."""
SIZES = (0.25, 256.0)
"""The dial's range: about 3 thousand to 100 billion parameters on bytes."""


def check_size(size: object, family: str, sizes: tuple[float, float] = SIZES) -> float:
    """Return `size` as a float. Raises ShapeError when it is no number in the range of the family."""
    if isinstance(size, bool) or not isinstance(size, int | float) or not math.isfinite(size):
        raise ShapeError(f"family.size must be a number from {sizes[0]:g} to {sizes[1]:g}; not {size!r}")
    if not sizes[0] <= size <= sizes[1]:
        raise ShapeError(
            f"family.size={size:g} is outside the range of {family}, which is {sizes[0]:g} to {sizes[1]:g}; "
            "choose a size in this range"
        )
    return float(size)


def hidden_width(width: int, switches: Switches) -> int:
    """Return the features inside the MLP: ratio × width, rounded to a multiple of 8 (of 2 below width 24).

    With experts, the result also divides evenly among the experts of one token.
    """
    step = (8 if width >= 24 else 2) * (switches.experts_per_token if switches.experts else 1)
    return max(step, step * round(switches.ratio * width / step))


def customary_heads(width: float) -> float:
    """Return the default number of query heads of a width, unrounded.

    Below width 256 the number of heads and the features of a head grow together. From width 256 a head has
    32 features, from width 512 it has 64.
    """
    if width >= 512:
        return width / 64
    return width / 32 if width >= 256 else math.sqrt(width / 6)


def choose_heads(width: float, switches: Switches) -> int:
    """Return the default number of query heads, rounded to a multiple of the key and value heads."""
    group = switches.kv_heads or 1
    return max(1, round(customary_heads(width) / group)) * group


def dividing_heads(width: int, switches: Switches) -> int:
    """Return the number of heads nearest the default that divides `width`. Raises ShapeError for none."""
    step = 2 if switches.position == "rope" else 1
    fitting = [
        heads
        for heads in range(switches.kv_heads or 1, width + 1, switches.kv_heads or 1)
        if width % (heads * step) == 0
    ]
    if not fitting:
        raise ShapeError(
            f"family.width={width} cannot be divided into heads"
            f"{' of an even width, as family.position=rope needs' if step == 2 else ''}"
            f"{f' in {switches.kv_heads} groups' if switches.kv_heads else ''}; "
            f"use a multiple of {step * (switches.kv_heads or 1)}"
        )
    return min(fitting, key=lambda heads: abs(math.log(heads / customary_heads(width))))


def _smooth_params(depth: float, width: float, *, vocab: int, context: int, switches: Switches) -> float:
    """Return N as a smooth function of depth and width, with heads and hidden width unrounded."""
    heads = max(1.0, customary_heads(width))
    kv_width = width * min(1.0, (switches.kv_heads or heads) / heads)
    block = block_params(width, width, kv_width, width / heads, switches.ratio * width, switches)
    return depth * sum(block.values()) + sum(outer_params(width, vocab, context, switches).values())


def dial_params(size: float, *, vocab: int, context: int, switches: Switches) -> float:
    """Return the target N of the dial: N at the (fractional) depth `size` and width 24 × size."""
    return _smooth_params(size, ASPECT * size, vocab=vocab, context=context, switches=switches)


def _grid_params(
    depth: int, width: int, heads: int, *, vocab: int, context: int, switches: Switches
) -> float:
    """Return N at one depth, width and number of heads."""
    head_dim = width // heads
    kv_width = (switches.kv_heads or heads) * head_dim
    block = block_params(width, width, kv_width, head_dim, hidden_width(width, switches), switches)
    return depth * sum(block.values()) + sum(outer_params(width, vocab, context, switches).values())


def _admissible(width: int, heads: int | None, switches: Switches) -> bool:
    """Return whether the dial may choose this width.

    Heads have an even number of features: 32 from width 256, 64 from width 512.
    """
    if width % (2 * (heads or choose_heads(width, switches))):
        return False
    return heads is not None or width < 256 or width % (64 if width >= 512 else 32) == 0


def _next_width(width: int, heads: int | None, switches: Switches, by: int = 2) -> int:
    """Return the next width above this one (below it with `by=-2`) that the dial may choose."""
    width += by
    while width > 0 and not _admissible(width, heads, switches):
        width += by
    return width


def nearest_width(
    target: float, params: Callable[[int, int], float], switches: Switches, heads: int | None = None
) -> int:
    """Return the admissible width whose N is nearest a target.

    Args:
        target: N.
        params: (width, heads) → N, growing with the width.
        switches: switches of the blocks.
        heads: number of heads when it is fixed; widths are then multiples of 2 × heads.
    """

    def n(width: int) -> float:
        return params(width, heads or choose_heads(width, switches))

    low, high = 0, 2
    while n(high) < target:
        low, high = high, 2 * high
    while high - low > 2:
        middle = (low + high) // 4 * 2
        low, high = (middle, high) if n(middle) < target else (low, middle)
    below, above = _next_width(high, heads, switches, -2), _next_width(high - 2, heads, switches)
    return min((w for w in (below, above) if w > 0), key=lambda width: abs(math.log(n(width) / target)))


def _dial_width(
    size: float, depth: int, heads: int | None, *, vocab: int, context: int, switches: Switches
) -> int:
    """Return the admissible width whose N at this depth is nearest the target N of the dial."""
    target = dial_params(size, vocab=vocab, context=context, switches=switches)

    def n(width: int, number: int) -> float:
        return _grid_params(depth, width, number, vocab=vocab, context=context, switches=switches)

    return nearest_width(target, n, switches, heads)


def decoder_shape(
    size: float,
    *,
    vocab: int,
    context: int,
    switches: Switches,
    family: str = "decoder",
    overrides: Mapping[str, int] | None = None,
) -> Shape:
    """Return the shape at one setting of the dial.

    Args:
        size: the dial, a number from 0.25 to 256.
        vocab: number of token ids.
        context: tokens in one sequence.
        switches: switches of the decoder.
        family: name of the family, for error messages.
        overrides: fixed values of `depth`, `width` or `heads`. The others follow the dial: the depth is the
            rounded size, and the width brings N nearest the target N of the dial.

    Raises:
        ShapeError: when the size is out of range or the numbers do not fit together.
    """
    size = check_size(size, family)
    positive_integer("vocab", vocab)
    positive_integer("context", context)
    fixed = {name: positive_integer(f"family.{name}", value) for name, value in (overrides or {}).items()}
    depth = fixed.get("depth", max(1, math.floor(size + 0.5)))
    kv = switches.kv_heads
    heads = fixed.get("heads")
    if heads and kv and heads % kv:
        raise ShapeError(
            f"family.heads={heads} cannot share family.kv_heads={kv} evenly; use a multiple of {kv} heads"
        )
    if "width" in fixed:
        width = fixed["width"]
    else:
        width = _dial_width(size, depth, heads, vocab=vocab, context=context, switches=switches)
        if "depth" not in fixed and not heads:
            if depth > 1:
                width = _not_below_previous_depth(
                    depth, width, vocab=vocab, context=context, switches=switches
                )
            heads = choose_heads(width, switches)
    heads = heads or dividing_heads(width, switches)
    if width % heads:
        raise ShapeError(
            f"family.width={width} is not a multiple of family.heads={heads}; change one of the two"
        )
    if switches.position == "rope" and (width // heads) % 2:
        raise ShapeError(
            f"family.width={width} in family.heads={heads} gives heads of {width // heads} features, but "
            f"family.position=rope needs an even number; use a width that is a multiple of {2 * heads}, or "
            f"another family.position"
        )
    return Shape(
        size=size,
        vocab=vocab,
        context=context,
        depth=depth,
        width=width,
        heads=heads,
        kv_heads=kv or heads,
        head_dim=width // heads,
        hidden=hidden_width(width, switches),
    )


def _not_below_previous_depth(depth: int, width: int, *, vocab: int, context: int, switches: Switches) -> int:
    """Return a width whose N is not below the largest N of the previous depth.

    Without this, rounding could give the first sizes of a depth fewer parameters than the last sizes of the
    depth before.
    """

    def n(d: int, w: int) -> float:
        heads = choose_heads(w, switches)
        return _grid_params(d, w, heads, vocab=vocab, context=context, switches=switches)

    floor = n(
        depth - 1, _dial_width(depth - 0.5, depth - 1, None, vocab=vocab, context=context, switches=switches)
    )
    while n(depth, width) < floor:
        width = _next_width(width, None, switches)
    return width

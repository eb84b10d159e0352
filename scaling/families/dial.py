"""The dial: one number, size, gives every shape of a decoder. Plain arithmetic, no torch.

A whole size s means depth s and width 24·s, so the blocks hold about 12·24²·s³ ≈ 6900·s³ parameters. Between
whole sizes N goes on smoothly: depth is the nearest whole number, and the width is chosen so that N is what
the formula gives for the fractional depth. Width moves in steps of two per head, so N is met to a few per
cent, and a larger size never has fewer parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from scaling.errors import ShapeError
from scaling.families.counts import block_params, outer_params
from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape, whole

ASPECT = 24
"""Width per layer."""
SIZES = (0.25, 256.0)
"""The dial's range: about 3 thousand to 100 billion parameters on bytes."""


def check_size(size: object, family: str, sizes: tuple[float, float] = SIZES) -> float:
    """`size` as a number inside a family's range, else ShapeError."""
    if isinstance(size, bool) or not isinstance(size, int | float) or not math.isfinite(size):
        raise ShapeError(f"family.size must be a number from {sizes[0]:g} to {sizes[1]:g}; not {size!r}")
    if not sizes[0] <= size <= sizes[1]:
        raise ShapeError(
            f"family.size={size:g} is outside the range of {family}, which is {sizes[0]:g} to {sizes[1]:g}; "
            "choose a size inside it, or set family.width and family.depth"
        )
    return float(size)


def hidden_width(width: int, switches: Switches) -> int:
    """Features inside the MLP: ratio × width, to the nearest multiple of 8 (or of 2 below width 24) that the
    experts of one token can share."""
    step = (8 if width >= 24 else 2) * (switches.experts_per_token if switches.experts else 1)
    return max(step, step * round(switches.ratio * width / step))


def customary_heads(width: float) -> float:
    """Query heads for a width: head width and number grow together, then heads of 32 and of 64 features."""
    if width >= 512:
        return width / 64
    return width / 32 if width >= 256 else math.sqrt(width / 6)


def choose_heads(width: float, switches: Switches) -> int:
    """The customary number, as a multiple of the key and value heads."""
    group = switches.kv_heads or 1
    return max(1, round(customary_heads(width) / group)) * group


def dividing_heads(width: int, switches: Switches) -> int:
    """The number nearest the customary one that a given width can take (ShapeError when there is none)."""
    step = 2 if switches.position == "rope" else 1
    fitting = [
        heads
        for heads in range(switches.kv_heads or 1, width + 1, switches.kv_heads or 1)
        if width % (heads * step) == 0
    ]
    if not fitting:
        raise ShapeError(
            f"family.width={width} cannot be cut into heads"
            f"{' of an even width, as rotation needs' if step == 2 else ''}"
            f"{f' in {switches.kv_heads} groups' if switches.kv_heads else ''}; "
            f"use a multiple of {step * (switches.kv_heads or 1)}"
        )
    return min(fitting, key=lambda heads: abs(math.log(heads / customary_heads(width))))


def _smooth_params(depth: float, width: float, *, vocab: int, context: int, switches: Switches) -> float:
    """N as a smooth function of depth and width, with heads and hidden width unrounded."""
    heads = max(1.0, customary_heads(width))
    kv_width = width * min(1.0, (switches.kv_heads or heads) / heads)
    block = block_params(width, width, kv_width, width / heads, switches.ratio * width, switches)
    return depth * sum(block.values()) + sum(outer_params(width, vocab, context, switches).values())


def dial_params(size: float, *, vocab: int, context: int, switches: Switches) -> float:
    """N that the dial asks for: of a decoder of (fractional) depth `size` and width 24 × size."""
    return _smooth_params(size, ASPECT * size, vocab=vocab, context=context, switches=switches)


def _grid_params(
    depth: int, width: int, heads: int, *, vocab: int, context: int, switches: Switches
) -> float:
    """N of one point of the grid."""
    head_dim = width // heads
    kv_width = (switches.kv_heads or heads) * head_dim
    block = block_params(width, width, kv_width, head_dim, hidden_width(width, switches), switches)
    return depth * sum(block.values()) + sum(outer_params(width, vocab, context, switches).values())


def _admissible(width: int, heads: int | None, switches: Switches) -> bool:
    """Whether the dial may choose this width: even heads; heads of 32 features from width 256, of 64 from
    512."""
    if width % (2 * (heads or choose_heads(width, switches))):
        return False
    return heads is not None or width < 256 or width % (64 if width >= 512 else 32) == 0


def _next_width(width: int, heads: int | None, switches: Switches, by: int = 2) -> int:
    """The nearest width that the dial may choose above (or, with `by=-2`, below) this one."""
    width += by
    while width > 0 and not _admissible(width, heads, switches):
        width += by
    return width


def nearest_width(
    target: float, params: Callable[[int, int], float], switches: Switches, heads: int | None = None
) -> int:
    """The admissible width whose N is nearest a target.

    Args:
        target: N.
        params: (width, heads) → N, growing with the width.
        switches: what the blocks are made of.
        heads: when given, widths are multiples of twice as many.
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
    """The admissible width whose N at this depth is nearest what the dial asks for."""
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
    """The shape at one setting of the dial.

    Args:
        size: the dial, from 0.25 to 256; need not be whole.
        vocab: different tokens.
        context: tokens in one sequence.
        switches: what the decoder is made of.
        family: its name, for messages.
        overrides: `depth`, `width`, `heads` taken as they are given. What is not given follows the dial:
        depth is the size rounded, and width keeps N where the dial puts it.

    Raises:
        ShapeError: when the size is out of range or the numbers do not fit together.
    """
    size = check_size(size, family)
    whole("vocab", vocab)
    whole("context", context)
    given = {name: whole(f"family.{name}", value) for name, value in (overrides or {}).items()}
    depth = given.get("depth", max(1, math.floor(size + 0.5)))
    kv = switches.kv_heads
    heads = given.get("heads")
    if heads and kv and heads % kv:
        raise ShapeError(
            f"family.heads={heads} cannot share family.kv_heads={kv} evenly; use a multiple of {kv} heads"
        )
    if "width" in given:
        width = given["width"]
    else:
        width = _dial_width(size, depth, heads, vocab=vocab, context=context, switches=switches)
        if "depth" not in given and not heads:
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
            f"family.width={width} in family.heads={heads} gives heads of {width // heads} features, and "
            f"rotation turns pairs: use a width that is a multiple of {2 * heads}, or another family.position"
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
    """Widens, where rounding would give the first sizes of a depth fewer parameters than the last of the one
    before."""

    def n(d: int, w: int) -> float:
        heads = choose_heads(w, switches)
        return _grid_params(d, w, heads, vocab=vocab, context=context, switches=switches)

    floor = n(
        depth - 1, _dial_width(depth - 0.5, depth - 1, None, vocab=vocab, context=context, switches=switches)
    )
    while n(depth, width) < floor:
        width = _next_width(width, None, switches)
    return width

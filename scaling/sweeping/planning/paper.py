"""Estimate a large training run: layout, memory, hours, dollars, failures and checkpoints.

Nothing is measured here: the fraction of the peak FLOP/s (MFU) is an assumption, which is printed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from scaling import families, folders
from scaling.config import DeviceConfig, FamilyConfig, parse
from scaling.errors import ConfigError, ShapeError, one_of
from scaling.sweeping.planning.memory import BYTES, components

GPU_HOURS_PER_FAILURE = 16_384 * 54 * 24 / 419
"""Accelerator-hours per failure: 419 unexpected interruptions of 16,384 H100s in 54 days
(arXiv:2407.21783, section 3.3.4), which is 50,700."""
NODE = 8
"""Number of accelerators in a node, which share a fast link."""
NETWORK = 5e10
"""Bytes per second that one accelerator sends between nodes: 400 Gb/s (arXiv:2407.21783, section 3.3.1)."""
STORAGE = 1e9
"""Bytes per second that one node writes to shared storage: 2 TB/s, sustained, over 2,048 nodes of eight
(arXiv:2407.21783, section 3.3.1)."""
RESTART_SECONDS = 600.0
"""Seconds from a failure to the next step. Assumed."""
ROOM = 0.9
"""Fraction of the memory that a plan may use; the rest is for fragmentation and libraries."""
MFU = 0.4
"""Fraction of the peak FLOP/s that is reached. Assumed: arXiv:2407.21783, table 4, reports 0.38 to 0.43."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """An accelerator, from conf/device."""

    name: str
    """Name of the file."""
    dtype: str
    """Number format of the forward pass."""
    peak_flops: float
    """Peak dense FLOP/s in this format."""
    memory_bytes: float
    """Bytes of memory."""
    link_bytes: float
    """Bytes per second, in one direction, to other accelerators of the node."""
    price_per_hour: float | None
    """Dollars per hour; None if unknown."""


def device(name: str, dtype: str | None = None) -> Device:
    """Return a device of conf/device by name. Raises ConfigError if it is unknown or incomplete."""
    roots = reversed(folders.folders("conf"))
    files = {path.stem: path for root in roots for path in root.glob("device/*.yaml")}
    if name not in files:
        raise ConfigError(one_of("--device", name, files))
    written = yaml.safe_load(files[name].read_text(encoding="utf-8"))
    config = parse(
        DeviceConfig, {key: value for key, value in written.items() if key != "defaults"}, where="device"
    )
    dtype = dtype or config.dtype
    if dtype not in BYTES:
        raise ConfigError(one_of("--dtype", dtype, BYTES))
    peak = float(config.peaks.get(dtype) or 0.0)
    missing = [key for key in ("memory_bytes", "link_bytes") if not getattr(config, key)]
    missing += [] if peak else [f"peaks.{dtype}"]
    if missing:
        able = sorted(stem for stem, path in files.items() if "memory_bytes" in path.read_text("utf-8"))
        raise ConfigError(
            f"{files[name]} does not set {missing[0]}; add it there, or use one of {', '.join(able)}"
        )
    assert config.memory_bytes is not None
    assert config.link_bytes is not None
    return Device(
        name=name,
        dtype=dtype,
        peak_flops=peak,
        memory_bytes=config.memory_bytes,
        link_bytes=config.link_bytes / 2,
        price_per_hour=config.price_per_hour,
    )


def numbers(option: str, text: str) -> list[float]:
    """Return numbers of 1 or more from a text with commas. Raises ConfigError."""
    try:
        found = [float(part) for part in text.split(",")]
        if not all(1 <= number < math.inf for number in found):
            raise ValueError
    except ValueError:
        raise ConfigError(f"{option} is {text!r}; give numbers of 1 or more, such as 1e18,1e20") from None
    return found


def size_for(family: Any, flops: float, *, ratio: float, vocab: int, context: int) -> float:
    """Return the size at which C FLOPs train N parameters on ratio × N tokens. Raises ConfigError."""

    def cost(size: float) -> float:
        counts = family.counts(family.shape(size, vocab=vocab, context=context))
        return float(ratio * counts.params_total * counts.flops_per_token)

    low, high = family.sizes
    try:
        if not cost(low) <= flops <= cost(high):
            raise ConfigError(
                f"{flops:g} FLOPs are outside the range of family {family.name!r} at {ratio:g} tokens per "
                f"parameter; give --flops from {cost(low):.2g} to {cost(high):.2g}"
            )
        for _ in range(40):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if cost(middle) < flops else (low, middle)
    except ShapeError as error:
        raise ConfigError(f"family {family.name!r} has no shape for {flops:g} FLOPs: {error}") from error
    return float(round(low, 2))


def batch_tokens(flops: float) -> float:
    """Return near-optimal tokens per step: 0.2920 × C^0.3271 (arXiv:2401.02954, equation 1)."""
    return 0.2920 * float(flops**0.3271)


def checkpoint_seconds(write: float, between: float) -> float:
    """Return the seconds between checkpoints that minimise the time lost.

    J. T. Daly, Future Generation Computer Systems 22 (2006) 303, equation 37, whose first term is Young's
    √(2δM) (Communications of the ACM 17 (1974) 530).

    Args:
        write: δ, seconds to write one checkpoint.
        between: M, mean seconds between failures.
    """
    if write >= 2 * between:
        return between
    x = write / (2 * between)
    return math.sqrt(2 * write * between) * (1 + math.sqrt(x) / 3 + x / 9) - write


def paper(
    flops: float,
    gpus: int,
    on: Device,
    *,
    family: FamilyConfig,
    vocab: int,
    context: int,
    ratio: float = 20.0,
    mfu: float = MFU,
) -> dict[str, Any]:
    """Estimate one run: return its numbers by name, and `arithmetic`, the lines that derive them.

    Args:
        flops: C, training FLOPs.
        gpus: number of accelerators paid for; those beyond the sequences of a batch stay idle.
        on: the accelerator.
        family: config of a decoder family.
        vocab: size of the vocabulary.
        context: tokens per sequence.
        ratio: D / N, tokens per parameter.
        mfu: assumed fraction of the peak FLOP/s.

    Raises ConfigError.
    """
    made = families.from_config(family)
    if not hasattr(made, "decoder"):
        raise ConfigError(f"the family {made.name!r} has no memory estimate; use --family llama or gpt2")
    size = size_for(made, flops, ratio=ratio, vocab=vocab, context=context)
    shape = made.shape(size, vocab=vocab, context=context)
    counts = made.counts(shape)
    n = counts.params_total
    tokens = flops / counts.flops_per_token
    sequences = max(1, round(batch_tokens(flops) / context))
    used = min(gpus, sequences)
    sequences = round(sequences / used) * used
    steps = tokens / (sequences * context)
    layout, micro, held = _layout(counts, shape, made.switches, on, used, sequences // used, context)

    compute = sequences * context * counts.flops_per_token / (used * on.peak_flops * mfu)
    inside, between_nodes = exchange(layout, n, used)
    talk = inside / on.link_bytes + between_nodes / NETWORK
    step = max(compute, talk)
    seconds = steps * step
    between = GPU_HOURS_PER_FAILURE * 3600 / used
    write = 12.0 * n / (STORAGE * math.ceil(used / NODE))
    every = checkpoint_seconds(write, between)
    lost = write / every + (every / 2 + RESTART_SECONDS) / between
    hours = seconds * (1 + lost) / 3600
    failures = hours * used / GPU_HOURS_PER_FAILURE
    dollars = None if on.price_per_hour is None else hours * gpus * on.price_per_hour
    memory = sum(held.values())
    lines = [
        f"N = {n:.4g} at size {size:g} (depth {shape.depth}, width {shape.width}); D = C / FLOPs per token = "
        f"{flops:.3g} / {counts.flops_per_token:.4g} = {tokens:.4g}, {tokens / n:.1f} tokens per parameter",
        f"batch = 0.2920 C^0.3271 = {batch_tokens(flops):.3g} tokens (arXiv:2401.02954 eq. 1) → "
        f"{sequences:,} sequences of {context:,}, {sequences // used} on each of {used} GPUs; {steps:,.0f} "
        f"steps",
        f"layout: {layout}, micro-batch {micro}; memory per GPU "
        + " + ".join(f"{name} {value / 1e9:.2f}" for name, value in held.items() if value)
        + f" = {memory / 1e9:.2f} GB of {on.memory_bytes / 1e9:.0f} (at most {ROOM:.0%} of it)",
        f"step = max(compute {compute:.3g} s at {mfu:.0%} of {on.peak_flops:.3g} {on.dtype} FLOP/s × {used}, "
        f"exchange {talk:.3g} s: {inside / 1e9:.3g} GB at {on.link_bytes / 1e9:.0f} GB/s in the node and "
        f"{between_nodes / 1e9:.3g} GB at {NETWORK / 1e9:.0f} GB/s between nodes) = {step:.3g} s",
        f"failures: one per {GPU_HOURS_PER_FAILURE:,.0f} GPU-hours (arXiv:2407.21783) → one per "
        f"{between / 3600:,.0f} h here; {failures:.2g} expected",
        f"checkpoint: 12 bytes × N = {12 * n / 1e9:.3g} GB in {write:.3g} s; Daly's interval "
        f"{every / 60:.3g} min (Young's √(2δM) = {math.sqrt(2 * write * between) / 60:.3g}); time lost "
        f"{lost:.2%}",
        f"hours = {steps:,.0f} × {step:.3g} s × (1 + {lost:.4f}) / 3600 = {hours:.4g}"
        + ("" if dollars is None else f"; × {gpus} GPUs × ${on.price_per_hour} = ${dollars:,.2f}"),
    ]
    if used < gpus:
        idle = f"{gpus - used} of {gpus} GPUs stay idle: the batch has {sequences} sequences to share"
        lines.insert(2, idle)
    return {
        "flops": flops,
        "gpus": gpus,
        "gpus_used": used,
        "device": on.name,
        "dtype": on.dtype,
        "size": size,
        "params": n,
        "tokens": tokens,
        "batch_sequences": sequences,
        "steps": steps,
        "layout": layout,
        "micro_batch": micro,
        "memory_bytes": {**held, "total": memory},
        "fits": memory <= ROOM * on.memory_bytes,
        "mfu_assumed": mfu,
        "seconds_per_step": step,
        "hours": hours,
        "dollars": dollars,
        "failures": failures,
        "checkpoint_minutes": every / 60,
        "arithmetic": lines,
    }


def exchange(layout: str, params: float, gpus: int) -> tuple[float, float]:
    """Return the bytes that each GPU sends per step within its node and between nodes, in float32.

    A ring all-reduce of gradients over g GPUs sends (g − 1)/g of all bytes twice. FSDP sends them three
    times: it gathers weights in the forward and backward pass and scatters gradients. Between nodes, the GPUs
    of a node share the traffic.
    """
    node, nodes = min(gpus, NODE), math.ceil(gpus / NODE)
    cut = layout.startswith("FSDP")
    whole = "over all" in layout
    inside = (3 if cut else 2) * 4.0 * params * (node - 1) / node
    return inside, (3 if whole else 2) * 4.0 * params / node * (nodes - 1) / nodes


def _layout(
    counts: Any, shape: Any, switches: Mapping[str, Any], on: Device, used: int, share: int, context: int
) -> tuple[str, int, dict[str, float]]:
    """Return the first layout that fits, its micro-batch in sequences, and its memory by component.

    Layouts in order: full weights on each GPU, sharded within a node, sharded over all GPUs. Logits are
    computed in chunks of 1,024 tokens.
    """
    node = min(NODE, used)
    times = f", {used // node} times" if used > node else ""
    ways: Sequence[tuple[str, int]] = [
        ("one GPU" if used == 1 else "DDP", 1),
        *([(f"FSDP over {node}{times}", node)] if used > 1 else []),
        *([(f"FSDP over all {used}", used)] if used > NODE else []),
    ]
    held: dict[str, float] = {}
    for name, sharded in ways:
        micro = 1 << (share.bit_length() - 1)
        while micro >= 1:
            held = components(
                counts,
                shape,
                dict(switches),
                dtype=on.dtype,
                sequences=micro,
                context=context,
                sharded=sharded,
                loss_chunk=1024,
            )
            if sum(held.values()) <= ROOM * on.memory_bytes:
                return name, micro, held
            micro //= 2
    return f"{ways[-1][0]}: does not fit, more GPUs or tensor parallelism are needed", 1, held


def table(rows: Sequence[Mapping[str, Any]], *, explain: bool) -> None:
    """Print rows of `paper`, with the arithmetic of every row if `explain`, else of the last row."""
    from rich.table import Table

    from scaling.terminal.console import plain_console

    grid = Table(box=None, header_style="bold")
    for name in ("C", "GPUs", "used", "N", "D", "layout", "GB each", "hours", "$", "failures", "checkpoint"):
        grid.add_column(name, justify="left" if name == "layout" else "right", no_wrap=True)
    for row in rows:
        grid.add_row(
            f"{row['flops']:.0e}",
            str(row["gpus"]),
            str(row["gpus_used"]),
            f"{row['params']:.2e}",
            f"{row['tokens']:.2e}",
            row["layout"],
            f"{row['memory_bytes']['total'] / 1e9:.1f}",
            f"{row['hours']:.3g}",
            "?" if row["dollars"] is None else f"{row['dollars']:,.2f}",
            f"{row['failures']:.2g}",
            f"{row['checkpoint_minutes']:.0f} min",
        )
    console = plain_console(soft_wrap=True)
    console.width = max(console.width, 120)
    console.print(grid)
    for row in rows if explain else rows[-1:]:
        console.print(f"\nC = {row['flops']:g} on {row['gpus']} × {row['device']}:", style="bold")
        for line in row["arithmetic"]:
            console.print(f"  {line}")
    console.print(
        f"\nEstimates: {rows[0]['mfu_assumed']:.0%} of the peak is assumed (--mfu), nothing was measured."
        + " FSDP is `device.sharing=fsdp` under `torchrun -m scaling.train`, over all its processes."
        + ("" if explain else " --explain shows every row's arithmetic.")
    )

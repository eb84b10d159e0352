"""List published exponents a of N* in C with their sources; the exponent of D* is 1 − a."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published exponent."""

    who: str
    """Authors and year, as a label."""
    a: float
    """Exponent a in N* ∝ C^a."""
    interval: tuple[float, float] | None
    """Interval as printed; None where none is stated."""
    level: float | None
    """Level of that interval."""
    note: str
    """Convention and estimator behind the number."""
    source: str
    """arXiv id with the equation, table or section."""


PUBLISHED = (
    Published(
        who="Kaplan 2020",
        a=0.73,
        interval=None,
        level=None,
        note="N without embeddings, short warm-up not adapted",
        source="arXiv 2001.08361, eq. 1.7",
    ),
    Published(
        who="Hoffmann 2022, envelope",
        a=0.50,
        interval=(0.488, 0.502),
        level=0.8,
        note="approach 1",
        source="arXiv 2203.15556, table 2",
    ),
    Published(
        who="Hoffmann 2022, IsoFLOP",
        a=0.49,
        interval=(0.462, 0.534),
        level=0.8,
        note="approach 2",
        source="arXiv 2203.15556, table 2",
    ),
    Published(
        who="Hoffmann 2022, surface",
        a=0.46,
        interval=(0.454, 0.455),
        level=0.8,
        note="approach 3, as printed",
        source="arXiv 2203.15556, table 2",
    ),
    Published(
        who="Besiroglu 2024, surface",
        a=0.513,
        interval=None,
        level=None,
        note="Hoffmann's runs fitted again: β/(α+β) of 0.3478 and 0.3658",
        source="arXiv 2404.10102, table 1",
    ),
    Published(
        who="DeepSeek 2024",
        a=0.5243,
        interval=None,
        level=None,
        note="model scale counted as FLOP a token",
        source="arXiv 2401.02954, eq. 4",
    ),
    Published(
        who="Llama 3 2024",
        a=0.47,
        interval=None,
        level=None,
        note="1 less the published 0.53 of D*",
        source="arXiv 2407.21783, section 3.2.1",
    ),
)

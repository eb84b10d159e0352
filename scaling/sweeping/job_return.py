"""A cell's outcome as Hydra hands results about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus


def returned(overrides: Sequence[str], outcome: Mapping[str, Any]) -> JobReturn:
    """A job that gave `outcome`. A failed cell is an outcome too: it must not stop what Hydra does with the
    others.
    """
    result = JobReturn(overrides=list(overrides), task_name="scaling", status=JobStatus.COMPLETED)
    result.return_value = dict(outcome)
    return result

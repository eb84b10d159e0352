"""Run cells as Ray tasks. A task takes a resolved config and returns an outcome."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from scaling.config import Config
from scaling.errors import LaunchError
from scaling.sweeping.job_return import returned
from scaling.sweeping.planning.config import composer, parsed
from scaling.sweeping.slots.display import outcome_line
from scaling.sweeping.slots.seats import THREAD_LIMITS


def launch(
    *, config: DictConfig, loader: Any, jobs: Sequence[Sequence[str]], settings: Mapping[str, Any]
) -> list[JobReturn]:
    """Run every job as a Ray task and return the results in the order of `jobs`.

    Raises LaunchError if Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise LaunchError(
            "hydra/launcher=ray needs Ray; install it with: pip install 'scaling[ray]'"
        ) from None

    compose = composer(loader, config)
    # one core per process of a cell, each with one thread
    cores = max(settings["num_cpus"], parsed(config).device.processes)
    options = {
        "num_cpus": cores,
        "num_gpus": settings["num_gpus"],
        "max_retries": settings["max_retries"],
        "runtime_env": {"env_vars": dict.fromkeys(THREAD_LIMITS, str(max(1, int(settings["num_cpus"]))))},
    }
    # Ray runs its workers at niceness 15: on a shared machine, a cell of 5 s took 113 s
    os.environ.setdefault("RAY_worker_niceness", "0")
    ours = not ray.is_initialized()
    if ours:
        more = {"include_dashboard": False, "log_to_driver": False, "configure_logging": False}
        ray.init(address=settings["address"], **{**more, **dict(settings["init"] or {})})
    try:
        task = ray.remote(_train).options(**options)
        waiting = {
            task.remote(_absolute(compose(job)), os.getcwd()): number for number, job in enumerate(jobs)
        }
        outcomes: dict[int, dict[str, Any]] = {}
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            number = waiting.pop(done)
            try:
                outcomes[number] = ray.get(done)
            except ray.exceptions.RayError as error:
                words = str(error).strip().splitlines()
                outcomes[number] = {
                    "run_id": None,
                    "status": "died",
                    "reason": f"Ray: {words[-1] if words else error!r}",
                }
            print(
                f"[{len(outcomes)}/{len(jobs)}] {outcome_line(outcomes[number])}", file=sys.stderr, flush=True
            )
    finally:
        if ours:
            ray.shutdown()
    return [returned(job, outcomes[number]) for number, job in enumerate(jobs)]


def _train(config: Config, folder: str) -> dict[str, Any]:
    """Train a cell in `folder` and return its outcome."""
    from scaling.sweeping import outcomes

    os.chdir(folder)
    outcomes.warm()
    return outcomes.run_config(config)


def _absolute(config: Config) -> Config:
    """Return the config with an absolute path of results, since a task may start in a folder of Ray."""
    return dataclasses.replace(config, results=str(config.results_folder.absolute()))

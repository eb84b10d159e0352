"""A fit is a function of its data, not of the processor: BLAS kernels and vector units give one answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "analysis"))
from drift import drift  # noqa: E402

KERNELS = {
    "oldest": {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "X86_V3"},
    "AVX2": {"OPENBLAS_CORETYPE": "Haswell"},
    "AVX2 of another maker": {"OPENBLAS_CORETYPE": "Zen"},
    "AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"},
}
"""Environments that give other last digits. A kernel that the processor lacks ends the process."""

CODE = """
import json, sys
from scaling.fitting import laws
from scaling.fitting.fit import fit
from scaling.fitting.fit_file import contents
from scaling.fitting.validation.validate import validate
source, law, delta = sys.argv[1:]
made = fit(source, law, delta=delta if delta == "auto" else float(delta))
print(json.dumps(contents(made, validate(made))))
"""


def _made(kernel: dict[str, str], *words: str) -> dict[str, object] | None:
    """The fit under one kernel; None where the processor does not have it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS", "NPY"))}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **kernel}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode < 0 or "not supported" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "law", "delta"),
    [
        ("demo-2-cores", "chinchilla", "auto"),
        ("spectrum-2-cores", "power-floor-d", "auto"),
    ],
)
def test_every_kernel_gives_the_same_fit(study: str, law: str, delta: str) -> None:
    words = (str(Path("results") / study), law, delta)
    made = {name: _made(kernel, *words) for name, kernel in KERNELS.items()}
    known = {name: fit for name, fit in made.items() if fit is not None}
    if len(known) < 2:
        pytest.skip("this processor has one kernel only")
    first, *others = known
    for name in others:
        assert drift(known[first], known[name]) == [], f"{first} against {name}"

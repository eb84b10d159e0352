"""Three cells of the demo under every vector unit and BLAS kernel of this processor, each twice.

    python analysis/studies/processors.py      # ten minutes on a busy core

What differs between processors is the order in which kernels add up, and the environment can choose it:
ATen's vector units (ATEN_CPU_CAPABILITY), MKL's products (MKL_CBWR), oneDNN, OpenBLAS and NumPy. Left out are
MKL_ENABLE_INSTRUCTIONS and MKL_CBWR=AVX2, which changed no bit of one cell on a processor of AMD. The
committed ledger of the demo stands beside them: the same versions of torch and NumPy on whatever processor it
was trained on.

Expected: two runs under one kernel end at the same bits; two kernels end up to a hundredth of a nat apart,
where two seeds differ by 0.03. Writes results/processors/processors.csv.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "results" / "demo-2-cores" / "ledger.parquet"
CELLS = ["sweep.budgets=[4e10]", "sweep.sizes=[0.587,1.11,1.71]", "sweep.ratios=null", "sweep.repeats=null"]
"""The smallest, a middle and the largest size of the demo's first budget."""

KERNELS: dict[str, dict[str, str]] = {
    "as found": {},
    "ATen default": {"ATEN_CPU_CAPABILITY": "default"},
    "ATen avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "ATen avx512": {"ATEN_CPU_CAPABILITY": "avx512"},
    "MKL compatible": {"MKL_CBWR": "COMPATIBLE"},
    "oneDNN, OpenBLAS and NumPy oldest": {
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    },
}
PROBE = "import torch; torch.randn(4096).exp().softmax(0)"


def environment(kernel: dict[str, str]) -> dict[str, str]:
    """Return this environment with one thread and no kernel chosen but `kernel`."""
    chosen = ("ATEN_", "MKL_", "ONEDNN_", "DNNL_", "OPENBLAS_", "NPY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(chosen)}
    return kept | {"OMP_NUM_THREADS": "1", **kernel}


def exists(kernel: dict[str, str]) -> bool:
    """Return whether this processor has the kernel: one that it lacks ends a process by a signal."""
    return subprocess.run([sys.executable, "-c", PROBE], env=environment(kernel)).returncode == 0


def losses(kernel: dict[str, str], results: Path) -> pd.Series:
    """Train the cells under a kernel; return run id → final held-out loss, in nats per byte."""
    words = ["run", "demo", *CELLS, "sweep.name=cells", "hydra.launcher.slots=1", f"results={results}"]
    subprocess.run([sys.executable, "-m", "scaling", *words], env=environment(kernel), cwd=ROOT, check=True)
    found = pd.read_parquet(results / "cells" / "ledger.parquet").set_index("run_id")["loss"]
    for folder in ("cells", "runs"):  # the corpus stays for the next
        shutil.rmtree(results / folder)
    return found


def main() -> None:
    """Train, compare, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--out", type=Path, default=ROOT / "results" / "processors")
    asked = options.parse_args()
    demo = pd.read_parquet(COMMITTED).set_index("run_id")
    rows, runs = [], {}
    with tempfile.TemporaryDirectory(prefix="processors-") as name:
        for kernel, variables in KERNELS.items():
            if not exists(variables):
                rows.append({"capability": kernel, "again": "not on this processor"})
                continue
            runs[kernel] = losses(variables, Path(name)), losses(variables, Path(name))
    reference = runs["as found"][0]
    runs["committed ledger"] = demo["loss"], demo["loss"]
    for kernel, (first, second) in runs.items():
        rows += [
            {
                "capability": kernel,
                "cell": cell,
                "params": demo["params"][cell],
                "steps": demo["steps"][cell],
                "loss": first[cell],
                "again": "same bits" if first[cell] == second[cell] else "other bits",
                "difference": first[cell] - reference[cell],
            }
            for cell in reference.index
        ]
    table = pd.DataFrame(rows)
    table["params"], table["steps"] = table["params"].astype("Int64"), table["steps"].astype("Int64")
    table.loc[table["capability"] == "committed ledger", "again"] = "trained once"
    asked.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.out / "processors.csv", index=False)
    print(table.to_string())
    moved = table[table["difference"].fillna(0) != 0]["difference"]
    print(f"root mean square of the differences that are not 0: {(moved**2).mean() ** 0.5:.2g} nats")


if __name__ == "__main__":
    main()

"""Forecasts on public series: how often nominal and calibrated 95 % intervals held what came later, by
distance in compute.

    SCALING_MIRROR=DATA python analysis/studies/forecasts.py     # some ten minutes on one core
    SCALING_MIRROR=DATA python analysis/studies/forecasts.py --only Porian

Every series is fitted below eight cuts in compute (or data) and forecast above them. The nominal interval
knows parameters and noise; the calibrated one adds the spread of admissible laws and is widened on each side
by what earlier cuts of the same series needed, of rows at or below the cut alone: what a forecaster at that
cut would have known (the first cut has none and is not judged). Expected: nominal between 14 and 100 % a
decade out, calibrated at 90 % or more but where the table says otherwise. Widths are medians, of the whole
interval, in the logarithm of the loss. Writes results/coverage/forecasts.csv; with --only, the rows of the
named series alone are replaced.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from scaling.errors import ScalingError
from scaling.fitting import laws
from scaling.fitting.fit import fit
from scaling.fitting.validation.backtest import backtest

HERE = Path(__file__).resolve().parents[2]
PORIAN = ["hparams", "warmup", "decay", "param_count", "val"]
MOST = 100
"""Rows of a curve of loss against data; two longer ones add minutes and no other range."""


def series(folder: Path) -> Iterator[tuple[str, pd.DataFrame, dict[str, str]]]:
    """Name, runs and columns of every public series with parameters, tokens and loss."""
    chinchilla = {"N": "Model Size", "D": "`Training FLOP` / (6 * `Model Size`)", "C": "Training FLOP"}
    yield "Chinchilla, 240 points", pd.read_csv(folder / "epoch_chinchilla_240.csv"), chinchilla
    for kind in ("cool_end", "hot"):
        columns = {"N": "params_active_precise", "D": "tokens", "L": "final_loss"}
        yield f"Gemstones, {kind}", pd.read_json(folder / f"gemstones_{kind}.jsonl", lines=True), columns
    for key, part in pd.read_csv(folder / "porian_refinedweb.csv").groupby(PORIAN):
        yield (
            f"Porian, {'/'.join(map(str, key))}",
            part.reset_index(drop=True),
            {"N": "n", "D": "tokens", "C": "flops"},
        )
    yield "Gadre, C4 validation", pd.read_csv(folder / "gadre_rpj.csv"), {"L": "loss_c4_val"}
    yield "Datablations", pd.read_csv(folder / "datablations_182.csv"), {}
    yield "OLMo ladder", pd.read_csv(folder / "olmo_ladder_c4_train.csv"), {}
    columns = {"D": "Seen Examples", "L": "Loss"}
    for key, part in pd.read_csv(folder / "revisiting_nsl_language.csv").groupby(["Domain", "Task", "Model"]):
        if len(part) <= MOST:
            yield f"Language, {'/'.join(map(str, key))}", part.reset_index(drop=True), columns


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=HERE / "results" / "coverage")
    parser.add_argument("--only", default="", help="Series whose name holds this.")
    parser.add_argument("--objectives", nargs="*", default=["huber", "squares"])
    asked = parser.parse_args()
    named = os.environ.get("SCALING_MIRROR")
    if not named:
        parser.error("SCALING_MIRROR names no folder; set it to one that holds the public tables in runs/")
    rows = []
    for name, frame, columns in series(Path(named) / "runs"):
        law = laws.get("power-floor-d" if "Seen Examples" in frame else "chinchilla")
        for objective in asked.objectives if asked.only in name else []:
            try:
                tested = backtest(fit(frame, law, columns=columns, objective=objective, bootstrap="none"))
            except ScalingError as error:
                rows.append({"series": name, "objective": objective, "words": str(error)})
                continue
            for span, found in tested.to_json()["by_decades_beyond"].items():
                if found["forecasts"]:
                    rows.append(
                        {
                            "series": name,
                            "runs": len(frame),
                            "objective": objective,
                            "decades_beyond": span,
                            **found,
                            "factor_down": tested.factors[0],
                            "factor_up": tested.factors[1],
                        }
                    )
        if rows and asked.only in name:
            print(pd.DataFrame([r for r in rows if r["series"] == name]).to_string(), flush=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    table, path = pd.DataFrame(rows), asked.out / "forecasts.csv"
    if path.exists() and asked.only:
        old = pd.read_csv(path)
        kept = old[~(old["series"].isin(table["series"]) & old["objective"].isin(table["objective"]))]
        table = pd.concat([kept, table]).sort_values(["series", "objective"], kind="stable")
    table.to_csv(path, index=False, float_format="%.3g")


if __name__ == "__main__":
    main()

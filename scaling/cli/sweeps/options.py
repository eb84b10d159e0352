"""Define the arguments and options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

SWEEP = Annotated[
    str, typer.Argument(help="A name in sweeps/, or the path of a .yaml file.", show_default=False)
]
OVERRIDES = Annotated[
    list[str] | None,
    typer.Argument(help="Hydra overrides, such as seed=1 sweep.budgets=[1e10,2e10] hydra/launcher=joblib."),
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]

"""Write the page of a sweep, and draw figures of a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import TableError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from scaling.figures.source import Source
    from scaling.fitting.result import Fit


def report(sweep: str) -> Path:
    """Write the self-contained page of a sweep and return its path. Raises TableError without results."""
    from scaling.figures import source
    from scaling.figures.report import page

    return page.write(source.read(sweep))[0]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure of a fit. It shows itself in a notebook."""

    data: dict[str, Any]
    """What is shown, as plain JSON."""

    @property
    def figure(self) -> Figure:
        """The figure, drawn anew by matplotlib."""
        from scaling.figures import drawing

        return drawing.draw(self.data)

    def save(self, path: str | Path) -> None:
        """Write the picture; the ending of the path says how: .svg, .png or .pdf."""
        self.figure.savefig(path)

    def _repr_png_(self) -> bytes:
        from scaling.figures import drawing

        return drawing.to_png(self.data)


def draw_fit(fit: Fit, figure: str) -> Picture:
    """Return a figure of a fit. Raises ConfigError for an unknown name, TableError where data lack."""
    from scaling.figures import catalogue, drawing

    catalogue.figure(figure, catalogue.RUNS)
    data = drawing.of(_source(fit), [figure])[figure]
    if data.get("missing"):
        raise TableError(f"the figure {figure!r} cannot be drawn: {data['missing']}")
    return Picture(data=data)


def _source(fit: Fit) -> Source:
    """Return what figures read: the fit's ledger where there is one, else its rows as a ledger."""
    import pandas as pd

    from scaling.figures import source
    from scaling.fitting.fit_file import contents
    from scaling.tables import ledger

    content = contents(fit)
    if ledger.find(fit.table.path):
        return replace(source.read(fit.table.path), fit=content)
    columns = {"N": "params", "D": "tokens", "C": "flops", "L": "loss"}
    values = {columns[letter]: value for letter, value in fit.table.values.items() if letter in columns}
    lacking = {"params", "tokens", "loss"} - set(values)
    if lacking:
        raise TableError(
            f"figures of a fit need N, D and L, and this law has no {', '.join(sorted(lacking))}; use "
            "predict() and to_frame()"
        )
    runs = pd.DataFrame(values)
    if "flops" not in runs:
        runs["flops"] = 6.0 * runs["params"] * runs["tokens"]
    runs.insert(0, "run_id", [f"{row:04d}" for row in range(len(runs))])
    content["input"] = {
        **content["input"],
        "columns": {k: v for k, v in columns.items() if v in runs},
        "where": None,
    }
    return source.Source(
        name=Path(fit.table.path).name,
        folder=Path(),
        runs=runs,
        curves=pd.DataFrame(columns=["run_id", "step", "tokens", "flops", "loss_train", "loss"]),
        positions=pd.DataFrame(columns=["run_id", "position", "loss", "loss_se"]),
        fit=content,
        plan=None,
        comparison=None,
        digest=fit.table.sha256[:8],
        of_table=True,
    )

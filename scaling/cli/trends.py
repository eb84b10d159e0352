"""`scaling trends`: doubling times, eras, hindcasts, exchange rates, projections; on the shipped facts or on
anybody's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from scaling.cli import app, emit

if TYPE_CHECKING:
    from scaling.trends.series import Series


class _Questions(TyperGroup):
    """Questions are found whatever their case, and an unknown one gets a sentence that names the nearest."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = {name.lower(): name for name in self.commands}
        if cmd_name.lower() not in known:
            from scaling.errors import ConfigError, one_of

            raise ConfigError(one_of("question of `scaling trends`", cmd_name, self.commands))
        return super().get_command(ctx, known[cmd_name.lower()])


trends = typer.Typer(
    cls=_Questions,
    help="Is there a Moore's law here? Without a question: every growth line of the shipped facts.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(trends, name="trends")

_JSON = typer.Option(False, "--json", help="Print JSON for programs.")
_LEVEL = typer.Option(
    None,
    "--level",
    min=0.01,
    max=0.999,
    help="Level of the intervals. Default: 0.9; algorithms 0.95.",
)
_FIGURES = typer.Option(
    None, "--figures", help="Also draw this question's figures into this folder (SVG, PNG, JSON)."
)


def _print(payload: dict[str, Any]) -> None:
    """An answer for people: the sentence, then its tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=150)
    if payload.get("claim"):
        console.print(f"{payload['question']}: {payload['claim']}", style="dim", markup=False)
    console.print(payload["answer"], style="bold", markup=False)
    for table in payload.get("tables", []):
        shown = Table(
            title=table["title"],
            title_justify="left",
            title_style="",
            header_style="bold",
            box=None,
            pad_edge=False,
        )
        for column in table["columns"]:
            shown.add_column(column, overflow="fold")
        for row in table["rows"]:
            shown.add_row(*(str(cell).replace("[", r"\[") for cell in row))
        console.print()
        console.print(shown)
    for key, why in payload.get("missing", {}).items():
        console.print(f"left out {key}: {why}", style="yellow", markup=False)
    for path in payload.get("figures", []):
        console.print(f"wrote {path}", style="dim", markup=False)


def _finish(payload: dict[str, Any], as_json: bool, figures: Path | None, names: tuple[str, ...]) -> None:
    if figures is not None:
        from scaling.figures import trends as drawn

        payload["figures"] = [str(p) for name in names for p in drawn.save(name, figures)]
    shown = {k: v for k, v in payload.items() if k != "tables"}
    emit(shown, as_json, lambda: _print(payload))


@trends.callback()
def hero(
    context: typer.Context,
    as_json: bool = _JSON,
    level: float | None = _LEVEL,
    figures: Path | None = typer.Option(None, help="Where F1 goes; by default results/figures."),
    no_figure: bool = typer.Option(False, "--no-figure", help="Print the table only."),
) -> None:
    """Every growth line of the shipped facts: growth a year, doubling time, interval, n, window, verdict; and
    F1."""
    if context.invoked_subcommand is not None:
        return
    from scaling.places import results
    from scaling.trends.answers.hero import hero as answer

    payload = answer(level=0.9 if level is None else level)
    folder = None if no_figure else figures or results() / "figures"
    _finish(payload, as_json, folder, ("growth",))


FIGURES: dict[str, tuple[str, ...]] = {
    "Q1": ("growth",),
    "Q2": ("compute",),
    "Q3": ("doubling",),
    "Q7": ("hardware",),
    "Q8": ("costs",),
    "Q9": ("costs",),
    "eras": ("compute",),
    "accounting": ("decomposition",),
    "algorithms": ("decomposition",),
    "hardware": ("hardware",),
    "costs": ("costs",),
    "horizons": ("forest",),
    "multiverse": ("multiverse",),
    "claims": (),
    "methods": ("forest",),
    "exchange": ("exchange",),
}
"""The figures that belong to a question."""


def _question(name: str, words: str) -> None:
    """Hangs one question on the command."""

    def ask(as_json: bool = _JSON, level: float | None = _LEVEL, figures: Path | None = _FIGURES) -> None:
        from scaling.trends.answers.questions import question

        payload = question(name)() if level is None else question(name)(level=level)
        _finish(payload, as_json, figures, FIGURES[name])

    trends.command(name, help=words)(ask)


for _name, _words in {
    "Q1": "Moore's law for language models: compute, data, algorithms.",
    "Q2": "Does compute rise exponentially? Shapes by BIC and by hindcast.",
    "Q3": "Does performance grow exponentially with parameters?",
    "Q7": "Has Moore's law ended? Hardware against software.",
    "Q8": "Does compute keep getting cheaper?",
    "Q9": "Are cost and energy the barrier?",
    "eras": "Break years of training compute, and how many are real.",
    "accounting": "Compute = chips × FLOP/s per chip × time × utilisation.",
    "algorithms": "Algorithmic progress, and who earned it.",
    "hardware": "Peaks per number format, memory, power, price.",
    "horizons": "Task horizons.",
    "multiverse": "Every filter, window and estimator.",
    "claims": "The claims of the essays, and the commands that answer them.",
    "methods": "One slope, every interval method.",
}.items():
    _question(_name, _words)


@trends.command()
def exchange(
    gain: list[float] = typer.Argument(None, help="Compute-equivalent gains, e.g. 2 10. Default: a ladder."),
    low: float = typer.Option(None, help="Low end of the gain's interval (with one gain)."),
    high: float = typer.Option(None, help="High end."),
    as_json: bool = _JSON,
    level: float | None = _LEVEL,
    figures: Path | None = _FIGURES,
) -> None:
    """What a compute-equivalent gain is worth in months of each trend."""
    from scaling.errors import ConfigError
    from scaling.trends.answers.coming import exchange_rates
    from scaling.trends.worth.exchange import exchange as worth

    at = 0.9 if level is None else level
    if (low is None) != (high is None) or (low is not None and len(gain or ()) != 1):
        raise ConfigError(
            "an interval needs one gain and both --low and --high; for example `scaling trends exchange 2 "
            "--low 1.5 --high 2.6`"
        )
    if low is not None:
        found = worth(gain[0], (low, high), level=at)
        _finish(
            {"question": "exchange", "answer": found.words() + ".", "exchange": [found.as_dict()]},
            as_json,
            figures,
            ("exchange",),
        )
        return
    payload = exchange_rates(tuple(gain), level=at) if gain else exchange_rates(level=at)
    _finish(payload, as_json, figures, ("exchange",))


@trends.command()
def costs(
    loss: float = typer.Option(2.2, help="The loss to buy, nats a token."),
    law: Path = typer.Option(None, help="A fit.json of your own; without it a published law."),
    first: int = typer.Option(2012, help="First year."),
    last: int = typer.Option(2030, help="Last year."),
    as_json: bool = _JSON,
    level: float | None = _LEVEL,
    figures: Path | None = _FIGURES,
) -> None:
    """What a fixed loss costs in dollars and kWh in each year."""
    from scaling.errors import ConfigError
    from scaling.trends.ahead.loss_law import from_fit
    from scaling.trends.answers.machines import costs as answer

    if last <= first:
        raise ConfigError(f"the years run from {first} to {last}; the last must come after the first")
    own = None if law is None else from_fit(law)
    payload = answer(0.9 if level is None else level, loss=loss, years=(first, last), law=own)
    _finish(payload, as_json, figures, ("costs",))


@trends.command()
def bill(
    ledger: Path = typer.Argument(
        ..., help="A sweep with results, its folder, or a table with a flops column."
    ),
    chip: str = typer.Option("H100 SXM", help="An accelerator of the fact table to price it on."),
    number_format: str = typer.Option("bf16_tensor", "--format", help="Number format of the peak."),
    mfu: float = typer.Option(0.4, help="Share of the peak that the runs reach."),
    dollars_per_hour: float = typer.Option(None, help="Price of a chip-hour; by default from the facts."),
    as_json: bool = _JSON,
) -> None:
    """Dollars and kWh of a sweep of your own, and of the same sweep on another chip or precision."""
    import pandas as pd

    from scaling.errors import TableError
    from scaling.places import results
    from scaling.trends.answers.machines import over_years
    from scaling.trends.worth.price import chip as named
    from scaling.trends.worth.price import sweep_bill

    found_at = ledger if ledger.exists() else results() / ledger
    path = found_at / "ledger.parquet" if found_at.is_dir() else found_at
    if not path.exists():
        raise TableError(
            f"there is no ledger {str(ledger)!r}; give a sweep with results, its folder, or a CSV with a "
            "flops column"
        )
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    on = named(chip, format=number_format, dollars_per_hour=dollars_per_hour)
    found = sweep_bill(table, on=on, mfu=mfu)
    other = found["elsewhere"]
    measured = [f"{k} {found[k]:,.3g}" for k in ("hours", "dollars", "kwh") if found[k] is not None]
    words = (
        f"{found['runs']} runs, {found['flops']:.3g} FLOP: "
        f"{', '.join(measured) or 'no measured price'}; on {other['basis']}: "
    )
    words += f"{other['chip_hours']:,.3g} chip-hours, ${other['dollars']:,.3g}"
    words += "." if other["kwh"] is None else f", {other['kwh']:,.3g} kWh."
    then = {
        "columns": ["year", "dollars", "interval"],
        "title": "The same FLOPs bought in another year (FP32 price trend, 90 %)",
    }
    years = over_years(found["flops"])
    rows = [
        [f"{y['year']:.0f}", f"${y['dollars']:,.3g}", f"${y['low']:,.3g} – ${y['high']:,.3g}"] for y in years
    ]
    payload = {
        "question": "bill",
        "answer": words,
        **found,
        "years": years,
        "tables": [{**then, "rows": rows}],
    }
    _finish(payload, as_json, None, ())


@trends.command()
def project(
    law: Path = typer.Option(None, help="A fit.json of your own; without it a published law."),
    until: float = typer.Option(2035.0, help="Last year."),
    threshold: list[float] = typer.Option(None, help="A loss whose date is asked; may be repeated."),
    runs: str = typer.Option(
        None, help="A table or sweep: the law, fitted to its smallest runs, predicts the others."
    ),
    column: list[str] = typer.Option(
        None, help="A letter and its column in --runs, e.g. N=params; repeatable."
    ),
    share: float = typer.Option(0.5, help="Share of the runs that counts as small."),
    as_json: bool = _JSON,
    level: float | None = _LEVEL,
    figures: Path | None = _FIGURES,
) -> None:
    """Loss against the calendar: bands for law, trend and both, floor, data wall, dates of thresholds."""
    from scaling.errors import ConfigError
    from scaling.trends.answers.coming import projection

    at = 0.9 if level is None else level
    options: dict[str, Any] = {"fit": law, "until": until}
    if threshold:
        options["thresholds"] = tuple(threshold)
    if runs is not None:
        for word in column or ():
            if "=" not in word:
                raise ConfigError(
                    f"--column {word!r} has no '='; write a letter and its column, as in N=params"
                )
        columns = dict(word.split("=", 1) for word in column or ())
        options["hindcast"] = {"source": runs, "columns": columns or None, "share": share}
    _finish(projection(at, **options), as_json, figures, ("calendar",))


@trends.command()
def figures(
    folder: Path = typer.Argument(..., help="Where to write SVG, PNG and JSON."),
    only: list[str] = typer.Option(None, "--only", help="This figure only; may be repeated."),
    sweep: str = typer.Option(None, help="A sweep of your own: adds the loss curves by family."),
    comparison: Path = typer.Option(
        None, help="A compare.json: adds the gain, and pins it on the growth lines."
    ),
    paper: str = typer.Option("light", help="light or dark."),
    as_json: bool = _JSON,
) -> None:
    """F1 to F12: growth, eras, forest, multiverse, exchange rates, decomposition, calendar, costs, hardware,
    doubling."""
    import json

    from scaling.errors import ConfigError, TableError, one_of
    from scaling.figures import source, style
    from scaling.figures import trends as drawn
    from scaling.figures.trends.families.gain import measured

    if paper not in style.PAPERS:
        raise ConfigError(one_of("paper", paper, style.PAPERS))
    for name in only or ():
        drawn.module(name)
    found = source.read(sweep) if sweep else None
    compared = found.comparison if found is not None else None
    if comparison is not None:
        try:
            compared = json.loads(comparison.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TableError(
                f"{comparison} cannot be read as a comparison ({error}); make it with `scaling compare`"
            ) from None
    pins = measured(compared)
    options: dict[str, dict[str, Any]] = {"growth": {"gains": pins}, "exchange": {"gains": pins}}
    if found is not None:
        options["families"] = {"source": found}
    if compared is not None:
        options["gain"] = {"comparison": compared}
    names = only or [n for n in drawn.NAMES if n in drawn.FROM_FACTS or n in options]
    for name in names:
        if name not in drawn.FROM_FACTS and name not in options:
            raise ConfigError(
                f"the figure {name!r} needs {'--sweep' if name == 'families' else '--comparison'}; the "
                "others need only the shipped facts"
            )
    written = [
        str(p) for n in names for p in drawn.save(n, folder, style.PAPERS[paper], **options.get(n, {}))
    ]
    payload = {
        "question": "figures",
        "answer": f"drew {len(names)} figures into {folder}",
        "figures": written,
    }
    emit(payload, as_json, lambda: _print(payload))


@trends.command()
def verify(as_json: bool = _JSON) -> None:
    """Recomputes every published figure that the project knows. Leaves with 1 when one differs."""
    from scaling.trends.verify.verdicts import verify as answer

    payload = answer()
    _finish(payload, as_json, None, ())
    if payload["failed"]:
        raise typer.Exit(1)


@trends.command()
def fit(
    file: Path = typer.Argument(..., help="CSV, TSV or Parquet."),
    date: str = typer.Option(..., help="Column of dates: 2012-06-14, 2012-06, 2012 or decimal years."),
    value: str = typer.Option(..., help="Column of values, above 0."),
    sigma: str = typer.Option(None, help="Column with the standard deviation of log10 value."),
    group: str = typer.Option(None, help="Column of clusters, such as the organisation."),
    unit: str = typer.Option(
        None, help="Column of units or number formats: a table that mixes them is refused."
    ),
    where: str = typer.Option(None, help="Only rows for which this pandas query holds."),
    since: float = typer.Option(None, help="First decimal year."),
    until: float = typer.Option(None, help="Last decimal year."),
    frontier: str = typer.Option(
        "all", help="all, top-1, top-3, top-5, top-10, top-20, p75 or p90 at release."
    ),
    horizon: float = typer.Option(3.0, help="Years ahead that the hindcast scores."),
    keep_duplicates: bool = typer.Option(False, "--keep-duplicates", help="Equal rows are meant."),
    as_json: bool = _JSON,
    level: float | None = _LEVEL,
) -> None:
    """Growth rate, shapes and breaks of your own table."""
    from scaling.trends.answers.own import answer, read

    s: Series = read(
        file,
        date=date,
        value=value,
        sigma=sigma,
        group=group,
        unit=unit,
        where=where,
        keep_duplicates=keep_duplicates,
    )
    payload = answer(
        s, since=since, until=until, frontier=frontier, horizon=horizon, level=0.9 if level is None else level
    )
    _finish(payload, as_json, None, ())

"""Define the verbs that choose runs: `allocate` and `next`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaling.cli import app, say
from scaling.cli.fits import (
    CColumn,
    Columns,
    DColumn,
    Decimal,
    Json,
    LossColumn,
    NColumn,
    Where,
    finish,
)
from scaling.cli.numbers import AMOUNT, between

if TYPE_CHECKING:
    from scaling.fitting.decisions.answers import Allocation

Out = Annotated[str | None, typer.Option(help="Also write the JSON to this file.")]
LawAsked = Annotated[
    str | None,
    typer.Option("--law", help="The law to fit. Default: chinchilla, or the law of the fit.json."),
]
Fitted = Annotated[str, typer.Argument(help="A fit.json, or a table or sweep, which is fitted first.")]


def fitted(
    source: str, law: str | None, columns: dict[str, str], where: str | None, decimal: str | None
) -> Any:
    """Load the source's fit.json if it exists and no option changes the fit; fit the source otherwise."""
    from scaling.errors import ConfigError
    from scaling.fitting.fit import fit
    from scaling.fitting.fit_file import refit, saved

    path = saved(source)
    anew = bool(law or columns or where or decimal)
    if path is not None and source.endswith(".json") and anew:
        raise ConfigError(
            f"{source} already fixes the law, columns and filter; leave out --law, --n, --d, --c, --loss, "
            "--column, --where and --decimal"
        )
    if path is not None and not anew:
        return refit(path)
    return fit(source, law or "chinchilla", columns=columns, where=where, decimal=decimal)


@app.command()
def allocate(
    source: Fitted,
    flops: Annotated[
        float | None, typer.Argument(callback=AMOUNT, help="Budget in FLOPs, such as 1e20.")
    ] = None,
    loss_goal: Annotated[
        float | None,
        typer.Option(
            "--to-loss",
            callback=AMOUNT,
            help="Instead of a budget: find the least compute that reaches this loss.",
        ),
    ] = None,
    inference: Annotated[
        float,
        typer.Option(
            callback=AMOUNT, help="Tokens of inference over the model's life, counted in the budget."
        ),
    ] = 0.0,
    data_limit: Annotated[
        float | None,
        typer.Option(
            "--data", callback=AMOUNT, help="Number of distinct tokens available, an upper limit of D."
        ),
    ] = None,
    law: LawAsked = None,
    n: NColumn = None,
    d: DColumn = None,
    c: CColumn = None,
    loss: LossColumn = None,
    column: Columns = None,
    where: Where = None,
    decimal: Decimal = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Find the N and D with the lowest loss for a compute budget.

    With --to-loss, find those that reach a loss with the least compute. Estimates have intervals.
    """
    from scaling.cli.fits import columns_of
    from scaling.errors import ConfigError
    from scaling.fitting.decisions.allocate import allocate as run
    from scaling.fitting.decisions.allocate import cheapest_way

    if (flops is None) == (loss_goal is None):
        raise ConfigError("give either a budget in FLOPs or --to-loss, such as: scaling allocate SWEEP 1e20")
    found = fitted(source, law, columns_of(n, d, c, loss, column), where, decimal)
    if flops is not None:
        answer = run(found, flops, inference_tokens=inference, data_limit=data_limit)
    else:
        assert loss_goal is not None
        if data_limit is not None:
            raise ConfigError(
                "--data needs a budget in FLOPs and cannot be combined with --to-loss; leave one of them out"
            )
        answer = cheapest_way(found, loss_goal, inference_tokens=inference)
    finish(answer.to_json(), out, as_json, lambda: say("\n".join(allocation_lines(answer))))


def allocation_lines(answer: Allocation) -> list[str]:
    """Return the lines that describe an allocation to people."""
    lines = [f"{answer.question}, {answer.convention}"]
    units = {
        "N": "parameters",
        "D": "tokens",
        "training_flops": "FLOPs",
        "total_flops": "FLOPs",
        "loss": "nats per token",
    }
    limited = f"with {answer.data_limit or 0:.3g} tokens, each seen once:"
    for title, part in (("optimum:", answer.optimum), (limited, answer.limited)):
        if part is None:
            continue
        lines.append(title)
        for name, entry in part.to_json().items():
            if entry["value"] is None:
                continue
            interval = entry["interval"]
            ends = ["unbounded" if v is None else f"{v:.4g}" for v in interval] if interval else []
            span = f" [{', '.join(ends)}] {entry['level']:.0%}" if ends else ""
            lines.append(f"  {name:<20} {entry['value']:.4g}{span} {units.get(name, '')}".rstrip())
    if answer.limit_words:
        lines.append(answer.limit_words)
    if answer.repeated is not None:
        again = answer.repeated
        lines.append(
            f"repeating tokens {again.epochs:.2g} times: N {again.N:.4g}, D {again.D:.4g}, "
            f"loss {again.loss:.4g}; {again.words}"
        )
    lines.append(f"intervals: {answer.optimum.N.method}")
    return lines + [f"warning: {warning}" for warning in answer.warnings]


@app.command("next")
def next_runs(
    source: Fitted,
    asked: Annotated[
        str,
        typer.Option(
            "--for", help="Quantity to narrow: a, b, loss, N_opt, D_opt, all, or a parameter of the law."
        ),
    ] = "a",
    at: Annotated[
        float | None,
        typer.Option(
            callback=AMOUNT,
            help="FLOPs at which loss, N_opt or D_opt is estimated. Default: 10 × the largest run.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            callback=AMOUNT, help="FLOPs of all new runs together. Default: the FLOPs spent so far."
        ),
    ] = None,
    cells: Annotated[
        int, typer.Option(callback=between(0, 1_000), help="Maximum number of runs to propose.")
    ] = 6,
    simulations: Annotated[
        int,
        typer.Option(
            callback=between(-1, 100_000),
            help="Number of simulated experiments that check the predicted interval.",
        ),
    ] = 200,
    reach: Annotated[
        float,
        typer.Option(
            callback=between(0, 1e6),
            help="Largest allowed size and compute, as a multiple of the largest run so far.",
        ),
    ] = 4.0,
    law: LawAsked = None,
    n: NColumn = None,
    d: DColumn = None,
    c: CColumn = None,
    loss: LossColumn = None,
    column: Columns = None,
    where: Where = None,
    decimal: Decimal = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Propose the next runs, which narrow an interval most per FLOP.

    The predicted width of the interval is checked by simulation.
    """
    from scaling.cli.fits import columns_of
    from scaling.fitting.decisions.answers import MEANING
    from scaling.fitting.decisions.design import next_runs as run

    found = fitted(source, law, columns_of(n, d, c, loss, column), where, decimal)
    plan = run(found, asked=asked, at=at, budget=budget, cells=cells, simulations=simulations, reach=reach)

    def text() -> None:
        say(f"next runs for {plan.asked}, {plan.spent_flops:.3g} of {plan.budget_flops:.3g} FLOPs:")
        for cell in plan.cells:
            size = f"  size {cell.size:g}" if cell.size is not None else ""
            say(
                f"  N {cell.N:.3g}  D {cell.D:.3g}  ({cell.D / cell.N:.3g} per parameter)  "
                f"{cell.flops:.3g} FLOPs{size}  → interval × {cell.interval_after:.2f}"
            )
        simulated = plan.interval_simulated
        checked = f", {simulated:.2f} in {simulations} simulations" if simulated is not None else ""
        say(f"{MEANING}: {plan.interval_foreseen:.2f} foreseen{checked}")
        for warning in plan.warnings:
            say(f"warning: {warning}")

    finish(plan.to_json(), out, as_json, text)

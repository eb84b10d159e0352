"""Define the verb `fit`, and the options that all verbs on tables of runs share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from scaling.cli import app, emit, say, to_json
from scaling.cli.numbers import LEVEL, SEED, between
from scaling.fitting import ranges

Source = Annotated[
    str,
    typer.Argument(help="A sweep with results, a ledger folder, or a CSV, TSV, Parquet, JSON or JSONL file."),
]
LawName = Annotated[
    str, typer.Option("--law", help="A law listed by `scaling laws`, or path.py:name for your own.")
]
NColumn = Annotated[
    str | None, typer.Option("--n", help='Column or expression of parameters, such as "Model Size".')
]
DColumn = Annotated[
    str | None, typer.Option("--d", help='Column or expression of tokens, such as "flops / (6 * params)".')
]
CColumn = Annotated[str | None, typer.Option("--c", help="Column or expression of training FLOPs.")]
LossColumn = Annotated[str | None, typer.Option("--loss", help="Column or expression of the loss.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="LETTER=COLUMN: the column of another variable of the law; repeatable."),
]
Where = Annotated[
    str | None,
    typer.Option("--where", help='Keep only rows for which this is true, such as "loss < 4 and seed == 0".'),
]
Decimal = Annotated[
    str | None,
    typer.Option("--decimal", help="Decimal mark, . or , for a table in which a comma could be either mark."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Objective = Annotated[
    str, typer.Option(help="Loss function of the fit: huber, lad, squares, asymmetric or likelihood.")
]
Delta = Annotated[
    str, typer.Option(help="Huber's delta, or auto: 1.345 robust standard deviations of the residuals.")
]
Cluster = Annotated[str | None, typer.Option(help="Column of clusters (checkpoints of one run) or strata.")]
Resamples = Annotated[
    int, typer.Option(callback=between(*ranges.RESAMPLES), help="Number of bootstrap resamples.")
]
Level = Annotated[float, typer.Option(callback=LEVEL, help="Confidence level of the intervals.")]
Seed = Annotated[int, typer.Option(callback=SEED, help="Seed of the random starts and resamples.")]
Fixed = Annotated[
    list[str] | None, typer.Option("--fix", help="NAME=VALUE: hold a parameter at a value; repeatable.")
]
Tied = Annotated[
    list[str] | None, typer.Option("--tie", help="NAME=OTHER: hold a parameter equal to another; repeatable.")
]


def columns_of(
    n: str | None, d: str | None, c: str | None, loss: str | None, column: list[str] | None
) -> dict[str, str]:
    """Return the column options as {letter: column}. Raises ConfigError."""
    from scaling.errors import ConfigError

    options = {"--n": ("N", n), "--d": ("D", d), "--c": ("C", c), "--loss": ("L", loss)}
    for option, (_, text) in options.items():
        if text is not None and not text.strip():
            raise ConfigError(f"{option} is empty; write a column or an expression, or leave {option} out")
    chosen = {letter: text for letter, text in options.values() if text is not None}
    for pair in column or []:
        letter, sign, value = pair.partition("=")
        if not sign or not letter or not value:
            raise ConfigError(
                f"--column {pair!r} is not LETTER=column; write for example --column U=tokens_unique"
            )
        if letter in chosen:
            raise ConfigError(f"{letter} has two columns, {chosen[letter]!r} and {value!r}; give one")
        chosen[letter] = value
    return chosen


def pairs_of(option: str, given: list[str] | None, number: bool) -> dict[str, Any]:
    """Return the NAME=value pairs of an option as a dictionary. Raises ConfigError."""
    from scaling.errors import ConfigError

    out: dict[str, Any] = {}
    for pair in given or []:
        name, sign, value = pair.partition("=")
        if name in out:
            raise ConfigError(f"{option} gives {name} two values, {out[name]} and {value}; give one")
        try:
            out[name] = float(value) if number else value
        except ValueError:
            sign = ""
        if not sign or not value or not name:
            raise ConfigError(
                f"{option} {pair!r} is not NAME={'number' if number else 'NAME'}; write for example "
                f"{option} E=1.69"
            )
    return out


def number_or_auto(option: str, text: str) -> float | str:
    """Return the number in `text`, or "auto". Raises ConfigError for any other text."""
    from scaling.errors import ConfigError

    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{option} is {text!r}; give a number above zero, or auto") from None


def made() -> dict[str, Any]:
    """Return when, by which command and with which versions a file was written.

    No other part of the file differs when the same command runs again.
    """
    import datetime
    import sys

    import numpy
    import scipy

    from scaling import __version__

    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join(["scaling", *sys.argv[1:]]),
        "versions": {"scaling": __version__, "numpy": numpy.__version__, "scipy": scipy.__version__},
    }


@app.command()
def fit(
    source: Source,
    law: LawName = "chinchilla",
    n: NColumn = None,
    d: DColumn = None,
    c: CColumn = None,
    loss: LossColumn = None,
    column: Columns = None,
    where: Where = None,
    decimal: Decimal = None,
    objective: Objective = "huber",
    scale: Annotated[
        str | None, typer.Option(help="Scale of the residuals, log or raw. Default: the law's own.")
    ] = None,
    delta: Delta = "auto",
    fix: Fixed = None,
    tie: Tied = None,
    weights: Annotated[str | None, typer.Option(help="Column or expression of weights.")] = None,
    bootstrap: Annotated[
        str, typer.Option(help="Bootstrap method: pairs, stratified, cluster, wild, parametric or none.")
    ] = "pairs",
    cluster: Cluster = None,
    resamples: Resamples = 1000,
    level: Level = 0.95,
    profile: Annotated[
        str,
        typer.Option(help="Curve of approach 2 at each budget: parabola, robust, cubic or akima."),
    ] = "parabola",
    starts: Annotated[
        int, typer.Option(callback=between(*ranges.STARTS), help="Number of random starts.")
    ] = 24,
    seed: Seed = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Skip the checks: backtests, selection, multiverse, profiles.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(help="Write the JSON to this file. Default for a sweep: fit.json beside its ledger."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit a law to a table of runs.

    Print the parameters with their intervals, a certificate of the optimum, and warnings.
    """
    import sys
    from pathlib import Path

    from scaling.errors import StorageError
    from scaling.fitting.fit import fit as run
    from scaling.fitting.fit_file import contents
    from scaling.fitting.progress import shown
    from scaling.fitting.validation.validate import validate
    from scaling.tables import ledger

    with shown(sys.stderr):
        found = run(
            source,
            law,
            columns=columns_of(n, d, c, loss, column),
            where=where,
            decimal=decimal,
            objective=objective,
            scale=scale,
            delta=number_or_auto("--delta", delta),
            fixed=pairs_of("--fix", fix, number=True),
            tied=pairs_of("--tie", tie, number=False),
            weights=weights,
            bootstrap=bootstrap,
            cluster=cluster,
            resamples=resamples,
            level=level,
            curve=profile,
            starts=starts,
            seed=seed,
        )
        validation = None if quick else validate(found)
    payload = contents(found, validation) | {"made": made()}
    target = Path(out) if out else None
    if target is None:
        path = ledger.find(source)
        target = path.parent / "fit.json" if path else None
    if target is not None:
        try:
            write(target, to_json(payload))
        except StorageError as error:  # a fit that nobody asked to keep is printed all the same
            if out:
                raise
            say(f"scaling: {error}", err=True)
            target = None

    def text() -> None:
        say(found.text(str(validation or "validation: skipped, as --quick asks")))
        if target is not None:
            say(f"\nwritten: {target}")

    emit(payload, as_json, text)
    if validation is not None and validation.stopped:
        from scaling.errors import Stopped

        raise Stopped(
            "stopped; the fit and the finished checks are printed, run the command again for all checks"
        )


def write(path: Any, text: str) -> None:
    """Write the JSON of a fit atomically. Raises StorageError."""
    from scaling import files
    from scaling.errors import StorageError

    if not path.name or path.is_dir():
        raise StorageError(f"{path} is a folder; give a file, as in --out {path / 'fit.json'}")
    files.write(path, text, "the JSON", option="--out FILE")


def finish(payload: dict[str, Any], out: str | None, as_json: bool, text: Any) -> None:
    """Write the payload to `out` if given, then print it."""
    from pathlib import Path

    payload = payload | {"made": made()}
    if out:
        write(Path(out), to_json(payload))

    def show() -> None:
        text()
        if out:
            say(f"\nwritten: {out}")

    emit(payload, as_json, show)

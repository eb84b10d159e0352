"""Define `scaling config`, which lists the keys of a config, and `scaling new`, which writes a sweep file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from scaling.cli import app, emit, say
from scaling.cli.sweeps.options import JSON


@app.command(name="config")
def config_verb(
    asked: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY|SWEEP]",
            help="A key or section (sweep.budgets, device), a choice (family=bert), or a sweep.",
        ),
    ] = None,
    as_json: JSON = False,
) -> None:
    """List the config keys with type, default and meaning.

    With the name of a sweep, list the values of its base config and mark those that differ from the
    defaults.
    """
    import dataclasses

    from scaling import folders
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning import keys

    sections = {row.name.partition(".")[0] for row in keys.every()}
    if asked and asked not in sections and (asked in folders.sweeps() or asked.endswith((".yaml", ".yml"))):
        with configs.hydra(asked) as (engine, name):
            rows = keys.resolved(configs.composer(engine.config_loader, configs.master(engine, name, [])))
        payload: Any = [{"key": key, "value": value, "changed": changed} for key, value, changed in rows]
        return emit(payload, as_json, lambda: _values(rows))
    listed = keys.asked(asked)
    emit([dataclasses.asdict(row) for row in listed], as_json, lambda: _keys(listed))
    if not asked and not as_json:
        say("\nOther families, recipes and corpora have other keys: scaling config family=NAME, ...")


def _keys(rows: list[Any]) -> None:
    """Print each key with its default and type, and its meaning on the next line."""
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size((100, 20)).columns, 120)
    section = ""
    for row in rows:
        if row.name.partition(".")[0] != section:
            section = row.name.partition(".")[0]
            say("")
        say(f"{row.name}: {_written(row.default)}   ({row.kind})")
        for line in textwrap.wrap(row.meaning, width - 4):
            say(f"    {line}")


def _values(rows: list[tuple[str, Any, bool]]) -> None:
    width = max(len(key) for key, _, _ in rows)
    for key, value, changed in rows:
        say(f"{'*' if changed else ' '} {key:<{width}}  {_written(value)}")
    say("* differs from the default; keys that are null in both are left out")


def _written(value: Any) -> str:
    """Return a value as YAML writes it on one line."""
    import yaml

    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return yaml.safe_dump(value, default_flow_style=True, width=1 << 20, allow_unicode=True).splitlines()[0]


@app.command(name="new")
def new_verb(
    name: Annotated[
        str, typer.Argument(help="Name of the new sweep (sweeps/NAME.yaml), or the path of a .yaml file.")
    ],
    design: Annotated[
        str,
        typer.Option(help="Design: isoflop, ladder, branches, grid, tuning, repetition, seeds or switches."),
    ] = "isoflop",
    as_json: JSON = False,
) -> None:
    """Write a commented sweep file to start from."""
    import shlex

    from scaling.sweeping.planning import new

    path = new.write(name, design)
    emit(
        {"file": str(path)},
        as_json,
        lambda: say(f"wrote {path}; next: scaling plan {shlex.quote(name)}"),
    )

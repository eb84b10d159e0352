"""F1 to F12 in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from scaling.cli import emit
from scaling.cli.trends import JSON, tell, trends


@trends.command()
def figures(
    folder: Path = typer.Argument(
        ..., help="Where to write SVG, PNG and JSON, or the .json behind one figure, which is drawn again."
    ),
    only: list[str] = typer.Option(None, "--only", help="This figure only; may be repeated."),
    sweep: str = typer.Option(None, help="A sweep of your own: adds the loss curves by family."),
    comparison: Path = typer.Option(
        None, help="A compare.json: adds the gain, and pins it on the growth lines."
    ),
    paper: str = typer.Option("light", help="light or dark."),
    as_json: bool = JSON,
) -> None:
    """F1 to F12 into one folder, or one again from its JSON.

    Growth, eras, forest, multiverse, families, gain, exchange rates, decomposition, calendar, costs,
    hardware, doubling.
    """

    from scaling.errors import ConfigError, one_of
    from scaling.figures import source, style
    from scaling.figures import trends as drawn
    from scaling.figures.trends.gain import measured
    from scaling.files import read_json

    if paper not in style.PAPERS:
        raise ConfigError(one_of("paper", paper, style.PAPERS))
    if folder.suffix == ".json":
        again = drawn.load(folder)
        written = [str(p) for p in drawn.write(again, folder.parent, style.PAPERS[paper])]
        payload = {"question": "figures", "answer": f"drew {again['figure']} again", "figures": written}
        return emit(payload, as_json, lambda: tell(payload))
    for name in only or ():
        drawn.module(name)
    found = source.read(sweep) if sweep else None
    compared = found.comparison if found is not None else None
    if comparison is not None:
        compared = read_json(comparison, "make it with `scaling compare`")
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
    emit(payload, as_json, lambda: tell(payload))

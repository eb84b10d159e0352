"""Define `scaling trends figures`, which draws the figures over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from scaling.cli import emit
from scaling.cli.trends import JSON, tell, trends
from scaling.figures import catalogue

HELP = f"""Draw the figures over time into a folder.

Given the JSON of one figure, draw only that figure again.

\b
{catalogue.listing(catalogue.TRENDS)}
"""


@trends.command(help=HELP)
def figures(
    folder: Path = typer.Argument(
        ..., help="Folder for SVG, PNG and JSON, or the .json of one figure to draw again."
    ),
    only: list[str] = typer.Option(None, "--only", help="Draw only this figure; repeatable."),
    sweep: str = typer.Option(None, help="Your own sweep, which adds the loss curves by family."),
    comparison: Path = typer.Option(
        None, help="A compare.json, which adds the gain and marks it on the growth trends."
    ),
    paper: str = typer.Option("light", help="Background: light or dark."),
    as_json: bool = JSON,
) -> None:
    from scaling.errors import ConfigError, one_of
    from scaling.figures import drawing, source, style
    from scaling.figures.trends.gain import measured
    from scaling.files import read_json

    if paper not in style.PAPERS:
        raise ConfigError(one_of("paper", paper, style.PAPERS))
    sheet = style.PAPERS[paper]
    if folder.suffix == ".json":
        data = drawing.load(folder)
        written = [str(p) for p in drawing.save(data, folder.parent, sheet)]
        payload = {"question": "figures", "answer": f"drew {data['figure']} again", "figures": written}
        return emit(payload, as_json, lambda: tell(payload))
    results = source.read(sweep) if sweep else None
    compared = results.comparison if results is not None else None
    if comparison is not None:
        compared = read_json(comparison, "make it with `scaling compare`")
    pins = measured(compared)
    options: dict[str, dict[str, Any]] = {"growth": {"gains": pins}, "exchange": {"gains": pins}}
    if results is not None:
        options["family-curves"] = {"source": results}
    if compared is not None:
        options["gain"] = {"comparison": compared}
    specs = [catalogue.figure(name, catalogue.TRENDS) for name in only or catalogue.TRENDS]
    ready = [spec for spec in specs if spec.needs == "facts" or spec.name in options]
    for spec in specs if only else ():
        if spec not in ready:
            raise ConfigError(
                f"the figure {spec.name!r} needs --{spec.needs}; give it, or leave this figure out"
            )
    written = [
        str(path)
        for spec in ready
        for path in drawing.save(drawing.data(spec.name, **options.get(spec.name, {})), folder, sheet)
    ]
    payload = {
        "question": "figures",
        "answer": f"drew {len(ready)} figures into {folder}",
        "figures": written,
    }
    emit(payload, as_json, lambda: tell(payload))

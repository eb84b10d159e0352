"""Define the verbs that draw: `figures` and `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaling.cli import app, emit, say
from scaling.figures import catalogue

if TYPE_CHECKING:
    from scaling.figures.source import Source
    from scaling.training.paths import RunPaths

SAMPLES, TOKENS, TEMPERATURE = 4, 200, 0.8
"""Number of runs of a sweep that write a sample for its report, tokens per sample, sampling temperature."""


FIGURES_HELP = f"""Draw the figures of a sweep from its ledger.

Write each figure as SVG and PNG, with the JSON that it is drawn from.

\b
{catalogue.listing(catalogue.RUNS)}
"""


@app.command(help=FIGURES_HELP)
def figures(
    sweep: Annotated[
        str,
        typer.Argument(
            help="A sweep with results, a folder with a ledger.parquet, or the .json of one figure."
        ),
    ],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Draw only this figure; repeatable.")
    ] = None,
    paper: Annotated[str, typer.Option(help="Background: light or dark.")] = "light",
    as_json: Annotated[bool, typer.Option("--json", help="Print the list of written files as JSON.")] = False,
) -> None:
    from pathlib import Path

    from scaling.errors import ConfigError, one_of
    from scaling.figures import drawing, source, style

    if paper not in style.PAPERS:
        raise ConfigError(one_of("paper", paper, style.PAPERS))
    names = [catalogue.figure(name, catalogue.RUNS).name for name in only or ()]
    if sweep.endswith(".json"):
        data = drawing.load(Path(sweep))
        drawn, folder = {data["figure"]: data}, Path(sweep).parent
    else:
        found = source.read(sweep)
        drawn, folder = drawing.of(found, names), found.folder / "figures"
    sheet = style.PAPERS[paper]
    written = {name: [str(p) for p in drawing.save(data, folder, sheet)] for name, data in drawn.items()}
    missing = {name: data["missing"] for name, data in drawn.items() if data.get("missing")}

    def text() -> None:
        for name, data in drawn.items():
            if name not in missing:
                say(f"{name:<12} {data['title']}")
        for why in dict.fromkeys(missing.values()):
            say(f"not drawn: {', '.join(n for n in missing if missing[n] == why)}: {why}")
        say(f"wrote {sum(map(len, written.values()))} files into {folder}")

    emit({"folder": str(folder), "figures": written, "missing": missing}, as_json, text)


@app.command()
def report(
    sweep: Annotated[
        str | None, typer.Argument(help="A sweep with results, or a folder with a ledger.parquet.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Write a page for every study, and an index page.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also write the page as PDF (needs Chromium).")] = False,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples/--no-samples", help="Generate text samples from models whose weights are kept."
        ),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer and the path of the page as JSON.")
    ] = False,
) -> None:
    """Write one self-contained HTML page about a sweep.

    The page has the answer, the figures, the runs, the fit and their provenance.
    """
    from scaling.errors import ConfigError, TableError
    from scaling.figures import source
    from scaling.figures.report import browser, index, page
    from scaling.folders import results

    if everything == (sweep is not None):
        raise ConfigError(
            "report takes either one sweep or --all; write `scaling report SWEEP` or `scaling report --all`"
        )
    made: list[dict[str, object]] = []
    for name in index.studies(results()) if everything else [sweep]:
        try:
            found = source.read(str(name))
            path, answer = page.write(with_samples(found) if samples else found)
        except TableError as error:
            if not everything:
                raise
            made.append({"study": str(name), "error": str(error)})
            continue
        summary = {"answer": answer.sentence, "basis": answer.basis, "cautions": list(answer.cautions)}
        printed = str(browser.pdf(path)) if pdf else None
        made.append({"report": str(path), **summary, "bytes": path.stat().st_size, "pdf": printed})
    first = index.write(results())[0] if everything else path
    if show and not browser.show(first):
        say(f"no browser was found; open {first} by hand", err=True)

    def text() -> None:
        for one in made:
            if "error" in one:
                say(f"left out: {one['error']}")
                continue
            say(f"{one['answer']}\n{one['basis']}".rstrip())
            for caution in answer.cautions if not everything else ():
                say(f"  caution: {caution}")
            say(f"wrote {one['report']}" + (f" and {one['pdf']}" if one["pdf"] else ""))
        if everything:
            say(f"wrote {first}")

    emit({"index": str(first), "reports": made} if everything else made[0], as_json, text)


def with_samples(source: Source) -> Source:
    """Return the results with text samples of their models, and write these to `samples.json` by the ledger.

    Samples come from up to four language models with kept weights, spread from the smallest size to the
    largest; of each size, the model of least loss. Earlier samples are reused. Torch is imported only if a
    sample is missing.
    """
    import json
    from dataclasses import replace

    from scaling import extras
    from scaling.errors import NotInstalled, ScalingError
    from scaling.figures.report.samples import kept
    from scaling.training.paths import RunPaths

    if (source.samples or {}).get("ledger") == source.digest or "objective" not in source.done:
        return source
    root = source.folder.resolve().parent
    runs = source.done[source.done["objective"].eq("causal")].sort_values(["params", "loss"])
    runs = runs[[RunPaths.of(root, str(r)).weights.is_file() for r in runs["run_id"]]]
    sizes = runs.drop_duplicates("params")
    if sizes.empty:
        return source
    places = sorted({round(i * (len(sizes) - 1) / max(SAMPLES - 1, 1)) for i in range(SAMPLES)})
    chosen = sizes.iloc[places].to_dict("records")
    settings: dict[str, Any] = {"tokens": TOKENS, "seed": 0, "temperature": TEMPERATURE}
    before = source.samples or {}
    same = all(before.get(key) == value for key, value in {"prompt": "", **settings}.items())
    known = {row["run_id"]: row["text"] for row in kept(before) if same}
    try:
        if not {row["run_id"] for row in chosen} <= set(known):
            extras.need("torch")
    except NotInstalled as error:
        say(f"no text samples: {error}", err=True)
        return source
    written: list[dict[str, Any]] = []
    for number, row in enumerate(chosen, start=1):
        run, params = str(row["run_id"]), int(row["params"])
        if run not in known:
            say(f"sample {number} of {len(chosen)}: {run[:8]}, N={params:,}", err=True)
            try:
                known[run] = _text(RunPaths.of(root, run), settings)
            except ScalingError as error:
                say(f"no text sample of {run[:8]}: {error}", err=True)
                continue
        written.append({"run_id": run, "params": params, "loss": float(row["loss"]), "text": known[run]})
    if not written:
        return source
    from scaling import files

    made = {"schema": 1, "ledger": source.digest, "prompt": "", **settings, "samples": written}
    content = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    files.write(source.folder / "samples.json", content, "the samples")
    return replace(source, samples=made)


def _text(paths: RunPaths, settings: dict[str, Any]) -> str:
    """Return a text sample of one trained model."""
    from scaling.training import sample

    cell, corpus, module = sample.load(paths)
    return sample.text(module, corpus, "", context=cell.context, **settings)

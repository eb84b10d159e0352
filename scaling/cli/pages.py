"""Verbs that make pictures and pages: figures, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaling.cli import app, emit

if TYPE_CHECKING:
    from scaling.figures.source import Source
    from scaling.training.paths import RunPaths

SAMPLES, TOKENS, TEMPERATURE = 4, 200, 0.8
"""How many runs of a sweep write a sample for its report, how long, how boldly."""


@app.command()
def figures(
    sweep: Annotated[
        str,
        typer.Argument(
            help="A sweep with results, a folder with a ledger.parquet, or the .json behind one figure."
        ),
    ],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Draw this figure only; may be repeated.")
    ] = None,
    paper: Annotated[str, typer.Option(help="light or dark.")] = "light",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Draws the figures of a sweep again from its ledger.

    Of each there is an SVG, a PNG, and the JSON that it is drawn from.
    """
    from pathlib import Path

    from scaling.errors import ConfigError, one_of
    from scaling.figures import catalogue, source, style

    if paper not in style.PAPERS:
        raise ConfigError(one_of("paper", paper, style.PAPERS))
    names = [catalogue.plate(name).name for name in only or ()]
    if sweep.endswith(".json"):
        data = catalogue.load(Path(sweep))
        drawn, folder = {data["figure"]: data}, Path(sweep).parent
    else:
        found = source.read(sweep)
        drawn, folder = catalogue.of(found, names), found.folder / "figures"
    written = {
        name: [str(p) for p in catalogue.save(data, folder, style.PAPERS[paper])]
        for name, data in drawn.items()
    }
    missing = {name: data["missing"] for name, data in drawn.items() if data.get("missing")}

    def text() -> None:
        for name, data in drawn.items():
            if name not in missing:
                typer.echo(f"{name:<12} {data['title']}")
        for why in dict.fromkeys(missing.values()):
            typer.echo(f"not drawn: {', '.join(n for n in missing if missing[n] == why)}: {why}")
        typer.echo(f"wrote {sum(map(len, written.values()))} files into {folder}")

    emit({"folder": str(folder), "figures": written, "missing": missing}, as_json, text)


@app.command()
def report(
    sweep: Annotated[
        str | None, typer.Argument(help="A sweep with results, or a folder with a ledger.parquet.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every study, and an index page over all of them.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Also print the page to PDF (needs a Chromium).")
    ] = False,
    samples: Annotated[
        bool, typer.Option("--samples/--no-samples", help="Let models whose weights are here write text.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer and where the page lies as JSON.")
    ] = False,
) -> None:
    """Writes one self-contained page.

    It holds the answer, the figures, the runs, the fit, and where it all came from.
    """
    from scaling.errors import ConfigError, TableError
    from scaling.figures import source
    from scaling.figures.report import browser, index, page
    from scaling.folders import results

    if everything == (sweep is not None):
        raise ConfigError(
            "report needs either one sweep or --all; write `scaling report SWEEP` or `scaling report --all`"
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
        said = {"answer": answer.sentence, "basis": answer.basis, "cautions": list(answer.cautions)}
        printed = str(browser.pdf(path)) if pdf else None
        made.append({"report": str(path), **said, "bytes": path.stat().st_size, "pdf": printed})
    first = index.write(results())[0] if everything else path
    if show and not browser.show(first):
        typer.echo(f"there is no browser here to open {first} in", err=True)

    def text() -> None:
        for one in made:
            if "error" in one:
                typer.echo(f"left out: {one['error']}")
                continue
            typer.echo(f"{one['answer']}\n{one['basis']}".rstrip())
            for caution in answer.cautions if not everything else ():
                typer.echo(f"  caution: {caution}")
            typer.echo(f"wrote {one['report']}" + (f" and {one['pdf']}" if one["pdf"] else ""))
        if everything:
            typer.echo(f"wrote {first}")

    emit({"index": str(first), "reports": made} if everything else made[0], as_json, text)


def with_samples(source: Source) -> Source:
    """The same results, with `samples.json` beside the ledger where runs of this sweep kept their weights.

    Up to four language models from the smallest to the largest, of each size the one with the least loss.
    What a run wrote before is kept; torch is loaded only when there are weights and there is text to write.
    """
    import json
    from dataclasses import replace

    from scaling import extras
    from scaling.errors import NotInstalled, ScalingError
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
    known = {row["run_id"]: row["text"] for row in before.get("samples") or [] if same}
    try:
        if not {row["run_id"] for row in chosen} <= set(known):
            extras.need("torch")
    except NotInstalled as error:
        typer.echo(f"no samples of the models: {error}", err=True)
        return source
    written: list[dict[str, Any]] = []
    for number, row in enumerate(chosen, start=1):
        run, params = str(row["run_id"]), int(row["params"])
        if run not in known:
            typer.echo(f"sample {number} of {len(chosen)}: {run[:8]}, N={params:,}", err=True)
            try:
                known[run] = _text(RunPaths.of(root, run), settings)
            except ScalingError as error:
                typer.echo(f"no sample of {run[:8]}: {error}", err=True)
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
    """What one trained model writes."""
    from scaling.training import sample

    cell, corpus, module = sample.load(paths)
    return sample.text(module, corpus, "", context=cell.context, **settings)

"""Define the verbs on finished runs: `sample`, `export` and `compress`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaling.cli import app, emit, say
from scaling.cli.numbers import COUNT, SEED, SHARE, between

if TYPE_CHECKING:
    from scaling.training.paths import RunPaths

Run = Annotated[str, typer.Argument(help="A run id, its first characters, or the folder of a run.")]


@app.command()
def sample(
    run: Run,
    prompt: Annotated[str, typer.Option(help="Text that the sample begins with.")] = "",
    tokens: Annotated[int, typer.Option(callback=COUNT, help="Number of tokens to generate.")] = 200,
    temperature: Annotated[
        float,
        typer.Option(callback=between(0, 1e6), help="Sampling temperature; 0 takes the likeliest token."),
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(callback=COUNT, help="Sample only from this number of likeliest tokens.")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(callback=SHARE, help="Sample only from the likeliest tokens of this total probability."),
    ] = None,
    seed: Annotated[
        int, typer.Option(callback=SEED, help="Random seed; the same seed gives the same text.")
    ] = 0,
    at: Annotated[str, typer.Option(help="Weights to use: last, best, or the step of a milestone.")] = "last",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Generate text with a trained language model."""
    from scaling.training import sample as sampling

    cell, corpus, module = sampling.load(find(run), at=at)
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    text = sampling.text(module, corpus, prompt, tokens=tokens, context=cell.context, seed=seed, **settings)
    payload = {"run_id": cell.run_id, "prompt": prompt, "seed": seed, "at": at, **settings, "text": text}
    emit(payload, as_json, lambda: say(text))


@app.command()
def export(
    run: Run,
    folder: Annotated[Path, typer.Argument(help="Folder that the `transformers` model is written to.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Export a trained run as a `transformers` folder.

    The model that `from_pretrained` loads gives the same logits and the same tokens.
    """
    from scaling.corpora import exporting
    from scaling.families.export import to_transformers
    from scaling.files import storage
    from scaling.training.sample import load

    cell, corpus, module = load(find(run))
    model = to_transformers(module)
    tokenizer = exporting.to_transformers(getattr(corpus, "texts", corpus).tokenizer, context=cell.context)
    with storage(folder, "the model", option="another FOLDER"):
        folder.mkdir(parents=True, exist_ok=True)
        if tokenizer is not None:
            exporting.ends_as(model, tokenizer)
            tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    kind = type(model).__name__
    payload = {"run_id": cell.run_id, "model": kind, "folder": str(folder)}
    emit(payload, as_json, lambda: say(f"wrote {folder}: {kind}.from_pretrained({str(folder)!r})"))


@app.command()
def compress(
    sweep: Annotated[str, typer.Argument(help="The sweep whose finished runs are compressed.")],
    bits: Annotated[str, typer.Option(help="Bits per weight, separated by commas.")] = "8,6,4,3,2",
    sparsity: Annotated[str, typer.Option(help="Fractions of weights set to zero, separated by commas.")] = (
        "0.25,0.5,0.75,0.9"
    ),
    scope: Annotated[
        str,
        typer.Option(help="Prune the smallest weights over all matrices (global) or of each matrix (layer)."),
    ] = "global",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Quantise and prune the trained models of a sweep.

    Write a table of held-out losses. Nothing is trained.
    """
    from scaling import folders
    from scaling.config.kinds import SPARSITY
    from scaling.config.run import BITS, SCOPE
    from scaling.sweeping.compression import TABLE
    from scaling.sweeping.compression import compress as compress_sweep

    widths = [BITS.read("--bits", one) for one in bits.split(",") if one.strip()]
    shares = [SPARSITY.read("--sparsity", one) for one in sparsity.split(",") if one.strip()]
    scope = SCOPE.read("--scope", scope)
    rows = compress_sweep(folders.results(), sweep, bits=widths, sparsity=shares, scope=scope)
    path = folders.results() / sweep / TABLE

    def text() -> None:
        say(f"{'bits':>5} {'sparsity':>9} {'runs':>5} {'mean increase of loss':>22} {'largest':>9}")
        by: dict[tuple[int, float], list[float]] = {}
        for row in rows:
            by.setdefault((row["weight_bits"] or 0, row["sparsity"]), []).append(row["delta_loss"])
        for (b, s), rises in by.items():
            mean = sum(rises) / len(rises)
            say(f"{b or '':>5} {s:>9g} {len(rises):>5} {mean:>22.4f} {max(rises):>9.4f}")
        say(f"wrote {path}")

    emit({"sweep": sweep, "table": str(path), "rows": rows}, as_json, text)


def find(run: str) -> RunPaths:
    """Return the folder of one run. Raises ConfigError when the name fits none or several."""
    from scaling import folders
    from scaling.errors import ConfigError
    from scaling.training.paths import RunPaths

    results = folders.results()
    folder = Path(run)
    if run and folder.is_dir():
        return RunPaths.of(folder.resolve().parent.parent, folder.resolve().name)
    fitting = sorted(path.name for path in (results / "runs").glob(f"{run}*") if path.is_dir())
    if len(fitting) == 1:
        return RunPaths.of(results, fitting[0])
    count = f"fits {len(fitting)} runs" if fitting else "fits no run"
    raise ConfigError(
        f"{run!r} {count} in {results / 'runs'}; give more characters of the id, which `scaling status` and "
        "the ledger's column run_id show"
    )

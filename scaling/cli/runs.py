"""Verbs about one finished run: text from it, and its weights for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaling.cli import app, emit

if TYPE_CHECKING:
    from scaling.training.paths import RunPaths

Run = Annotated[str, typer.Argument(help="A run id, the first characters of one, or a run's folder.")]


@app.command()
def sample(
    run: Run,
    prompt: Annotated[str, typer.Option(help="What the text begins with.")] = "",
    tokens: Annotated[int, typer.Option(min=1, help="How many tokens to write.")] = 200,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Only so many of the likeliest tokens.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Only the likeliest, of this probability.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same text.")] = 0,
    at: Annotated[str, typer.Option(help="Which weights: last, best, or the step of a milestone.")] = "last",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Text from a trained language model."""
    from scaling.training import sample as sampling

    cell, corpus, module = sampling.load(find(run), at=at)
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    text = sampling.text(module, corpus, prompt, tokens=tokens, context=cell.context, seed=seed, **settings)
    payload = {"run_id": cell.run_id, "prompt": prompt, "seed": seed, "at": at, **settings, "text": text}
    emit(payload, as_json, lambda: print(text))


@app.command()
def export(
    run: Run,
    folder: Annotated[Path, typer.Argument(help="Where the `transformers` model is written.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """A trained run as a `transformers` folder that `from_pretrained` loads, with the same logits."""
    from scaling.families.export import to_transformers
    from scaling.training.sample import load

    cell, _, module = load(find(run))
    model = to_transformers(module)
    model.save_pretrained(folder)
    kind = type(model).__name__
    payload = {"run_id": cell.run_id, "model": kind, "folder": str(folder)}
    emit(payload, as_json, lambda: print(f"wrote {folder}: {kind}.from_pretrained({str(folder)!r})"))


def find(run: str) -> RunPaths:
    """The folder of one run. Raises ConfigError when the name fits none or several."""
    from scaling import places
    from scaling.errors import ConfigError
    from scaling.training.paths import RunPaths

    results = places.results()
    given = Path(run)
    if run and given.is_dir():
        return RunPaths.of(given.resolve().parent.parent, given.resolve().name)
    fitting = sorted(path.name for path in (results / "runs").glob(f"{run}*") if path.is_dir())
    if len(fitting) == 1:
        return RunPaths.of(results, fitting[0])
    found = f"fits {len(fitting)} runs" if fitting else "fits none"
    raise ConfigError(
        f"the run {run!r} {found} in {results / 'runs'}; give more of the id, as `scaling status` and the "
        "ledger's column run_id show it"
    )

"""The `scaling` command: one file a group of verbs, one function a verb. Typer alone is imported before one
is chosen."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="scaling",
    help="A scaling-law laboratory: plan a sweep, run it anywhere, fit it honestly, read it on the calendar.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import scaling

        typer.echo(scaling.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Plan a sweep, run it anywhere, fit it honestly, read it on the calendar."""


def emit(payload: Any, as_json: bool, text: Callable[[], object]) -> None:
    """Prints `payload` as JSON for programs, or calls `text` for people."""
    if as_json:
        sys.stdout.write(to_json(payload, indent=2))
    else:
        text()


def to_json(payload: Any, indent: int = 1) -> str:
    """Return the whole text of a JSON file, in which a number that is not finite is null."""
    return json.dumps(_plain(payload), indent=indent, allow_nan=False, default=str) + "\n"


def _plain(value: Any) -> Any:
    """Objects, lists, numbers and text: arrays and their numbers by their own `tolist`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def main() -> None:
    """Runs one verb. A person's mistake ends in one sentence and a non-zero exit code, never a traceback."""
    from scaling.errors import ScalingError

    try:
        code = app(standalone_mode=False, prog_name="scaling")
    except ScalingError as error:
        sys.stderr.write(f"scaling: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        sentence = _not_installed(error) or _usage(error)
        if sentence is None:
            raise
        sys.stderr.write(sentence)
        raise SystemExit(2) from None
    if code == 130:
        sys.stderr.write("scaling: stopped; what is on disk stays, type the same command again\n")
    raise SystemExit(code if isinstance(code, int) else 0)


def _not_installed(error: Exception) -> str | None:
    """The sentence for a package of an extra that is not there; None for any other exception."""
    from scaling import extras

    missing = extras.lacking(error) if isinstance(error, ModuleNotFoundError) else None
    return f"scaling: {missing}\n" if missing else None


def _usage(error: Exception) -> str | None:
    """The sentence for a mistake that the command line parser finds, the help where no verb is given, and
    None for any other exception. The parser's own classes live elsewhere from one version to the next, so
    they are known by what they have."""
    context = getattr(error, "ctx", None)
    if context is None or not hasattr(error, "format_message"):
        return None
    said = str(error.format_message()).strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        return f"{said}\n"
    said = f"{said[:1].lower()}{said[1:].rstrip('.')}{'' if said.endswith('?') else ';'}"
    return f"scaling: {said} `{context.command_path} --help` says what is allowed\n"


def _register() -> None:
    """Imports the verb files, which hang their functions on `app`."""
    from importlib import import_module

    sweeps = (f"sweeps.{part}" for part in ("planning", "running", "keys", "machine", "importing"))
    trends = (f"trends.{part}" for part in ("questions", "worth", "ahead", "drawn", "own"))
    for room in (
        *sweeps,
        "fits",
        "comparisons",
        "decisions",
        "published",
        *trends,
        "pages",
        "models",
        "runs",
    ):
        import_module(f"scaling.cli.{room}")


_register()

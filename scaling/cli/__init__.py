"""Define the `scaling` command: one file per group of verbs, one function per verb.

Only Typer is imported until a verb is chosen; each verb imports what it needs.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="scaling",
    help="Plan a sweep of training runs, run it, fit scaling laws to the results, and draw trends over time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(requested: bool) -> None:
    if requested:
        import scaling

        typer.echo(scaling.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Plan a sweep of training runs, run it, fit scaling laws to the results, and draw trends over time."""


def emit(payload: Any, as_json: bool, text: Callable[[], object]) -> None:
    """Print `payload` as JSON if `as_json`, or else call `text`, which prints it for people."""
    if as_json:
        sys.stdout.write(to_json(payload, indent=2))
    else:
        text()


def to_json(payload: Any, indent: int = 1) -> str:
    """Return `payload` as the text of a JSON file; numbers that are not finite become null."""
    return json.dumps(_plain(payload), indent=indent, allow_nan=False, default=str) + "\n"


def _plain(value: Any) -> Any:
    """Return `value` with arrays as lists, and None for every number that is not finite."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say(text: str, *, err: bool = False) -> None:
    """Print a text as it is, with control characters made visible; `err` for standard error."""
    from scaling.terminal.text import visible

    typer.echo(visible(text), err=err)


def main() -> None:
    """Run one verb and exit with its code.

    A user's mistake prints one sentence. An unexpected exception prints one sentence that names the file with
    its traceback, and the code is 70.
    """
    from scaling.terminal import streams

    streams.prepare()
    code = _code()
    raise SystemExit(streams.last() or code)


def _code() -> int:
    """Run one verb and return its exit code, after a sentence for every exception."""
    from scaling.errors import ScalingError

    # figures are files here, and a notebook's or an unknown backend would stop matplotlib at its import
    os.environ.pop("MPLBACKEND", None)
    try:
        code = app(standalone_mode=False, prog_name="scaling")
    except ScalingError as error:
        say(f"scaling: {error}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        code = 130
    except SystemExit as stop:  # of the parser, when a reader closed the pipe
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:
        from scaling.terminal import crash, streams

        if isinstance(error, OSError) and streams.refusal():
            return 1
        sentence = _not_installed(error) or _too_long(error) or _usage(error)
        say((sentence or f"scaling: {crash.logged(error)}").rstrip(), err=True)
        return 2 if sentence else crash.CODE
    if code == 130:
        from scaling.folders import command

        sys.stderr.write(
            "scaling: interrupted by Ctrl-C; finished work is kept on disk; continue with: "
            f"{command(*sys.argv[1:])}\n"
        )
    return code if isinstance(code, int) else 0


def _not_installed(error: Exception) -> str | None:
    """Return the message for a missing optional package, or None for any other exception."""
    from scaling import extras

    missing = extras.lacking(error) if isinstance(error, ModuleNotFoundError) else None
    return f"scaling: {missing}\n" if missing else None


def _too_long(error: Exception) -> str | None:
    """Return the message for a path that the system refuses by its length, or None for any other
    exception."""
    import errno

    if not isinstance(error, OSError) or error.errno != errno.ENAMETOOLONG:
        return None
    name = str(error.filename)
    return f"scaling: the path {name[:40]!r}… has {len(name):,} characters, too many for a file; shorten it\n"


def _usage(error: Exception) -> str | None:
    """Return the message for a usage error, the help if no verb was given, or None for any other exception.

    The parser's exception classes move between modules from version to version, so they are recognised by
    their attributes.
    """
    context = getattr(error, "ctx", None)
    if context is None or not hasattr(error, "format_message"):
        return None
    message = str(error.format_message()).strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        return f"{message}\n"
    message = f"{message[:1].lower()}{message[1:].rstrip('.')}{'' if message.endswith('?') else ';'}"
    return f"scaling: {message} `{context.command_path} --help` lists what is allowed\n"


def _register() -> None:
    """Import the files of verbs, which register their functions with `app`."""
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

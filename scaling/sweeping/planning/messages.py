"""Turn the exceptions of Hydra, OmegaConf and YAML into errors of one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scaling import folders
from scaling.errors import ConfigError, one_of

BROUGHT = {"joblib": "joblib", "submitit_local": "slurm", "submitit_slurm": "slurm"}
"""Hydra launchers of other packages → the extra that installs them."""


@contextmanager
def sentences(keys: Callable[[], list[str]]) -> Iterator[None]:
    """Raise exceptions of Hydra, OmegaConf and YAML as a ConfigError of one sentence.

    `keys` returns the known keys, from which a hint takes the nearest.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import MarkedYAMLError
    from yaml.reader import ReaderError

    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at {mark.name}, line {mark.line + 1}" if mark else ""
        lines = Path(mark.name).read_text(errors="replace").splitlines() if mark else []
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        quoted = ', and put quotes around "${...}" inside braces' if "${" in line else ""
        raise ConfigError(
            f"a config is not YAML{where}: {error.problem}; correct that line{quoted}"
        ) from error
    except ReaderError as error:  # a NUL, or another character that YAML does not allow
        raise ConfigError(
            f"a config is not YAML at {error.name}: the character at position {error.position} is not "
            "allowed; remove it"
        ) from error
    except RecursionError as error:
        raise ConfigError(
            "a config or an override is nested too deeply, or an anchor holds its own alias; write plain "
            "lists and sections"
        ) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_sentence(error, keys)) from error
    except UnicodeDecodeError:
        raise
    except ValueError as error:  # raised by Hydra for a group whose value is not a name
        raise ConfigError(f"an override cannot be used ({error}); write key=value, such as seed=1") from error


def _sentence(error: Exception, keys: Callable[[], list[str]]) -> str:
    from hydra.errors import MissingConfigException, OverrideParseException

    text = str(error) or str(error.__cause__)
    if isinstance(error, OverrideParseException):
        return (
            f"the override {error.override!r} cannot be read "
            f"({text.splitlines()[0].partition(' expecting {')[0]}); write key=value, lists as key=[1,2]"
        )
    if isinstance(error, MissingConfigException) and "Available options in '" in text:
        group = text.split("Available options in '", 1)[1].split("'", 1)[0]
        options = [
            line.strip()
            for line in text.split("Available options", 1)[1].split("Config search path")[0].splitlines()[1:]
        ]
        missing = text.split("Could not find '", 1)[1].split("'", 1)[0].removeprefix(f"{group}/")
        if group in ("family", "corpus") and ".py:" in missing:
            return (
                f"{missing!r} is not a {group}; give your own as {group}=path.py:Name, without other values"
            )
        if group == "hydra/launcher" and missing in BROUGHT:
            return (
                f"hydra/launcher={missing} is not installed; type: pip install 'scaling[{BROUGHT[missing]}]' "
                f"(in a checkout: pip install '.[{BROUGHT[missing]}]')"
            )
        return one_of(group, missing, choices(group) or [option for option in options if option])
    if text.startswith(("Could not override '", "Could not append")):
        key = text.split("'", 2)[1]
        known, group = keys(), key.partition(".")[0]
        if key not in known:
            return f"there is no key {key!r}; {nearest(key, known)}"
        return f"there is no key {key!r} with this {group}; `scaling config {group}=NAME` lists its keys"
    if "full_key: " in text and "not in '" in text:
        key = text.split("full_key: ", 1)[1].split()[0]
        file = text.split("In '", 1)[1].split("'", 1)[0] if "In '" in text else ""
        where = f"conf/{file}.yaml: " if "/" in file else ""
        if key in keys():
            section, _, name = key.partition(".")
            return f"{where}the key {key!r} is written with a dot; nest it: {section}: {{{name}: ...}}"
        return f"{where}unknown key {key!r}; {nearest(key, keys())}"
    if "is not a subclass of" in text and " value: " in text:
        value = text.rpartition(" value: ")[2].splitlines()[0]
        section = text.split(" is not a subclass of ", 1)[1].split("Config", 1)[0].lower()
        return f"{section} is {value!r}; it is a section: write {section}: {{name: value}}"
    cause = f" ({str(error.__cause__).splitlines()[0]})" if error.__cause__ and str(error) else ""
    return f"{' '.join(line.strip() for line in text.splitlines()[:2])}{cause}".replace(
        "LexerNoViableAltException: ", ""
    )


def nearest(key: str, known: Sequence[str]) -> str:
    """Return the hint for an unknown key."""
    near = get_close_matches(key, known, n=3, cutoff=0.5)
    top = ", ".join(sorted({name.partition(".")[0] for name in known}))
    hint = " or ".join(map(repr, near)) if near else f"one of {top}"
    return f"did you mean {hint}? `scaling config` lists every key"


def concerns(content: Mapping[str, Any], given: Sequence[str], error: str) -> bool:
    """Return whether a sweep file sets a key, or an unknown key or choice, that an error names."""
    replaced = [text.partition("=")[0].lstrip("+~") for text in given]
    if any(_names(key, error) for key in replaced if "." in key):
        return False
    for key in flat_keys(content):
        if key in replaced:
            continue
        if "." in key and _names(key, error):
            return True
        if error.startswith(f"{key} is "):
            return True
        if _refused(key.rpartition(".")[2], error):
            return True
    chosen = [item for item in content["defaults"] if isinstance(item, Mapping)]
    return any(_refused(name, error) for item in chosen for name in item.values())


def _names(key: str, error: str) -> bool:
    """Return whether an error contains a dotted key."""
    return re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", error) is not None


def _refused(name: Any, error: str) -> bool:
    """Return whether an error says that a key or a choice is not known."""
    return re.search(rf"(not|cannot be|unknown key) {re.escape(repr(name))}", error) is not None


def choices(group: str) -> list[str]:
    """Return the names of the files in conf/GROUP, as `group=NAME` takes them."""
    return [
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in folders.folders("conf")
        for path in sorted((folder / group).rglob("*.yaml"))
    ]


def flat_keys(config: Mapping[str, Any]) -> list[str]:
    """Return every dotted key of nested dictionaries."""
    return [key for key, _ in flat(config)]


def flat(
    config: Mapping[Any, Any], prefix: str = "", whole: Collection[str] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield every dotted key of nested dictionaries with its value; keys in `whole` are not entered."""
    for key, value in config.items():
        name = f"{prefix}{key}"
        yield name, value
        if isinstance(value, Mapping) and name not in whole:
            yield from flat(value, f"{name}.", whole)

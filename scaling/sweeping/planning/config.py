"""Compose configs with Hydra for every verb, and turn its exceptions into errors of one sentence."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import folders, plugins
from scaling.config import Config, parse
from scaling.errors import ConfigError, one_of
from scaling.sweeping.planning import store

if TYPE_CHECKING:
    from hydra._internal.hydra import Hydra
    from omegaconf import DictConfig

Compose = Callable[[Sequence[str]], Config]
"""Function of overrides: the config of a run."""
BROUGHT = {"joblib": "joblib", "submitit_local": "slurm", "submitit_slurm": "slurm"}
"""Hydra launchers of other packages → the extra that installs them."""
_CORPUS = re.compile(r"corpus=(?!base$)[\w/-]+")
_USER_FILE = re.compile(r"(family|corpus)=([^,\[\]]+\.py:(\w+))")


@contextmanager
def hydra(sweep: str, given: Sequence[str] = ()) -> Iterator[tuple[Hydra, str]]:
    """Yield Hydra with our search path, and the name of the primary config of `sweep`, a name or a path.

    A ConfigError raised inside names the sweep file if it is about what the file sets and `given`, the
    overrides, do not replace.
    """
    plugins.enable()
    store.register()
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra

    file = folders.sweep_file(sweep) if sweep != "train" else None
    content = _content(file) if file else {}
    if file and "defaults" not in content:
        raise ConfigError(
            f"{folders.shown(file)} has no defaults list; begin the file as `scaling new NAME` writes it"
        )
    version.setbase("1.3")
    GlobalHydra.instance().clear()
    path = create_config_search_path(None)
    if file is not None and file.parent.resolve() not in [f.resolve() for f in folders.folders("sweeps")]:
        path.prepend(provider="scaling", path=file.parent.resolve().as_uri())
    try:
        with warnings.catch_warnings():
            # a file without _self_ is read as if _self_ stood last
            warnings.filterwarnings("ignore", message=".*_self_")
            yield (
                Hydra.create_main_hydra2(task_name="scaling", config_search_path=path),
                file.stem if file else sweep,
            )
    except ConfigError as error:
        if file is not None and _sets_what_is_wrong(content, given, str(error)):
            raise type(error)(f"{folders.shown(file)}: {error}") from error
        raise
    finally:
        GlobalHydra.instance().clear()


def _content(file: Path) -> dict[str, Any]:
    """Return the content of a sweep file as plain values. Raises ConfigError for a file that is not YAML."""
    from omegaconf import OmegaConf

    with sentences(list):
        content = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def _sets_what_is_wrong(content: Mapping[str, Any], given: Sequence[str], error: str) -> bool:
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


def spelled(overrides: Sequence[str]) -> list[str]:
    """Return overrides with user files replaced by keys, since Hydra does not know them as group choices.

    `family=path.py:Name` sets the name of the family. `corpus=path.py:name` sets source and name of the
    corpus, before the other overrides, so that `corpus.name=...` can change the name.
    """
    first, rest = [], []
    for text in overrides:
        match = _USER_FILE.fullmatch(text)
        if match is None:
            rest.append(text)
        elif match[1] == "family":
            rest.append(f"family.name={match[2]}")
        else:
            first += ["corpus=base", f"corpus.source={match[2]}", f"corpus.name={match[3].replace('_', '-')}"]
    return [*first, *rest]


def master(engine: Hydra, name: str, overrides: Sequence[str]) -> DictConfig:
    """Return the config of a sweep with Hydra's own part; values such as `seed=0,1` are kept."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    overrides = spelled(overrides)
    for text in overrides:
        if not text.lstrip("+~").partition("=")[0].strip():
            raise ConfigError(f"the override {text!r} has no key; write key=value, such as seed=1")
    with sentences(lambda: _keys(engine, name) or _keys(engine, "train")):
        config = engine.compose_config(
            config_name=name,
            overrides=list(overrides),
            run_mode=RunMode.MULTIRUN,
            with_log_configuration=False,
        )
    HydraConfig.instance().set_config(config)
    return config


def of_choice(group: str, name: str) -> dict[str, Any]:
    """Return the values in a file of conf/GROUP; UNSET where a value must be given. Raises ConfigError."""
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    if not name:
        raise ConfigError(one_of(group, name, choices(group)))
    with hydra("train") as (engine, train), sentences(list):
        config = engine.config_loader.load_configuration(train, [f"{group}={name}"], RunMode.MULTIRUN)
        values = OmegaConf.to_container(config[group], resolve=False)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def choices(group: str) -> list[str]:
    """Return the names of the files in conf/GROUP, as `group=NAME` takes them."""
    return [
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in folders.folders("conf")
        for path in sorted((folder / group).rglob("*.yaml"))
    ]


def composer(loader: Any, config: DictConfig) -> Compose:
    """Return a function that composes the configs of the sweep's runs."""

    def compose(overrides: Sequence[str]) -> Config:
        with sentences(lambda: flat_keys(resolved(config))):
            return parsed(loader.load_sweep_config(config, _chosen(loader, spelled(overrides))))

    return compose


def _chosen(loader: Any, overrides: Sequence[str]) -> list[str]:
    """Return the overrides with the name and source of a corpus that is chosen by name put first.

    Otherwise, a name or source that the sweep file sets would override the choice.
    """
    from hydra.types import RunMode

    first = []
    for text in filter(_CORPUS.fullmatch, overrides):
        corpus = loader.load_configuration("train", [text], RunMode.MULTIRUN).corpus
        first += [f"corpus.name={corpus.name}", f"corpus.source={corpus.source}"]
    return [*first, *overrides]


def parsed(config: DictConfig) -> Config:
    """Return Hydra's config as a Config. Raises ConfigError for an invalid key or value."""
    return parse(Config, resolved(config))


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return the config without Hydra's part, as plain values."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf, open_dict

    if "hydra" in config:
        before = HydraConfig.instance().cfg
        HydraConfig.instance().set_config(config)
        try:
            values = OmegaConf.to_container(
                OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]), resolve=True
            )
        finally:
            HydraConfig.instance().cfg = before
    else:
        with open_dict(config):
            values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


@contextmanager
def sentences(keys: Callable[[], list[str]]) -> Iterator[None]:
    """Raise exceptions of Hydra, OmegaConf and YAML as a ConfigError of one sentence."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import MarkedYAMLError

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
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_sentence(error, keys)) from error
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


def _keys(engine: Hydra, name: str) -> list[str]:
    from hydra.types import RunMode

    try:
        config = engine.compose_config(
            config_name=name, overrides=[], run_mode=RunMode.MULTIRUN, with_log_configuration=False
        )
        return flat_keys(resolved(config))
    except Exception:
        return []


def flat_keys(config: Mapping[str, Any]) -> list[str]:
    """Return every dotted key of nested dictionaries."""
    return [key for key, _ in flat(config)]


def flat(config: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted key of nested dictionaries with its value."""
    for key, value in config.items():
        yield f"{prefix}{key}", value
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")

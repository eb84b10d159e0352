"""Compose configs with Hydra for every verb."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import folders, plugins
from scaling.config import Config, parse
from scaling.errors import ConfigError, one_of
from scaling.sweeping.planning import store
from scaling.sweeping.planning.messages import choices, concerns, flat_keys, sentences

if TYPE_CHECKING:
    from hydra._internal.hydra import Hydra
    from omegaconf import DictConfig

Compose = Callable[[Sequence[str]], Config]
"""Function of overrides: the config of a run."""
_CORPUS = re.compile(r"corpus=(?!base$)[\w/-]+")
_NODES, _BYTES = 20_000, 200_000
"""The most values, with those that aliases repeat, and bytes of a sweep file: seconds to read."""
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
    if file and not isinstance(content.get("defaults"), list):
        raise ConfigError(
            f"{folders.shown(file)} has no defaults list; begin the file as `scaling new NAME` writes it"
        )
    version.setbase("1.3")
    GlobalHydra.instance().clear()
    path = create_config_search_path(None)
    if file is not None and file.parent.resolve() not in [f.resolve() for f in folders.folders("sweeps")]:
        path.prepend(provider="scaling", path=f"file://{file.parent.resolve()}")  # as_uri escapes spaces
    try:
        with warnings.catch_warnings():
            # a file without _self_ is read as if _self_ stood last
            warnings.filterwarnings("ignore", message=".*_self_")
            yield (
                Hydra.create_main_hydra2(task_name="scaling", config_search_path=path),
                file.stem if file else sweep,
            )
    except ConfigError as error:
        if file is not None and concerns(content, given, str(error)):
            raise type(error)(f"{folders.shown(file)}: {error}") from error
        raise
    finally:
        GlobalHydra.instance().clear()


def _content(file: Path) -> dict[str, Any]:
    """Return the content of a sweep file as plain values. Raises ConfigError for a file that is not YAML."""
    from omegaconf import OmegaConf

    try:
        with sentences(list):
            _bounded(file)
            content = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    except OSError as error:  # OmegaConf also raises it for a file that holds one word
        raise ConfigError(
            f"{folders.shown(file)} cannot be read ({error}); give a readable sweep file"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{folders.shown(file)} is not UTF-8 ({error.reason}); save it as UTF-8") from None
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def _bounded(file: Path) -> None:
    """Raise ConfigError for a file that would take minutes or all memory to read."""
    import yaml

    if (size := file.stat().st_size) > _BYTES:
        raise ConfigError(
            f"{folders.shown(file)} has {size:,} bytes; a sweep file has at most {_BYTES:,}; shorten it"
        )
    with file.resolve().open(encoding="utf-8-sig") as stream:  # an error of YAML names the stream
        root = yaml.compose(stream, Loader=yaml.SafeLoader)
    known: dict[int, int] = {}

    def count(node: Any) -> int:
        if id(node) not in known:
            below = node.value if isinstance(node, yaml.CollectionNode) else []
            known[id(node)] = 1 + sum(
                sum(map(count, one)) if isinstance(one, tuple) else count(one) for one in below
            )
        return known[id(node)]

    if (nodes := count(root)) > _NODES:
        raise ConfigError(
            f"{folders.shown(file)} holds {nodes:.3g} values, counted with those that its aliases repeat; "
            f"a sweep file holds at most {_NODES:,}; give fewer, or ranges such as '4e10..1e12 x 5'"
        )


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
        HydraConfig.instance().set_config(config)  # launchers refer to it, as in ${hydra:sweep.dir}
        _calls_nothing(config.hydra)
        list(config.hydra.overrides.task)  # resolves them, such as ${oc.env:NAME} of an unset variable
    return config


def _calls_nothing(part: DictConfig) -> None:
    """Raise ConfigError where Hydra's part of a config names code to call, other than a launcher."""
    from omegaconf import OmegaConf

    for name in ("callbacks", "job_logging", "hydra_logging"):
        if set_ := sorted(
            str(key) for key, value in (part[name] or {}).items() if value and key != "version"
        ):
            raise ConfigError(
                f"hydra.{name} sets {', '.join(set_)}; a sweep sets only hydra.launcher, as the others "
                "can call code; leave it out"
            )
    for name in ("launcher", "sweeper"):
        chosen = part[name] or {}
        target = str(chosen.get("_target_"))
        if not target.startswith(("hydra_plugins.", "hydra._internal.core_plugins.")):
            raise ConfigError(f"hydra.{name} is no {name}; choose a launcher by hydra/launcher=NAME alone")
        if re.search("(?m)^.+_target_", OmegaConf.to_yaml(chosen, resolve=True)):
            raise ConfigError(
                f"hydra.{name} holds a _target_ of its own, which would call code; leave that key out"
            )


def of_choice(group: str, name: str) -> dict[str, Any]:
    """Return the values in a file of conf/GROUP; UNSET where a value must be given. Raises ConfigError."""
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    if name not in choices(group):
        raise ConfigError(one_of(group, name, choices(group)))
    with hydra("train") as (engine, train), sentences(list):
        config = engine.config_loader.load_configuration(train, [f"{group}={name}"], RunMode.MULTIRUN)
        values = OmegaConf.to_container(config[group], resolve=False)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


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


def _keys(engine: Hydra, name: str) -> list[str]:
    from hydra.types import RunMode

    try:
        config = engine.compose_config(
            config_name=name, overrides=[], run_mode=RunMode.MULTIRUN, with_log_configuration=False
        )
        return flat_keys(resolved(config))
    except Exception:
        return []

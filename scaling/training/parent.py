"""Find the trained run that a cell starts from and check that its weights fit. Needs no torch."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scaling import families
from scaling.config import Config, CorpusConfig, parse, plain
from scaling.corpora.tokenizers import identity
from scaling.errors import ConfigError, ScalingError
from scaling.families.adapting import adaptation as adapting
from scaling.families.registry import MODULES
from scaling.tables import ledger
from scaling.training import record
from scaling.training.paths import RunPaths

_ID = re.compile(r"^[0-9a-f]{16}$")
_FREE = {"dropout", "classes"}
"""Switches that may differ between a parent and a run that starts from it."""
_BODY = {"bert_classifier": "bert"}
"""Family → family with the same blocks and another head."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """The trained run whose weights a cell starts from."""

    run_id: str
    """Run id of the parent, which is part of the cell's run id."""
    weights: Path
    """File of the parent's weights; not part of the run id."""
    adaptation: adapting.Adaptation
    """Which weights are trained."""
    cost: adapting.Cost
    """Number of trained parameters, and training FLOPs of a token."""
    tokens_before: int
    """Tokens that the parent and its own parents saw."""
    flops_before: float
    """Training FLOPs of the parent and its own parents."""
    new_vocabulary: bool
    """Whether embedding and head get new random weights, because the token ids have other meanings."""
    new_head: bool
    """Whether the head gets new random weights, for another objective or a new vocabulary."""

    def identity(self) -> dict[str, Any]:
        """Return the part that decides the result of a run."""
        return {"parent": self.run_id} | self.adaptation.as_dict()


def find(config: Config, *, family: Any, shape: Any, counts: Any, corpus: Any) -> Start | None:
    """Return the run that the `start` section of a config names; None if it names no run.

    Args:
        config: the config of the new cell.
        family, shape, counts: those of the new cell.
        corpus: the text of the new cell.

    Raises:
        ConfigError: when there is no such run, or its weights do not fit.
    """
    start = config.start
    keys = {name for name, value in plain(start).items() if value is not None}
    if not {"run", "sweep"} & keys:
        for name in sorted(keys - {"adaptation"}):
            raise ConfigError(f"start.{name} needs a trained run to start from; set start.run or start.sweep")
        if start.adaptation not in (None, "full"):
            raise ConfigError(
                f"start.adaptation={start.adaptation} needs a trained run to start from; set start.run or "
                "start.sweep"
            )
        return None
    if {"run", "sweep"} <= keys:
        raise ConfigError("both start.run and start.sweep are given; give one of them")
    results = config.results_folder
    if start.run is not None:
        paths = _by_name(start.run, results)
    else:
        paths = _best(results, str(start.sweep), family, shape)
    try:
        known = record.read(paths)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"there is no finished run in {paths.folder}; start.run is a run id of {results / 'runs'}, or a "
            "run's folder"
        ) from None
    if known["status"] != "done":
        raise ConfigError(f"run {paths.run_id} is {known['status']}; start from a run that is done")
    theirs = parse(Config, json.loads(known["config"]), stored=True)
    same_family = _same_objective(paths.run_id, known, theirs, family, shape)
    new_vocabulary = not _same_tokens(known, theirs.corpus, corpus)
    new_head = new_vocabulary or not same_family
    adaptation = adapting.from_config(start, shape.depth)
    if theirs.start.adaptation == "adapters":
        raise ConfigError(
            f"run {paths.run_id} was trained with adapters, and no run can start from those; start from its "
            "parent"
        )
    if new_vocabulary and adaptation.kind != "full":
        raise ConfigError(
            f"start.adaptation={adaptation.kind} keeps the embedding of run {paths.run_id}, whose tokens are "
            f"of another tokenizer; set start.adaptation=full, or corpus.tokenizer to the parent's"
        )
    return Start(
        run_id=str(known["run_id"]),
        weights=paths.weights,
        adaptation=adaptation,
        cost=adapting.cost(adaptation, family, shape, counts, head_is_new=new_head),
        tokens_before=int(known["tokens"]) + int(known["tokens_before"] or 0),
        flops_before=float(known["flops"]) + float(known["flops_before"] or 0.0),
        new_vocabulary=new_vocabulary,
        new_head=new_head,
    )


def _by_name(name: str, results: Path) -> RunPaths:
    return RunPaths.of(results, name) if _ID.match(name) else RunPaths(folder=Path(name))


def _best(results: Path, sweep: str, family: Any, shape: Any) -> RunPaths:
    """Return the run of lowest loss of a sweep among those with the cell's blocks and size."""
    path = results / sweep / ledger.LEDGER
    if not path.exists():
        raise ConfigError(f"start.sweep is {sweep!r} and there is no {path}; type first: scaling run {sweep}")
    rows = ledger.rows(path, ["family", "size", "status", "loss"])
    body = _body(family.name)
    fitting = [r for r in rows if r["status"] == "done" and _body(r["family"]) == body]
    alike = [row for row in fitting if row["size"] == shape.size]
    if not alike:
        there = sorted({row["size"] for row in fitting})
        raise ConfigError(
            f"sweep {sweep!r} has no finished run of family {body} at family.size={shape.size:g}; "
            + (
                f"its sizes are {', '.join(f'{size:g}' for size in there)}"
                if there
                else "it has no finished run of this family"
            )
        )
    return RunPaths.of(results, min(alike, key=lambda row: (row["loss"], row["run_id"]))["run_id"])


def _body(name: str) -> str:
    """Return the name of the family that defines the blocks; all presets of a decoder share one."""
    name = _BODY.get(name, name)
    return MODULES.get(name, name) if name not in ("seq2seq2017", "t5") else name


def _same_objective(run_id: str, known: Mapping[str, Any], theirs: Config, family: Any, shape: Any) -> bool:
    """Return whether parent and cell have the same objective. Raises ConfigError when their blocks differ."""
    if _body(known["family"]) != _body(family.name):
        raise ConfigError(
            f"run {run_id} is of family {known['family']} and this cell of {family.name}; start from a run "
            "with the same blocks"
        )
    try:
        parent = families.from_config(theirs.family)
        before = parent.shape(theirs.family.size, vocab=known["vocab"], context=known["context"])
    except ScalingError as error:
        raise ConfigError(f"run {run_id} cannot be built again: {error}") from None
    ours, old = dict(family.switches), dict(parent.switches)
    for name in sorted((set(ours) & set(old)) - _FREE - {"depth", "width", "heads"}):
        if ours[name] != old[name]:
            raise ConfigError(
                f"run {run_id} has family.{name}={old[name]} and this cell {ours[name]}; set family.{name} "
                "as the parent's"
            )
    sizes, were = shape.as_dict(), before.as_dict()
    for name in sizes:
        if name in ("size", "vocab") or (name == "context" and ours.get("position") != "learned"):
            continue
        if sizes[name] != were[name]:
            remedy = (
                f"set context={were[name]}"
                if name == "context"
                else f"set family.size={theirs.family.size:g}"
            )
            raise ConfigError(
                f"run {run_id} has {name} {were[name]} and this cell {sizes[name]}, so its weights do not "
                f"fit; {remedy}, as the parent's"
            )
    return bool(parent.objective == family.objective)


def _same_tokens(known: Mapping[str, Any], theirs: CorpusConfig, corpus: Any) -> bool:
    """Return whether token ids have the same meanings in both texts."""
    texts = getattr(corpus, "texts", corpus)
    if known["vocab"] != texts.vocab:
        return False
    if not hasattr(texts, "manifest"):  # numbers
        return True
    if known["corpus_hash"] == texts.hash:
        return True
    ours = str(texts.manifest["tokenizer"])
    # a tokenizer learned from other text has other tokens under the same name
    return (ours == "bytes" or ours.startswith("file:")) and identity(theirs.tokenizer) == ours

"""The text of a cell: opened as its config says, and measured against what the run asks of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaling import corpora
from scaling.config import CorpusConfig
from scaling.errors import ConfigError, CorpusError
from scaling.training.config.regression_data import SOURCE, Numbers, numbers

_KINDS = {"regression": "numbers", "seq2seq": "texts with answers", "classification": "texts with answers"}
_REMEDIES = {
    "numbers": "take corpus=numbers/smooth or corpus=numbers/spectrum",
    "texts with answers": "set corpus.target (another text) or corpus.label (a class) to a field of it",
    "running text": "take a corpus without corpus.target and corpus.label, as corpus=sotu",
}


def open_data(config: CorpusConfig, root: Path) -> Any:
    """The data of a `corpus` config, prepared once: a Corpus, Examples where it names a label or a target, or
    Numbers for regression.

    Raises CorpusError or ConfigError.
    """
    if config.source == SOURCE:
        return numbers(config)
    answered = any(config.options.get(key) is not None for key in ("label", "target"))
    return corpora.prepare_examples(config, root) if answered else corpora.prepare(config, root)


def read_by(objective: str, corpus: Any) -> Any:
    """What a family of this objective reads of some data: a language model reads the texts of labelled
    examples and leaves their labels alone, so that it may be pre-trained on just those that a classifier
    trains on."""
    texts_alone = objective in ("causal", "masked") and bool(getattr(corpus, "labels", ()))
    return corpus.texts if texts_alone else corpus


def supply(config: CorpusConfig, corpus: Any, asked: float, context: int) -> tuple[int | None, int]:
    """(the limit on distinct tokens that was asked for, distinct tokens that the run can see)."""
    limit = config.unique_tokens
    # an example takes a whole context, filled up with padding
    examples = hasattr(corpus, "texts")
    held = corpus.count("train") * context + 1 if examples else int(corpus.manifest["tokens_train"])
    if examples and limit is not None and limit % context:
        raise ConfigError(
            f"corpus.unique_tokens is {limit:,} and an example takes the whole context of {context}; give a "
            "multiple of it"
        )
    found = corpora.check(
        held,
        tokens_needed=round(asked),
        context=context,
        unique_tokens=limit,
        max_epochs=config.max_epochs,
    )
    return limit, found.unique


def check_heldout(corpus: Any, sequences: int, context: int) -> None:
    """Raises CorpusError when the held-out text has fewer sequences than the evaluation asks for."""
    if hasattr(corpus, "texts"):
        held, what = corpus.count("heldout"), "examples"
    else:
        held = corpora.windows(int(corpus.manifest["tokens_heldout"]), context=context)
        what = f"sequences of {context:,} tokens"
    if sequences > held:
        raise CorpusError(
            f"evaluation asks for {sequences:,} {what} and the held-out text holds {held:,}; "
            f"set evaluation.sequences between 1 and {held:,}, or raise corpus.heldout_fraction"
        )


def check_kind(objective: str, family: str, corpus: Any, context: int, *, classes: int | None = None) -> None:
    """Raises ConfigError when the data is not of the kind that a family learns from, or has other classes."""
    wanted = _KINDS.get(objective, "running text")
    found = (
        "numbers"
        if isinstance(corpus, Numbers)
        else "texts with answers"
        if hasattr(corpus, "texts")
        else "running text"
    )
    if found != wanted:
        raise ConfigError(
            f"family {family!r} learns from {wanted} and this corpus is {found}; {_REMEDIES[wanted]}"
        )
    labels = list(getattr(corpus, "labels", ()))
    if (objective == "classification") != bool(labels) and found == "texts with answers":
        raise ConfigError(
            f"family {family!r} learns {objective} and this corpus answers with "
            f"{'labels' if labels else 'texts'}; set corpus.{'target' if labels else 'label'} instead"
        )
    if labels and classes not in (None, len(labels)):
        raise ConfigError(
            f"family.classes is {classes} and the corpus has {len(labels)} labels, {', '.join(labels[:8])}; "
            f"set family.classes={len(labels)}"
        )
    if isinstance(corpus, Numbers) and corpus.features != context:
        raise ConfigError(
            f"context is {context} and the examples of {corpus.name!r} have {corpus.features} inputs; "
            f"set context={corpus.features}"
        )
    if found == "texts with answers" and context > 2 * corpus.longest:
        raise ConfigError(
            f"context is {context:,} and the longest text of {corpus.texts.name!r} has {corpus.longest:,} "
            f"tokens, so that more than half of every example would be padding; set context to at most "
            f"{2 * corpus.longest:,}"
        )

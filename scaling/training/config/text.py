"""Open the data of a cell and check that it suits the family, the budget and the evaluation."""

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
    """Return the data of a `corpus` config, and prepare it on first use.

    Returns:
        A Corpus; Examples if the config names a label or a target; Numbers for regression.

    Raises:
        ConfigError: for an invalid config.
        CorpusError: when the text cannot be prepared.
    """
    if config.source == SOURCE:
        return numbers(config)
    answered = any(config.options.get(key) is not None for key in ("label", "target"))
    return corpora.prepare_examples(config, root) if answered else corpora.prepare(config, root)


def read_by(objective: str, corpus: Any) -> Any:
    """Return the part of the data that an objective uses.

    A language model uses the texts of labelled examples without the labels, so that it can be pre-trained on
    the texts that a classifier trains on.
    """
    texts_alone = objective in ("causal", "masked") and bool(getattr(corpus, "labels", ()))
    return corpus.texts if texts_alone else corpus


def supply(config: CorpusConfig, corpus: Any, asked: float, context: int) -> tuple[int | None, int]:
    """Return (the config's limit on distinct tokens or None, the distinct tokens that the run can see).

    Raises ConfigError or CorpusError when the text is too short.
    """
    limit = config.unique_tokens
    # every example is padded to the whole context
    examples = hasattr(corpus, "texts")
    held = corpus.count("train") * context + 1 if examples else int(corpus.manifest["tokens_train"])
    if examples and limit is not None and limit % context:
        raise ConfigError(
            f"corpus.unique_tokens is {limit:,} and an example takes the whole context of {context}; give a "
            "multiple of it"
        )
    supplied = corpora.check(
        held,
        tokens_needed=round(asked),
        context=context,
        unique_tokens=limit,
        max_epochs=config.max_epochs,
    )
    return limit, supplied.unique


def check_heldout(corpus: Any, sequences: int, context: int) -> None:
    """Raise CorpusError when the held-out text has fewer sequences than the evaluation needs."""
    if hasattr(corpus, "texts"):
        held, what = corpus.count("heldout"), "examples"
    else:
        held = corpora.windows(int(corpus.manifest["tokens_heldout"]), context=context)
        what = f"sequences of {context:,} tokens"
    if sequences > held:
        raise CorpusError(
            f"evaluation needs {sequences:,} {what} and the held-out text has {held:,}; "
            f"set evaluation.sequences between 1 and {held:,}, or raise corpus.heldout_fraction"
        )


def check_kind(objective: str, family: str, corpus: Any, context: int, *, classes: int | None = None) -> None:
    """Raise ConfigError when a family cannot be trained on the data, or their numbers of classes differ."""
    wanted = _KINDS.get(objective, "running text")
    actual = (
        "numbers"
        if isinstance(corpus, Numbers)
        else "texts with answers"
        if hasattr(corpus, "texts")
        else "running text"
    )
    if actual != wanted:
        raise ConfigError(
            f"family {family!r} learns from {wanted} and this corpus is {actual}; {_REMEDIES[wanted]}"
        )
    labels = list(getattr(corpus, "labels", ()))
    if (objective == "classification") != bool(labels) and actual == "texts with answers":
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
    if actual == "texts with answers" and context > 2 * corpus.longest:
        raise ConfigError(
            f"context is {context:,} and the longest text of {corpus.texts.name!r} has {corpus.longest:,} "
            f"tokens, so that more than half of every example would be padding; set context to at most "
            f"{2 * corpus.longest:,}"
        )

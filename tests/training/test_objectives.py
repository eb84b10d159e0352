"""Objectives: what is hidden is what is predicted, labels stay with their texts, padding counts nowhere."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scaling import corpora
from scaling.config import Config, CorpusConfig, parse
from scaling.corpora import Corpus, Examples
from scaling.errors import ConfigError, CorpusError
from scaling.training import Cell, RunPaths
from scaling.training.config.text import open_data
from scaling.training.evaluation import Precision, evaluate
from scaling.training.lifecycle.run import run
from scaling.training.objectives import IGNORED, metrics
from scaling.training.objectives.examples import Classification, Translation
from scaling.training.objectives.language import Causal, Masked
from scaling.training.objectives.regression import Regression
from scaling.training.objectives.task import cross_entropy

CPU = Precision(device=torch.device("cpu"))


def test_masked_loss_depends_on_the_masked_set_alone(cell: Callable[..., Cell], corpus: Corpus) -> None:
    task = Masked(cell=cell(), corpus=corpus)
    batch = task.training(0)
    torch.manual_seed(0)
    logits = torch.randn(batch["targets"].numel(), corpus.vocab + 1)
    targets = batch["targets"].flatten()
    losses = task.losses(logits, targets)
    assert (losses[targets == IGNORED] == 0).all()
    changed = logits.clone()
    changed[targets == IGNORED] += torch.randn(corpus.vocab + 1) * 9
    torch.testing.assert_close(task.losses(changed, targets), losses)
    assert task.bytes_heldout is None, "bits per byte of a masked loss would be compared with causal ones"
    held = [Masked(cell=cell(seed=s), corpus=corpus).heldout()["tokens"] for s in (0, 1)]
    assert torch.equal(*held), "every run is asked the same"


def test_causal_targets_are_the_next_tokens_and_bytes_are_counted(
    cell: Callable[..., Cell], corpus: Corpus
) -> None:
    task = Causal(cell=cell(), corpus=corpus)
    batch = task.training(3)
    assert torch.equal(batch["tokens"][:, 1:], batch["targets"][:, :-1])
    # a byte model predicts one byte at each position
    assert task.bytes_heldout == 32 * 16


def test_smoothing_is_torchs_definition() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(20, 7), torch.randint(0, 7, (20,))
    log_p = logits.log_softmax(-1)
    by_hand = -(0.9 * log_p.gather(1, targets[:, None])[:, 0] + 0.1 * log_p.mean(-1))
    torch.testing.assert_close(cross_entropy(logits, targets, smoothing=0.1), by_hand)


def test_held_out_loss_is_never_smoothed(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    """Heavy smoothing in training: its own loss stays high, the held-out one is that of the plain target."""
    recipe = {"name": "small_decoder", "batch_sequences": 4, "label_smoothing": 0.5}
    it = cell(recipe=recipe, budget={"tokens": 200 * 64})
    got = run(it, corpus=corpus, paths=paths(it))
    assert got["loss_train"] > got["loss"] + 0.5


def test_loss_by_position_averages_to_the_loss(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell(budget={"tokens": 300 * 64})
    got = run(it, corpus=corpus, paths=paths(it))
    rows = np.loadtxt(paths(it).positions, delimiter=",", skiprows=1)
    assert rows[:, 0].tolist() == list(range(16))
    assert rows[:, 1].mean() == pytest.approx(got["loss"])
    assert rows[0, 1] > rows[8:, 1].mean(), "the first token is the hardest: nothing is known before it"
    assert 0.2 < got["accuracy"] < 1
    assert paths(it).positions.read_text().startswith("position,loss,loss_se\n")
    # the error of a mean over positions is at most the mean of theirs: equal only where all move together
    assert 0 < got["loss_se"] < rows[:, 2].mean()


def test_loss_by_position_of_a_written_out_evaluation() -> None:
    """Known losses: mean and standard error of each position are numpy's, over the sequences that have a
    target there."""

    class Known:
        def predict(self, module: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            return batch["nats"].flatten(), batch["targets"].flatten()

        def losses(self, predictions: Tensor, targets: Tensor) -> Tensor:
            return predictions * (targets != -100)

    nats = torch.rand(40, 5, generator=torch.Generator().manual_seed(0)) * 3
    targets = torch.zeros(40, 5, dtype=torch.int64)
    targets[30:, 2], targets[1:, 3], targets[:, 4] = -100, -100, -100
    found = evaluate(
        nn.Identity(),
        Known(),  # type: ignore[arg-type]
        {"nats": nats, "targets": targets},
        precision=CPU,
        at_once=7,
    ).by_position
    known = nats.double().numpy()
    for position, rows in ((0, 40), (1, 40), (2, 30)):
        some = known[:rows, position]
        assert found[:, position] == pytest.approx([some.mean(), some.std(ddof=1) / np.sqrt(rows)])
    assert found[0, 3] == pytest.approx(known[0, 3])
    assert np.isnan(found[1, 3])
    assert np.isnan(found[:, 4]).all()


class Echo(nn.Module):
    """Predicts what it is told to."""

    def __init__(self, answers: Tensor, classes: int) -> None:
        super().__init__()
        self.answers, self.classes, self.at = answers, classes, 0

    def forward(self, tokens: Tensor, *_: Tensor) -> Tensor:
        some = self.answers[self.at : self.at + len(tokens)]
        self.at += len(tokens)
        return nn.functional.one_hot(some, self.classes).float() * 20


def test_accuracy_of_a_known_confusion_matrix() -> None:
    """Three classes; rows true, columns predicted: [[5, 1, 0], [2, 3, 1], [0, 0, 8]]."""
    true, predicted = [], []
    for i, row in enumerate([[5, 1, 0], [2, 3, 1], [0, 0, 8]]):
        for j, count in enumerate(row):
            true += [i] * count
            predicted += [j] * count
    measured = metrics.classification(np.array(predicted), np.array(true))
    assert measured["accuracy"] == pytest.approx(16 / 20)
    assert measured["precision"] == pytest.approx((5 / 7 + 3 / 4 + 8 / 9) / 3)
    assert measured["recall"] == pytest.approx((5 / 6 + 3 / 6 + 8 / 8) / 3)
    f1 = (2 * 5 / (7 + 6) + 2 * 3 / (4 + 6) + 2 * 8 / (9 + 8)) / 3
    assert measured["f1"] == pytest.approx(f1)


def test_bleu_and_rouge_on_known_cases() -> None:
    same = ["the cat sat on the mat today"]
    assert metrics.bleu(same, same)["bleu"] == pytest.approx(100)
    assert metrics.bleu(["a b c d e f g"], same)["bleu"] < 1
    # every n-gram of a text cut to its half is right, so all is the brevity penalty: e^(1 - 8/4)
    cut = metrics.bleu(["one two three four"], ["one two three four five six seven eight"])
    assert cut["bleu"] == pytest.approx(100 * math.exp(1 - 8 / 4), rel=1e-3)
    scores = metrics.rouge(["the cat was under the bed"], ["the cat was found under the bed"])
    assert scores["rouge1"] == pytest.approx(2 * 1 * (6 / 7) / (1 + 6 / 7))
    assert scores["rougeL"] == pytest.approx(12 / 13)
    assert metrics.perplexity(math.log(50)) == pytest.approx(50)


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Texts whose class is the word that they begin with."""
    return answered(tmp_path_factory.mktemp("reviews"), label=True)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Texts whose translation is the text reversed."""
    return answered(tmp_path_factory.mktemp("pairs"), label=False)


def answered(root: Path, *, label: bool) -> Examples:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(120):
        kind = ["good", "bad", "odd"][rng.integers(3)]
        text = f"{kind} " + " ".join(rng.choice(["film", "play", "song", "a", "the"], rng.integers(1, 4)))
        rows.append({"text": text, "answer": kind if label else text[::-1]})
    (root / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = {
        "name": "rows",
        "source": "files",
        "path": str(root / "rows.jsonl"),
        "tokenizer": "bytes",
        "heldout_fraction": 0.3,
        ("label" if label else "target"): "answer",
    }
    return corpora.prepare_examples(parse(CorpusConfig, config), root / "corpora")


def config(**changes: object) -> dict[str, object]:
    """The config of a short run."""
    return {
        "family": {"name": "t5", "size": 0.5},
        "corpus": {},
        "context": 32,
        "budget": {"tokens": 60 * 4 * 32},
        "recipe": {"name": "fixed", "peak": 0.01, "batch_sequences": 4},
        "seed": 0,
        "evaluation": {"sequences": 16, "points": 2},
        **changes,
    }


def small(cell: Cell, context: int, sequences: int = 16) -> Cell:
    return dataclasses.replace(cell, context=context, evaluation_sequences=sequences)


def test_what_is_written_is_scored_against_its_own_answer(cell: Callable[..., Cell], pairs: Examples) -> None:
    """Who writes the true answers has all of BLEU and ROUGE; who writes the neighbour's has not."""
    task = Translation(cell=small(cell(), 40), examples=pairs)
    batch = task.heldout()

    scores = []
    for turn in (0, 1):
        answers = batch["answers"].roll(turn, 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "scaling.families.encoders.decoding.greedy", lambda *_, answers=answers, **__: answers
            )
            scores.append(task.after(nn.Identity(), batch))
    assert scores[0] == pytest.approx({"bleu": 100, "rouge_l": 1})
    assert scores[1]["bleu"] < 50
    assert scores[1]["rouge_l"] < 0.9


def test_labels_stay_with_their_texts(cell: Callable[..., Cell], reviews: Examples) -> None:
    task = Classification(cell=small(cell(), 32), examples=reviews)
    for batch in (task.training(0), task.training(7), task.heldout()):
        for tokens, length, target in zip(batch["tokens"], batch["lengths"], batch["targets"], strict=True):
            text = bytes(tokens[:length].tolist()).decode()
            assert text.startswith(reviews.labels[int(target)])


def test_accuracy_counts_examples_and_not_padding(cell: Callable[..., Cell], reviews: Examples) -> None:
    task = Classification(cell=small(cell(), 32, 20), examples=reviews)
    batch = task.heldout()
    wrong = batch["targets"].clone()
    wrong[:5] = (wrong[:5] + 1) % 3
    got = evaluate(Echo(wrong, 3), task, batch, precision=CPU, measures=True)
    assert got.measures["accuracy"] == pytest.approx(15 / 20)
    assert got.counts.tolist() == [1.0] * 20


def test_accuracy_of_tokens_counts_neither_padding_nor_what_was_not_hidden(
    cell: Callable[..., Cell], pairs: Examples, corpus: Corpus
) -> None:
    targets = torch.tensor([3, 5, IGNORED, IGNORED, 7, 9])
    said = torch.tensor([3, 4, 0, 0, 7, 1])
    for task in (
        Translation(cell=small(cell(), 40), examples=pairs),
        Masked(cell=cell(), corpus=corpus),
    ):
        assert task.measures(said, targets) == {"accuracy": 2 / 4}


def test_translation_targets_end_and_padding_is_ignored(cell: Callable[..., Cell], pairs: Examples) -> None:
    task = Translation(cell=small(cell(), 40), examples=pairs)
    batch = task.training(1)
    for row in range(len(batch["tokens"])):
        source = bytes(batch["tokens"][row][~batch["padding"][row]].tolist())
        counting = batch["targets"][row] != IGNORED
        said = bytes(batch["targets"][row][counting].tolist())
        assert said[:-1] == source[:-1][::-1]
        assert said[-1] == 0, "the end is a target too"
        assert batch["answers"][row, : len(said)].tolist() == list(said)


@pytest.mark.parametrize("family", ["seq2seq2017", "t5"])
def test_translation_trains_writes_and_ignores_padding(
    cell: Callable[..., Cell], pairs: Examples, paths: Callable[[Cell], RunPaths], family: str
) -> None:
    settings = {
        "family": {"name": family, "size": 0.5},
        "context": 32,
        "budget": {"tokens": 60 * 4 * 32},
        "evaluation": {"sequences": 16, "points": 2},
    }
    it = Cell.from_config(parse(Config, config(**settings)), pairs)
    got = run(it, corpus=pairs, paths=paths(it))
    assert got["status"] == "done", got["reason"]
    assert got["objective"] == "seq2seq"
    assert got["loss"] < 4
    assert 0 <= got["bleu"] <= 100
    assert 0 <= got["rouge_l"] <= 1
    assert got["bits_per_byte"] is None
    module = it.architecture.build(it.shape, seed=0)
    tight, loose = (Translation(cell=small(it, context, 8), examples=pairs) for context in (24, 32))
    losses = [evaluate(module, task, task.heldout(), precision=CPU).loss for task in (tight, loose)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_an_encoder_trains_on_what_is_hidden(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell(family={"name": "bert", "size": 0.5}, budget={"tokens": 300 * 64})
    got = run(it, corpus=corpus, paths=paths(it))
    assert (got["status"], got["objective"]) == ("done", "masked"), got["reason"]
    assert got["bits_per_byte"] is None
    assert got["loss"] < 4.5


def test_examples_have_their_own_limits(pairs: Examples) -> None:
    seq2seq = {"family": {"name": "t5", "size": 0.5}}
    with pytest.raises(ConfigError, match="running text"):
        Cell.from_config(parse(Config, config(family={"name": "llama", "size": 1})), pairs)
    with pytest.raises(ConfigError, match="a multiple of it"):
        Cell.from_config(parse(Config, config(**seq2seq, corpus={"unique_tokens": 63})), pairs)
    longest = max(int(batch["lengths"].max()) for batch in pairs.all("train", examples=50, context=500))
    with pytest.raises(ConfigError, match=f"the longest text of 'rows' has {longest} tokens, so that more"):
        Cell.from_config(parse(Config, config(**seq2seq, context=2 * longest + 1)), pairs)
    Cell.from_config(parse(Config, config(**seq2seq, context=2 * longest)), pairs)
    with pytest.raises(CorpusError, match="needs 10,000 examples"):
        Cell.from_config(parse(Config, config(evaluation={"sequences": 10_000, "points": 0})), pairs)


def numbers_config(**changes: object) -> dict[str, object]:
    return config(
        family={"name": "mlp", "size": 4},
        corpus={"name": "spectrum", "source": "regression", "task": "spectrum", "features": 12, "alpha": 0.5},
        context=12,
        recipe={"name": "fixed", "peak": 0.01, "batch_sequences": 32},
        budget={"tokens": 300 * 32},
        evaluation={"sequences": 500, "points": 2},
        **changes,
    )


def test_regression_learns_a_known_function(paths: Callable[[Cell], RunPaths], tmp_path: Path) -> None:
    cfg = numbers_config()
    data = open_data(parse(CorpusConfig, cfg["corpus"]), tmp_path)
    it = Cell.from_config(parse(Config, cfg), data)
    assert it.tokens == 300 * 32, "a token is an example"
    assert it.flops == pytest.approx(it.tokens * it.counts.flops_per_token)
    got = run(it, corpus=data, paths=paths(it))
    assert (got["status"], got["objective"]) == ("done", "regression"), got["reason"]
    # the target has variance 1, and all of it can be explained
    assert got["loss"] < 0.05
    assert got["bits_per_byte"] is None
    first, again = (Regression(cell=it, numbers=data).training(5) for _ in range(2))
    assert torch.equal(first["inputs"], again["inputs"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"context": 13}, "set context=12"),
        ({"family": {"name": "llama", "size": 1}}, "learns from running text and this corpus is numbers"),
        ({"family": {"name": "t5", "size": 1}}, "learns from texts with answers"),
    ],
)
def test_data_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    cfg = {**numbers_config(), **changes}
    with pytest.raises(ConfigError, match=words):
        Cell.from_config(parse(Config, cfg), open_data(parse(CorpusConfig, cfg["corpus"]), tmp_path))


def test_a_regression_needs_its_task(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'smooth'"):
        open_data(parse(CorpusConfig, {"name": "x", "source": "regression", "task": "smoth"}), tmp_path)
    with pytest.raises(ConfigError, match=r"corpus\.dimensions is not set"):
        open_data(parse(CorpusConfig, {"name": "x", "source": "regression", "task": "smooth"}), tmp_path)

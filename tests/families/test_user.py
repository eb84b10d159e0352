"""A family from a file: under 40 lines, checked against its own module, mistakes in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scaling import families
from scaling.config import FamilyConfig, parse
from scaling.errors import ConfigError

FILE = '''
import torch
from torch import nn

from scaling.families import Counts, Shape


class Bag:
    """The mean of all embeddings so far, and a head."""

    sizes = (1, 64)

    def __init__(self, factor=16):
        self.factor = factor

    def shape(self, size, *, vocab, context):
        return Shape(size=size, vocab=vocab, context=context, depth=1, width=round(self.factor * size))

    def counts(self, shape):
        table = shape.vocab * shape.width
        params = {"embedding": table, "head": table}
        return Counts(params=params, params_active=2 * table, flops={"head": 2.0 * table})

    def build(self, shape, *, seed):
        return Model(shape)


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embedding = nn.Embedding(shape.vocab, shape.width)
        self.head = nn.Linear(shape.width, shape.vocab, bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        count = torch.arange(1, tokens.shape[1] + 1, device=x.device)
        return self.head(x.cumsum(1) / count[:, None])
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_works_like_any_other(file: Path) -> None:
    assert len(FILE.strip().splitlines()) < 40
    family = families.from_config(parse(FamilyConfig, {"name": f"{file}:Bag", "size": 2, "factor": 8}))
    shape = family.shape(2, vocab=11, context=6)
    assert shape.width == 16
    assert family.counts(shape).params_total == 2 * 11 * 16
    a, b, c = (family.build(shape, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(a.head.weight, b.head.weight)
    assert not torch.equal(a.head.weight, c.head.weight)
    assert a(torch.zeros(2, 6, dtype=torch.long)).shape == (2, 6, 11)
    assert isinstance(family, families.Family)


def test_the_command_line_takes_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from scaling import train

    monkeypatch.chdir(file.parent)
    asked = ["family=mine.py:Bag", "family.size=1", "corpus=synthetic/hierarchy", "corpus.tokens=20000"]
    few = ["budget.tokens=30000", "evaluation.sequences=8", "evaluation.points=1"]
    monkeypatch.setattr("sys.argv", ["train", *asked, *few])
    train.main()
    assert " done N=" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["train", *asked, *few, "family=mine.py:Bog"])
    with pytest.raises(SystemExit) as stop:
        train.main()
    assert stop.value.code == 3
    assert "cannot be 'Bog'; did you mean 'Bag'? It must be one of 'Bag', 'Model'" in capsys.readouterr().out


def test_an_edited_file_is_another_family(file: Path) -> None:
    before = families.get(f"{file}:Bag").switches
    assert families.get(f"{file}:Bag", **before).switches == before
    file.write_text(FILE + "\n# edited\n")
    assert families.get(f"{file}:Bag").switches != before
    with pytest.raises(ConfigError, match="has changed since this run was declared"):
        families.get(f"{file}:Bag", **before)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            '{"embedding": table, "head": table}',
            '{"embedding": table}',
            "say 176 parameters .embedding 176. and its",
        ),
        ("2.0 * table", "3.0 * table", "say 528 forward FLOPs per token .* and torch counts 352"),
        (
            '"head": 2.0',
            '"heads": 2.0',
            "a component in the counts of .*Bag cannot be 'heads'; did you mean 'head'",
        ),
        ("def counts", "def count", "Bag in .*mine.py has no method counts"),
        ("class Bag", "class Sack", "a class of .*mine.py must be one of 'Model', 'Sack'; not 'Bag'"),
        ("import torch\n", "import torhc\n", "mine.py does not import: ModuleNotFoundError"),
    ],
)
def test_mistakes_are_said(file: Path, old: str, new: str, sentence: str) -> None:
    file.write_text(FILE.replace(old, new, 1))

    def shape_and_count() -> None:
        family = families.get(f"{file}:Bag")
        family.counts(family.shape(1, vocab=11, context=6))

    with pytest.raises(ConfigError, match=sentence):
        shape_and_count()


def test_missing_file_and_wrong_switch(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file 'nowhere.py'"):
        families.get("nowhere.py:Bag")
    with pytest.raises(ConfigError, match="does not take these switches"):
        families.get(f"{file}:Bag", depth=2)
    with pytest.raises(ConfigError, match=r"family.size=65 is outside the range of .*Bag, which is 1 to 64"):
        families.get(f"{file}:Bag").shape(65, vocab=11, context=6)

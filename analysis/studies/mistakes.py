"""The mistakes of the founding essays' code, each put into ours in a copy, and the tests that must then fail.

    python analysis/studies/mistakes.py      # about four minutes on one core

A test that cannot fail proves nothing. Every mistake is a change of one line or two; the tests named beside
it pass without it, and at least one of them has to fail with it. Writes results/coverage/mistakes.csv.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAMILIES, OBJECTIVES = "scaling/families", "scaling/training/objectives"
ATTENTION = f"{FAMILIES}/decoder/attention.py"
DECODER = f"{FAMILIES}/decoder/module.py"
SEQ2SEQ = f"{FAMILIES}/encoders/seq2seq_module.py"
CORRUPTION = f"{FAMILIES}/encoders/corruption.py"


@dataclass(frozen=True)
class Mistake:
    """A wrong line and who must notice."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str
    """A file of tests and a pytest expression, with a space between."""


MISTAKES = (
    Mistake(
        "no causal mask",
        ATTENTION,
        "is_causal=self.causal and bias is None",
        "is_causal=False",
        "families/test_decoder.py causal_leak",
    ),
    Mistake(
        "a causal mask that shows the next token",
        f"{FAMILIES}/decoder/layers.py",
        "hidden = distance < 0",
        "hidden = distance < -1",
        "families/test_decoder.py causal_leak",
    ),
    Mistake(
        "target not shifted",
        f"{OBJECTIVES}/language.py",
        "targets=windows[:, 1:]",
        "targets=windows[:, :-1]",
        "training/test_objectives.py causal_targets",
    ),
    Mistake(
        "target not shifted: a copy at lag 0 is learnt",
        f"{OBJECTIVES}/language.py",
        "targets=windows[:, 1:]",
        "targets=windows[:, :-1]",
        "training/test_loop.py a_copy_of_the_token",
    ),
    Mistake(
        "the decoder reads the token that it must predict",
        SEQ2SEQ,
        "torch.cat((start, target[:, :-1]), dim=1)",
        "target.clone()",
        "families/test_encoders.py source_whole_and_target",
    ),
    Mistake(
        "no positions: rotation left out",
        ATTENTION,
        "if cos is not None and sin is not None:",
        "if False:",
        "families/test_decoder.py order",
    ),
    Mistake(
        "no positions: sinusoids left out",
        DECODER,
        "elif self.sinusoids is not None:",
        "elif False:",
        "families/test_decoder.py order",
    ),
    Mistake(
        "no positions: learned table left out",
        DECODER,
        "if self.position is not None:",
        "if False:",
        "families/test_decoder.py order",
    ),
    Mistake(
        "scores not divided by the root of the head's width",
        ATTENTION,
        "scale=self.scale,",
        "scale=1.0,",
        "families/test_decoder.py module_attention",
    ),
    Mistake(
        "scores not divided: seen from transformers",
        ATTENTION,
        "scale=self.scale,",
        "scale=1.0,",
        "families/test_export.py equal_logits",
    ),
    Mistake(
        "mask argument unused: cross-attention sees padding",
        SEQ2SEQ,
        "query, key, value, attn_mask=bias, dropout_p",
        "query, key, value, dropout_p",
        "families/test_encoders.py source_whole_and_target",
    ),
    Mistake(
        "mask argument unused: the encoder sees padding",
        f"{FAMILIES}/encoders/masked_module.py",
        "bias = None if padding is None else hide(padding, x.dtype)",
        "bias = None",
        "families/test_encoders.py no_padding",
    ),
    Mistake(
        "cross-attention queried by the encoder",
        SEQ2SEQ,
        "query = self.query(x)",
        "x, memory = memory, x; query = self.query(x)",
        "families/test_encoders.py queries_come_from",
    ),
    Mistake(
        "dec = dec + dec",
        SEQ2SEQ,
        "x = x + F.dropout(self.cross(self.norm2(x), memory, hidden), drop)",
        "x = x + F.dropout(x, drop)",
        "families/test_encoders.py t5_equals",
    ),
    Mistake(
        "norm without gain",
        f"{FAMILIES}/decoder/layers.py",
        "return nn.RMSNorm(width, eps=EPSILON)",
        "return nn.RMSNorm(width, eps=EPSILON, elementwise_affine=False)",
        "families/test_counts.py presets",
    ),
    Mistake(
        "masked loss over all positions",
        CORRUPTION,
        "np.where(chosen, tokens, IGNORED)",
        "tokens",
        "families/test_encoders.py eighty_ten_ten",
    ),
    Mistake(
        "nothing hidden",
        CORRUPTION,
        "inputs = np.where(chosen & (lot < 0.8), mask_token, tokens)",
        "inputs = tokens",
        "families/test_encoders.py eighty_ten_ten",
    ),
    Mistake(
        "ignored targets counted",
        f"{OBJECTIVES}/task.py",
        "return targets != IGNORED if",
        "return targets > -1000 if",
        "training/test_objectives.py ignores_padding",
    ),
    Mistake(
        "labels of other texts",
        f"{OBJECTIVES}/examples.py",
        'targets=arrays["labels"]',
        'targets=arrays["labels"][::-1]',
        "training/test_objectives.py labels_stay",
    ),
    Mistake(
        "accuracy read from what was asked",
        f"{OBJECTIVES}/examples.py",
        "metrics.classification(predicted.numpy(), targets.numpy())",
        "metrics.classification(targets.numpy(), targets.numpy())",
        "training/test_objectives.py accuracy",
    ),
    Mistake(
        "padding counted as correct",
        f"{OBJECTIVES}/examples.py",
        "counting = targets != IGNORED\n        return",
        "counting = targets != IGNORED\n        said = torch.where(counting, said, targets)\n"
        "        counting = counting | True\n        return",
        "training/test_objectives.py accuracy",
    ),
    Mistake(
        "unmasked positions counted in accuracy",
        f"{OBJECTIVES}/language.py",
        "counting = targets != IGNORED",
        "counting = targets > -1000",
        "training/test_objectives.py accuracy",
    ),
    Mistake(
        "argmax over the wrong axis",
        "scaling/training/evaluation.py",
        "predictions.argmax(-1)",
        "predictions.argmax(0).repeat(len(targets))[: len(targets)]",
        "training/test_objectives.py accuracy",
    ),
    Mistake(
        "tokens over sequences",
        "scaling/training/evaluation.py",
        "self.sums.sum() / self.counts.sum()",
        "self.sums.sum() / len(self.counts)",
        "training/test_loop.py evaluation_is_the_mean",
    ),
    Mistake(
        "loss of the last batch for all",
        "scaling/training/evaluation.py",
        "for first in starts), strict=True)",
        "for first in starts[-1:]), strict=True)",
        "training/test_objectives.py accuracy_counts or written_out_evaluation",
    ),
    Mistake(
        "training loss of the last batch",
        "scaling/training/lifecycle/finish.py",
        "math.fsum(state.tail) / len(state.tail)",
        "state.tail[-1]",
        "training/test_loop.py no_single_batch",
    ),
    Mistake(
        "dropout left on in evaluation",
        "scaling/training/evaluation.py",
        "    module.eval()\n",
        "",
        "training/test_loop.py evaluation",
    ),
    Mistake(
        "stop words removed",
        "scaling/corpora/tokenizers.py",
        "np.frombuffer(document, dtype=np.uint8)",
        'np.frombuffer(document.replace(b" the ", b" "), dtype=np.uint8)',
        "corpora/test_tokenizers.py streams_decode",
    ),
    Mistake(
        "perplexity is no power of e",
        f"{OBJECTIVES}/metrics.py",
        "return math.exp(loss)",
        "return loss",
        "training/test_objectives.py bleu_and_rouge",
    ),
)


def fails(copy: Path, tests: str) -> bool:
    """Whether one of the tests fails in the copy; an error of the run itself is none."""
    file, _, which = tests.partition(" ")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{file}", "-k", which],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{tests} did not run: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.returncode == 1


def main() -> None:
    """Every mistake, the file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", default="", help="mistakes whose name holds this")
    options.add_argument("--out", type=Path, default=ROOT / "results/coverage/mistakes.csv")
    asked = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("scaling", "tests", "conf", "sweeps", "pyproject.toml"):
            whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            whole(ROOT / name, copy / name)
        for mistake in MISTAKES:
            if asked.only not in mistake.name:
                continue
            file = copy / mistake.file
            text = file.read_text(encoding="utf-8")
            if mistake.right not in text:
                raise SystemExit(f"{mistake.file} has no {mistake.right!r} any more: mend {__file__}")
            file.write_text(text.replace(mistake.right, mistake.wrong), encoding="utf-8")
            noticed = fails(copy, mistake.tests)
            file.write_text(text, encoding="utf-8")
            print(f"{'noticed' if noticed else 'MISSED '}  {mistake.name}", flush=True)
            rows.append([mistake.name, mistake.file, mistake.tests, noticed])
    if not asked.only:
        with asked.out.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out, lineterminator="\n").writerows([["mistake", "file", "tests", "noticed"], *rows])
    if not all(row[3] for row in rows):
        raise SystemExit("a mistake was missed")


if __name__ == "__main__":
    main()

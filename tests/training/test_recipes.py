"""Numbers of the recipes against worked examples from their papers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

import scaling
from scaling.errors import ConfigError
from scaling.training import recipes
from scaling.training.recipes import RECIPES
from scaling.training.recipes.recipe import Hyperparameters, Situation

CONF = Path(scaling.__file__).parents[1] / "conf" / "recipe"


def situation(params: float = 1e8, tokens: float = 2e9, **changes: float) -> Situation:
    base = {
        "params": int(params),
        "params_body": int(params),
        "width": 64,
        "depth": 4,
        "context": 2048,
        "tokens": tokens,
        "flops_per_token": 6 * params,
        "flops_per_token_body": 6 * params,
    }
    return Situation(**(base | changes))


def resolve(name: str, s: Situation, **settings: object) -> Hyperparameters:
    return recipes.get(name).resolve(s, settings)


def test_porian_s_rounded_forms() -> None:
    """The paper rounds its laws to 160 (N/108e6)^(2/3) sequences and 0.0047 (N/108e6)^(-1/3)."""
    for params in (3e7, 108e6, 4e8):
        h = resolve("porian", situation(params))
        assert h.batch_sequences == pytest.approx(160 * (params / 108e6) ** (2 / 3), rel=0.1)
        assert h.learning_rate == pytest.approx(0.0047 * (params / 108e6) ** (-1 / 3), rel=0.1)
    assert resolve("porian", situation(1e8)).beta2 == 0.99
    assert resolve("porian", situation(3e8)).beta2 == 0.95


def test_deepseek_s_own_models() -> None:
    """Table 2: 7B on 2T tokens used 4.2e-4 and 2,304 sequences of 4,096 tokens; 67B 3.2e-4 and 4,608: near
    the law."""
    for params, rate, sequences in ((6.9e9, 4.2e-4, 2304), (67e9, 3.2e-4, 4608)):
        h = resolve("deepseek", situation(params, 2e12, context=4096))
        assert h.learning_rate == pytest.approx(rate, rel=0.15)
        assert h.batch_sequences == pytest.approx(sequences, rel=0.15)


def test_step_law_by_hand() -> None:
    h = resolve("step_law", situation(1e9, 1e11))
    # 1.79 · 10^(9·-0.713) · 10^(11·0.307) and 0.58 · 10^(11·0.571)
    assert h.learning_rate == pytest.approx(1.79 * 10 ** (-6.417 + 3.377), rel=1e-5)
    assert h.batch_sequences == round(0.58 * 10**6.281 / 2048)


def test_power_lines_keeps_its_timescale() -> None:
    for tokens in (2e9, 2e10):
        s = situation(1e8, tokens)
        h = resolve("power_lines", s)
        timescale = h.batch_sequences * s.context / (h.learning_rate * h.weight_decay * tokens)
        assert timescale == pytest.approx(1.084 * (tokens / 1e8) ** -0.527, rel=1e-4)
    # 20 tokens per parameter: a fifth of the run, as the paper's figure 1 shows
    assert pytest.approx(0.22, abs=0.01) == 1.084 * 20**-0.527


def test_a_weight_decay_from_its_timescale() -> None:
    """What AdamW's steps multiply a weight by, over that share of the run, is 1/e."""
    s = situation(1e6, 2e7, context=64)
    for name in ("small_decoder", "step_law", "mup"):
        h = resolve(name, s, weight_decay_timescale=0.3)
        steps = 0.3 * s.tokens / (h.batch_sequences * s.context)
        assert (1 - h.learning_rate * h.weight_decay) ** steps == pytest.approx(math.exp(-1), rel=0.02)
        assert "0.3 of the run" in h.rules["weight_decay"]
    with pytest.raises(ConfigError, match="both set the decay"):
        resolve("mup", s, weight_decay_timescale=0.3, weight_decay=0.1)
    with pytest.raises(ConfigError, match="must be a positive number"):
        resolve("mup", s, weight_decay_timescale=0)


def test_kaplan_by_hand() -> None:
    h = resolve("kaplan", situation(1.5e9, 2.2e10))
    assert h.learning_rate == pytest.approx(0.003239 - 0.0001395 * math.log(1.5e9), rel=1e-4)
    # equation 1.4 at L near 2.6: about two million tokens
    assert 1e6 < h.batch_sequences * 2048 < 4e6


def test_rules_take_tokens_and_not_a_guess_of_them() -> None:
    """Along an IsoFLOP curve D falls as N rises; a batch from D must fall too."""
    batches = [resolve("step_law", situation(n, 1e18 / (6 * n))).batch_sequences for n in (1e7, 1e8, 1e9)]
    assert batches == sorted(batches, reverse=True)
    assert batches[0] > 10 * batches[2]


def test_small_decoder_and_mup_agree_at_the_tuned_width() -> None:
    assert resolve("small_decoder", situation()).learning_rate == 0.25 / 64
    assert resolve("mup", situation()).learning_rate == pytest.approx(0.25 / 64, rel=0.03)
    assert resolve("mup", situation(width=640)).learning_rate == resolve("mup", situation()).learning_rate


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_derived_number_has_its_rule_and_every_recipe_its_source_and_config(name: str) -> None:
    h = resolve(name, situation())
    assert {"learning_rate", "batch_sequences"} <= set(h.rules)
    assert RECIPES[name].source
    keys = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    assert keys.pop("name") == name
    assert keys.pop("defaults") == ["base", "_self_"]
    assert set(keys) == set(RECIPES[name].constants)
    assert set(keys.values()) <= {None}, "defaults stand in the package alone"


def test_what_is_set_comes_before_the_rule() -> None:
    h = resolve("step_law", situation(), learning_rate="1e-3", clip="none", beta2=None)
    assert (h.learning_rate, h.clip) == (1e-3, None)
    assert h.rules["learning_rate"] == "set in the config"
    assert resolve("fixed", situation(), peak=0.5).learning_rate == 0.5


def test_derived_numbers_keep_six_digits() -> None:
    rate = resolve("porian", situation(123_456_789)).learning_rate
    assert rate == float(f"{rate:.6g}")


def test_names_are_offered() -> None:
    with pytest.raises(ConfigError, match="did you mean 'step_law'"):
        recipes.get("steplaw")


def test_the_horizon_moves_the_rate_with_tokens_and_not_with_parameters() -> None:
    rate = {d: resolve("horizon", situation(tokens=d)).learning_rate for d in (7e5, 7e6)}
    assert rate[7e5] == pytest.approx(0.44 / 64)
    assert rate[7e5] / rate[7e6] == pytest.approx(10**0.27, rel=1e-5)

"""State the answer of a sweep in one sentence, with its cautions, from the fit's numbers and warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scaling.figures import units
from scaling.figures.compare import changes
from scaling.figures.source import Source


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The opening of the page."""

    sentence: str
    """The answer in one sentence, with its numbers."""
    basis: str
    """Method, level, runs and range behind the sentence."""
    facts: tuple[tuple[str, str, str], ...]
    """(label, number, explanation) of each number shown under the sentence."""
    cautions: tuple[str, ...]
    """Warnings to read before using the numbers."""


def _names(source: Source, column: str) -> str:
    values = sorted({str(v) for v in source.done[column].dropna()}) if column in source.done else []
    return " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)


def headline(fit: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """Return (method, a, b): the exponents of the answer, or None where the fit has none.

    They come from the IsoFLOP minima where there are any, else from the fitted surface.
    """
    approaches = fit.get("approaches") or {}
    derived = fit.get("derived") or {}
    for how, approach in (
        ("IsoFLOP minima", approaches.get("2")),
        ("the fitted surface", approaches.get("3") or derived),
        ("the fitted surface", derived),
    ):
        a = (approach or {}).get("a") or {}
        if a.get("value") is not None and math.isfinite(a["value"]):
            return how, a, (approach or {}).get("b") or {}
    return None


def answer(source: Source) -> Answer:
    """Return the answer of a folder of results."""
    done = source.done
    where = f"On {_names(source, 'corpus') or source.name}, with {_names(source, 'family') or 'this family'}"
    facts = [("runs", f"{len(done)}", f"of {len(source.runs)} in the ledger")]
    if len(done):
        spans = units.spoken_range(float(done["flops"].min()), float(done["flops"].max()), units.flops)
        column, unit = ("bits_per_byte", "bits per byte") if source.per_byte else ("loss", source.loss_unit)
        best = done.iloc[int(done[column].to_numpy(float).argmin())]
        facts.append(
            (
                "lowest loss",
                f"{best[column]:.3f}",
                f"{unit}, at {units.count(best['params'])} parameters and {units.flops(best['flops'])}",
            )
        )
    cautions = _cautions(source)
    if source.several and source.unfitted:
        return _compared(source, f"On {_names(source, 'corpus') or source.name}", facts, cautions)
    if source.fit is None:
        return Answer(
            sentence=f"{where}, {len(done)} of {len(source.runs)} runs are done; there is no fit yet: "
            f"run `scaling fit {source.name}`.",
            basis="",
            facts=tuple(facts),
            cautions=tuple(cautions),
        )
    head = headline(source.fit)
    budgets = ((source.fit.get("approaches") or {}).get("2") or {}).get("budgets") or []
    good = [b for b in budgets if b.get("inside") and b.get("opens_upwards")]
    if head is None:
        law = units.formula(str(source.fit.get("formula") or source.fit.get("law")))
        return Answer(
            sentence=f"{where}, {len(done)} runs were fitted with {law}; they do not determine how the "
            "best number of parameters N* and of tokens D* grow.",
            basis="",
            facts=tuple(facts),
            cautions=tuple(cautions),
        )
    how, a, b = head
    level = (
        f", {units.percent(a['level'])} intervals by {a['method']}"
        if a.get("level") and a.get("method")
        else ""
    )
    basis = (
        f"From {how}{level}. {units.things(len(done), 'run')}"
        + (f" of {spans}" if len(done) else "")
        + (f" at {len(good)} budgets with a minimum inside the sampled sizes." if good else ".")
    )
    sentence = f"{where}, the best number of parameters N* grows as {_power(a)}" + (
        f" and the best number of tokens D* as {_power(b)}" if b.get("value") is not None else ""
    )
    facts.insert(0, ("N* grows as", units.power("C", a["value"]), _small(a)))
    if b.get("value") is not None:
        facts.insert(1, ("D* grows as", units.power("C", b["value"]), _small(b)))
    if good:
        top = good[-1]
        ratio = top["D_opt"] / top["N_opt"]
        facts.append(
            (
                "tokens per parameter",
                units.digits(ratio),
                f"at the best size for {units.flops(top['C'])}: {units.count(top['N_opt'])} parameters",
            )
        )
        sentence += (
            f"; at {units.flops(top['C'])} the estimated best is {units.count(top['N_opt'])} parameters "
            f"on {units.count(top['D_opt'])} tokens"
        )
    return Answer(sentence=sentence + ".", basis=basis, facts=tuple(facts), cautions=tuple(cautions))


def _compared(source: Source, where: str, facts: list[tuple[str, str, str]], cautions: list[str]) -> Answer:
    """Return the answer of a study of several kinds of runs.

    It states the largest compute-equivalent gain where kinds were compared, else the changes of the loss.
    """
    comparison = source.comparison or {}
    gains = [
        g
        for g in comparison.get("gains") or []
        if math.isfinite((g.get("headline") or {}).get("value") or math.nan)
    ]
    if gains:
        best = max(gains, key=lambda g: g["headline"]["value"])
        head, spans = best["headline"], units.spoken_range(best["range"][0], best["range"][1], units.flops)
        months = next(
            (w.get("months") or {} for w in comparison.get("worth") or [] if w.get("of") == best["of"]), {}
        )
        paid = months.get("compute") or {}
        sentence = (
            f"{where}, {best['of']} reaches with compute C the loss that {best['over']} reaches with "
            f"{_times(head)} × C"
            + (
                f", equal to {_times(paid)} months of growth of frontier training compute"
                if paid.get("value")
                else ""
            )
        )
        numbers = [(str(g["of"]), f"× {units.digits(g['headline']['value'])}", _gain_small(g)) for g in gains]
        level = f", {units.percent(head['level'])} intervals by {head['method']}" if head.get("level") else ""
        runs = f"{len(source.done)} runs of {len(source.several)} kinds"
        basis = f"Compute-equivalent gain (factor of compute for equal loss) over {spans}{level}. {runs}."
    else:
        drawn = changes.data(source)
        if drawn.get("missing"):
            text = f"{len(source.done)} runs of {len(source.several)} kinds are done; {source.unfitted}"
            return Answer(sentence=f"{where}, {text}", basis="", facts=tuple(facts), cautions=tuple(cautions))
        sentence, basis = f"{where}: {drawn['title'][:1].lower()}{drawn['title'][1:]}", drawn["footer"][0]
        last = [r for r in drawn["rows"] if r["C"] == max(drawn["budgets"])]
        numbers = [(r["kind"], _share(r["change"]), _change_small(r, drawn["against"])) for r in last[:3]]
    return Answer(sentence=sentence + ".", basis=basis, facts=(*numbers, *facts), cautions=tuple(cautions))


def _times(estimate: dict[str, Any]) -> str:
    """Return an estimate with its interval, such as `2.5 [1.6, 18]`, in two digits."""
    span = estimate.get("interval") or []
    ends = [units.digits(v) if v is not None else "unbounded" for v in span]
    return units.digits(estimate["value"]) + (f" [{', '.join(ends)}]" if ends else "")


def _gain_small(g: dict[str, Any]) -> str:
    span = _times(g["headline"]).partition(" ")[2]
    return f"{span} of the compute of {g['over']}".strip()


def _share(change: float) -> str:
    return f"{100 * change:+.1f}{units.SPACE}%".replace("-", "−")


def _change_small(row: dict[str, Any], against: str) -> str:
    span = row["interval"]
    ends = f"[{_share(span[0])}, {_share(span[1])}] " if span else ""
    return f"{ends}of the loss of {against} at {units.flops(row['C'])}"


def _power(estimate: dict[str, Any]) -> str:
    return f"{units.power('C', estimate['value'])} {units.interval(estimate.get('interval'))}".strip()


def _small(estimate: dict[str, Any]) -> str:
    span = units.interval(estimate.get("interval"))
    return (
        f"{span} at {units.percent(estimate['level'])}"
        if span and estimate.get("level")
        else span or "no interval"
    )


def _cautions(source: Source) -> list[str]:
    """Return the warnings of the fit, the gaps of the ledger and the limits of the design."""
    cautions: list[str] = []
    fit = source.fit or {}
    approaches = list((fit.get("approaches") or {}).values())
    for text in [
        *(fit.get("warnings") or []),
        *(w for a in approaches if isinstance(a, dict) for w in a.get("warnings") or []),
    ]:
        if str(text) not in cautions:
            cautions.append(str(text))
    runs, done = source.runs, source.done
    if "status" in runs:
        for status, count in runs["status"].fillna("unknown").value_counts().items():
            if status != "done":
                cautions.append(
                    f"{count} of {len(runs)} runs ended as {status}; figures and fits leave them out"
                )
    if fit and (fit.get("input") or {}).get("rows") not in (None, len(runs)):
        cautions.append(
            f"the fit was made from {fit['input']['rows']} rows and the ledger now has {len(runs)}; "
            f"run `scaling fit {source.name}` again"
        )
    if source.implied:
        cautions.append(
            f"{source.implied} of {len(runs)} runs have no C in the ledger; it is set to 6 N D for them"
        )
    if fit and source.unfitted:
        cautions.append(source.unfitted.rstrip("."))
    cautions += [str(w) for w in (source.comparison or {}).get("warnings") or []]
    if len(done) and "epochs" in done and float(done["epochs"].max()) > 1.0:
        cautions.append(
            "some runs read their text more than once (up to "
            f"{units.digits(float(done['epochs'].max()))} epochs); repeated text lowers the loss less than "
            "new text"
        )
    if len(done) > 1 and float(done["flops"].max() / done["flops"].min()) < 100:
        cautions.append(
            "the runs span a factor of "
            f"{units.digits(float(done['flops'].max() / done['flops'].min()))} in compute; exponents "
            "over less than two decades depend on the window"
        )
    return cautions

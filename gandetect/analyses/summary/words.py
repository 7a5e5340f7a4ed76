"""The first screen: three questions and their answers, the matrix, and who generalises."""

from __future__ import annotations

from collections.abc import Callable, Collection

from gandetect.analyses.analysis import OPENING, Analysis, Chapter
from gandetect.analyses.cross_evaluation.words import share_heat
from gandetect.analyses.summary.warnings import notes, say, warnings
from gandetect.config import LabelledDataConfig, detector_table
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.results import NOUNS, StudyResults
from gandetect.report.words import FAKE_ROLES, count, group, number, per_hundred, sentence
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scored_detectors import KINDS
from gandetect.statistics.scores import IN_DISTRIBUTION

# The yardstick of the verdict. It is ours, and the report says so.
CAUGHT_ENOUGH = 0.80
FLAGGED_AT_MOST = 0.10
REALS = ("in-distribution", "held-out")
HELD = 0.5  # a detector generalises where it catches at least this share of what it catches of own
LITTLE = 0.5  # of own fakes: who catches less has little to lose
QUESTIONS = {
    "Usable as a detector?": ("own", "in-distribution"),
    "Does it generalise?": ("other", "own-other-seed"),
    "Does it spare what is real but new?": ("held-out",),
}


def opening(results: StudyResults) -> list[Block]:
    """Under the title: what was done, for somebody who has never heard of any of this."""
    data, facts = results.inputs.experiment.data, results.inputs.data
    counts = {kind: len(results.of_kind(kind)) for kind in KINDS}
    asked = [f"{count(n)} {NOUNS[kind]}{'s' if n > 1 else ''}" for kind, n in counts.items() if n]
    kinds = {str(results.recipe(name)) for name in results.of_kind("post-hoc")}
    labels = data.classes if isinstance(data, LabelledDataConfig) else {}
    held_out = [str(name) for name in facts.get("held_out", [])]
    overlap = results.inputs.overlap
    allowed = overlap.get("policy") == "allow" and bool(overlap.get("images"))
    return [
        *say.paragraphs(
            "opening",
            results,
            asked,
            counts,
            [detector_table(kind).METHOD for kind in sorted(kinds)],
            [name for name in held_out if labels.get(name, "real") == "real"],
            [name for name in held_out if labels.get(name, "real") != "real"],
            bool(facts.get("leak")) or allowed,
            bool(getattr(data, "selection", ())),
            _chosen_epochs(results),
        )
    ]


def _chosen_epochs(results: StudyResults) -> list[tuple[str, str, list[Row]]]:
    """Detectors whose epoch was chosen, with their GANs and a row of each seed."""
    return [
        (one.name, one.made_of[0], chosen(results.rows("operating_points"), detector=one.name))
        for one in results.inputs.experiment.detectors
        if one.EPOCH_CHOSEN and one.name in results.detectors
    ]


def answer(results: StudyResults) -> list[Block]:
    """Three questions and their answers, the matrix, the limits, and who generalises."""
    point, leak = results.point, bool(results.inputs.data.get("leak"))
    allowed = per_hundred(results.inputs.experiment.evaluation.calibrated_fpr)
    where = f"with at most {allowed} of 100 reals flagged" if point == "calibrated" else (
        "at the native threshold, as training left it"
    )  # fmt: skip
    return [
        *_answers(results, point, where, leak),
        share_heat(results, point, where),
        Text(say.yardstick(results, CAUGHT_ENOUGH, FLAGGED_AT_MOST, leak), "note"),
        *([] if leak else _generalisation(results, point)),
    ]


def _answers(results: StudyResults, point: str, where: str, leak: bool) -> list[Block]:
    blocks: list[Block] = []
    for question, asked in QUESTIONS.items():
        # At the calibrated threshold the share of reals that may be flagged is given.
        roles = [one for one in asked if one != "in-distribution" or point == "native"]
        parts = [text for role in roles if (text := _group(results, role, point))]
        if parts:
            verdict = "" if leak else _verdict(results, roles, point)
            text = sentence(f"{where}, {'; '.join(parts)}" if roles[0] == "own"
                            else "; ".join(parts))  # fmt: skip
            blocks.append(Text(f"{verdict}{text}.", "lead", question))
    return blocks


def _group(results: StudyResults, role: str, point: str) -> str:
    """``of 100 fakes, the discriminator of a catches 12; the classifier b catches 99``."""
    by_kind: dict[str, dict[str, str]] = {}
    for name in results.detectors:
        if value := worst(results, name, role, point):
            by_kind.setdefault(NOUNS[results.kind(name)], {})[name] = value
    return say.group(results, role, point, by_kind) if by_kind else ""


def worst(results: StudyResults, detector: str, role: str, point: str) -> str:
    """``82 (81 to 83)`` of 100 caught, or reals flagged; of several sources the worst answered."""
    row = results.least(detector, role, point)
    if row is None:
        return ""
    share, (low, high) = row["mean"], row["ci95"]
    return per_hundred(*((1 - share, 1 - high, 1 - low) if role in REALS else (share, low, high)))


def _verdict(results: StudyResults, roles: Collection[str], point: str) -> str:
    """Whether the discriminators, or without any all other detectors, pass the yardstick."""
    names = [
        name
        for name in results.discriminators or results.detectors
        if any(results.across(name, role, point) for role in roles)
    ]
    good = [name for name in names if passes(results, name, point, roles)]
    if len(good) == len(names):
        return "Yes. " if names else ""
    return f"Only {' and '.join(good)}. " if good else "No. "


def passes(results: StudyResults, detector: str, point: str, roles: Collection[str]) -> bool:
    """Whether a detector reaches the yardstick on every source in these roles."""
    return all(
        row["mean"] >= (1 - FLAGGED_AT_MOST if role in REALS else CAUGHT_ENOUGH)
        for role in roles
        for row in results.across(detector, role, point)
    )


def _generalisation(results: StudyResults, point: str) -> list[Block]:
    """What each detector still catches of fakes that it was not trained on."""
    roles = [role for role in FAKE_ROLES if results.has(role)]
    if len(roles) < 2:
        return []

    def caught(role: str) -> Callable[[str], str]:
        return lambda name: worst(results, name, role, point) or "–"

    columns: Columns = {
        "Detector": lambda name: sentence(results.called(name)),
        **{sentence(group(role, results.labelled)): caught(role) for role in roles},
        "What is left": (lambda name: _change(results, name, point)) if "other" in roles else None,
    }
    return [table(f"Fakes caught of 100, {point} threshold", results.detectors, columns)]


def _change(results: StudyResults, name: str, point: str) -> str:
    """Whether a detector holds on other fakes, or what it falls to."""
    own, other, reals = (results.least(name, role, point)
                         for role in ("own", "other", "in-distribution"))  # fmt: skip
    if not results.own(name):
        return "has seen no fakes"
    if own is None or other is None:
        return "not tried"
    if reals is not None and own["mean"] <= 1 - reals["mean"]:
        return "nothing was caught to begin with"
    change = f"{per_hundred(own['mean'])} to {per_hundred(other['mean'])}"
    holds = other["mean"] >= HELD * own["mean"]
    area = _area(results, name, other["source"])
    if area is not None and area < 0.5:
        ranks = f"ranks them below reals (AUROC {number(area, 2)})"
        return f"{'' if holds else 'falls from '}{change}, and {ranks}"
    if own["mean"] < LITTLE:
        return "little was caught to begin with"
    return f"{'holds:' if holds else 'falls from'} {change}"


def _area(results: StudyResults, detector: str, generated: str) -> float | None:
    """AUROC against in-distribution reals, the mean over seeds."""
    pairs = chosen(results.metrics["pairs_across_seeds"], detector=detector, real=IN_DISTRIBUTION)
    return next((float(row["mean_auroc"]) for row in chosen(pairs, generated=generated)), None)


ANALYSIS = Analysis(
    "summary",
    chapters=[
        Chapter(OPENING, "", [opening]),
        Chapter("In short", "The answer", [warnings, answer, notes]),
    ],
)

"""The first screen: three questions and their answers beside the matrix, at each point."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from gandetect.analyses.analysis import OPENING, Analysis, Chapter
from gandetect.analyses.cross_evaluation.words import share_heat
from gandetect.analyses.summary.warnings import notes, say, warnings
from gandetect.config import detector_table
from gandetect.report.document import Block, Switch, Text
from gandetect.report.results import StudyResults
from gandetect.report.words import POINTS, REAL_ROLES, per_hundred
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scored_detectors import FEWEST, KINDS
from gandetect.statistics.scores import IN_DISTRIBUTION

# The yardstick of the verdict. It is ours, and the report says so.
CAUGHT_ENOUGH = 0.80
FLAGGED_AT_MOST = 0.10
Verdicts: TypeAlias = dict[str, dict[bool | None, list[str]]]
QUESTIONS = {
    "Usable as a detector?": ("own", "generated", "in-distribution"),
    "Does it generalise?": ("other", "own-other-seed", "in-distribution"),
    "Does it leave new real images alone?": ("held-out", "other-source"),
}


def opening(results: StudyResults) -> list[Block]:
    """Under the title: what was done, for somebody who has never heard of any of this."""
    if results.facts.is_table:
        return []
    settings, facts = results.facts.data, results.inputs.data
    made_by = {
        group: [
            detector_table(kind).METHOD
            for kind in sorted({str(results.recipe(name)) for name in results.of_kind(group)})
        ]
        for group in ("post-hoc", "external")
    }
    labels = settings["classes"] if results.labelled else {}
    held_out = [str(name) for name in facts.get("held_out", [])]
    overlap = results.inputs.overlap
    allowed = overlap.get("policy") == "allow" and bool(overlap.get("images"))
    return [
        *say.paragraphs(
            "opening",
            results,
            {kind: len(results.of_kind(kind)) for kind in KINDS},
            made_by,
            [name for name in held_out if labels.get(name, "real") == "real"],
            [name for name in held_out if labels.get(name, "real") != "real"],
            bool(facts.get("leak")) or allowed,
            bool(settings.get("selection")),
            _chosen_epochs(results),
        )
    ]


def _chosen_epochs(results: StudyResults) -> list[tuple[str, str, list[Row]]]:
    """Detectors whose epoch was chosen, with their GANs and a row of each seed."""
    return [
        (one.name, one.made_of[0], chosen(results.rows("operating_points"), detector=one.name))
        for one in results.facts.post_hoc
        if one.EPOCH_CHOSEN and one.name in results.detectors
    ]


def answer(results: StudyResults) -> list[Block]:
    """Three questions, their answers and the matrix at each operating point, and the limits."""
    options = [
        (POINTS[point], [*verdicts_at(results, point), share_heat(results, point)])
        for point in results.points
    ]
    yardstick = CAUGHT_ENOUGH, FLAGGED_AT_MOST, FEWEST
    return [
        Switch("Operating point", options, results.points.index(results.point)),
        *say.paragraphs("yardstick", results, *yardstick, _leaks(results)),
    ]


def _leaks(results: StudyResults) -> bool:
    return bool(results.inputs.data.get("leak"))


def verdicts_at(results: StudyResults, point: str) -> list[Text]:
    """Each question that applies, with its answer at an operating point."""
    texts: list[Text] = []
    every, reals_told = results.detectors, False
    for question, roles in QUESTIONS.items():
        judged = {name for name in every if _judged_in(results, name, roles, point)}
        groups = {role: of for role in roles if (of := _by_kind(results, role, point, judged))}
        by_others = {name for name in every if "other" not in roles
                     and "other" in _judged_in(results, name, roles, point)}  # fmt: skip
        if by_others:
            groups = {"other": _by_kind(results, "other", point, by_others), **groups}
        if reals_told:
            groups.pop("in-distribution", None)
        reals_told |= "in-distribution" in groups
        if {*groups} - {"in-distribution"}:
            verdicts = {} if _leaks(results) else _verdicts(results, roles, point)
            below = _below_reals(results, point) if "other" in roles else {}
            few = _with_few_images(results, roles, point)
            text = say.answer(results, point, groups, verdicts, few, below)
            texts.append(Text(text, "lead", question))
    return texts


def _by_kind(
    results: StudyResults, role: str, point: str, names: Collection[str]
) -> Mapping[str, Mapping[str, str]]:
    """Of each kind of these detectors the names, with what each answers in this role."""
    values = {name: worst(results, name, role, point) for name in names}
    by_kind = {kind: {name: values[name] for name in results.of_kind(kind) if values.get(name)}
               for kind in KINDS}  # fmt: skip
    return {kind: of for kind, of in by_kind.items() if of}


def _judged_in(
    results: StudyResults, detector: str, roles: Sequence[str], point: str
) -> Sequence[str]:
    """The roles that a detector is judged in; none where it has no figures of what is asked.

    Where fakes are asked for, a detector that knows none as its own is judged by all others: one
    that calls every image real would pass on reals alone.
    """
    fakes = [role for role in roles if role not in REAL_ROLES]
    if any(results.across(detector, role, point) for role in fakes or roles):
        return roles
    return ["other", *roles] if fakes and results.across(detector, "other", point) else []


def worst(results: StudyResults, detector: str, role: str, point: str) -> str:
    """``82 (81 to 83)`` of 100 caught, or reals flagged; of several sources the worst, by name."""
    row = results.least(detector, role, point)
    if row is None:
        return ""
    share, (low, high) = row["mean"], row["ci95"]
    bounds = (1 - share, 1 - high, 1 - low) if role in REAL_ROLES else (share, low, high)
    several = len(results.across(detector, role, point)) > 1
    return per_hundred(*bounds) + (f" of {row['source'].partition(':')[2]}'s" if several else "")


def _verdicts(results: StudyResults, roles: Sequence[str], point: str) -> Verdicts:
    """Detectors that have figures in these roles, by kind and by whether they pass."""
    verdicts: Verdicts = {}
    for name in results.detectors:
        if judged_in := _judged_in(results, name, roles, point):
            kind = "the discriminators" if name in results.discriminators else "all other detectors"
            of = verdicts.setdefault(kind, {True: [], False: [], None: []})
            of[passes(results, name, point, judged_in)].append(name)
    return verdicts


def _with_few_images(results: StudyResults, roles: Sequence[str], point: str) -> set[str]:
    return {
        name
        for name in results.detectors
        for role in _judged_in(results, name, roles, point)
        for row in results.across(name, role, point)
        if min(row["n"]) < FEWEST
    }


def passes(results: StudyResults, detector: str, point: str, roles: Collection[str]) -> bool | None:
    """Whether a detector reaches the yardstick on every source in these roles.

    None where the means do, and the worse end of an interval does not, or images are too few.
    """
    rows = [(row, 1 - FLAGGED_AT_MOST if role in REAL_ROLES else CAUGHT_ENOUGH)
            for role in roles for row in results.across(detector, role, point)]  # fmt: skip
    if any(row["mean"] < least for row, least in rows):
        return False
    sure = (min(row["n"]) >= FEWEST and row["ci95"][0] >= least for row, least in rows)
    return all(sure) or None


def _below_reals(results: StudyResults, point: str) -> dict[str, float]:
    """Detectors that rank other fakes below in-distribution reals, with the mean AUROC."""
    pairs = chosen(results.metrics["pairs_across_seeds"], real=IN_DISTRIBUTION)
    areas = {(row["detector"], row["generated"]): float(row["mean_auroc"]) for row in pairs}
    least = {name: results.least(name, "other", point) for name in results.detectors}
    return {name: area for name, row in least.items()
            if row and (area := areas.get((name, row["source"]), 1.0)) < 0.5}  # fmt: skip


CHAPTERS = [
    Chapter(OPENING, "", [opening]),
    Chapter("The answer", "", [warnings, answer]),
    Chapter("Can I trust this?", "", [notes]),
]
ANALYSIS = Analysis("summary", chapters=CHAPTERS)

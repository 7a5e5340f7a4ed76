"""Whether a score can be read as a probability, and what moving the cut can mend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from gandetect.report.document import Block, Table, Text
from gandetect.report.figures.calibration import ROLES, k_shot_curves, reliability_diagrams
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    count,
    listing,
    number,
    number_interval,
    percent,
    percent_interval,
)

METHODS = {
    "none": "as scored",
    "temperature": "temperature",
    "platt": "Platt",
    "isotonic": "isotonic",
}
HONEST = {"real:in-distribution": "known classes", "real:held-out": "held-out classes"}
ALWAYS_HALF = 0.25  # the Brier score of always saying 50 %
USEFUL = 0.6  # balanced accuracy; below it even the best cut is little better than a coin toss
CLOSE = 0.01  # a cut this near to the best one, in balanced accuracy, is called as good
GAPS_SHOWN = 3


def calibration(material: Material) -> list[Block]:
    """Reliability before and after calibration, its measures, and cuts that delay few."""
    rows = in_order(material, "calibration")
    blocks: list[Block] = []
    if rows:
        blocks += [_calibration_lead(rows), *_reliability(material), _measures(material, rows)]
    blocks += not_measured(material, "calibration")
    few = in_order(material, "low_fpr")
    if few:
        blocks += _low_fpr(material, few)
    return [*blocks, *not_measured(material, "low_fpr")]


def k_shot(material: Material) -> list[Block]:
    """How many labelled images of a new source a cut needs."""
    rows = in_order(material, "k_shot")
    if not rows:
        return not_measured(material, "k_shot")
    shots = sorted({row["k"] for row in rows})
    header = ["Detector", "New source", *(_labels(k) for k in shots), "Best cut possible"]
    groups = grouped(rows, "detector", "source")
    detectors = present(material, rows)
    draws = max(row["draws"] for row in rows)
    whiskers = "lowest to highest run" if material.many_seeds else "the middle 95 % of the draws"
    return [
        Text(_shot_words(rows), "lead"),
        Text(
            "Nothing is trained again: only the cut moves. It is always the cut with the best "
            "balanced accuracy (the mean of fakes caught and honest images passed). With 0 labels "
            "it lies between calibration fakes of the kinds that the detector was trained on and "
            "calibration reals; with more, between that many fakes of the new source, drawn "
            f"{count(draws)} times, and calibration reals. It is judged on the fakes that were not "
            "drawn and on "
            "test reals of known classes. The best cut possible is chosen on the test images "
            "themselves: an upper bound that nobody can attain."
        ),
        drawn(
            "k-shot",
            lambda: k_shot_curves(rows, detectors),
            f"Balanced accuracy by number of labelled fakes. {_shot_words(rows)}",
            f"A line for each new source; whiskers: {whiskers}. Dashes at the right: the best cut "
            "possible.",
        ),
        Table(
            f"Balanced accuracy by labelled fakes of the new source (in brackets: {whiskers})",
            header,
            [_shot_row(material, group, shots) for group in groups.values()],
            text_columns=2,
        ),
        *not_measured(material, "k_shot"),
    ]


def not_measured(material: Material, name: str) -> list[Block]:
    """A sentence for what could not be measured; nothing when nothing is missing."""
    gaps = list(dict.fromkeys(material.metrics.get("gaps", {}).get(name, [])))
    if not gaps:
        return []
    rest = len(gaps) - GAPS_SHOWN
    more = f"; and {count(rest)} more like these" if rest > 0 else ""
    return [Text(f"Not measured: {'; '.join(gaps[:GAPS_SHOWN])}{more}.", "missing")]


def grouped(
    rows: Iterable[Mapping[str, Any]], *keys: str
) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Rows by the values of these keys, in the order in which they come."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def in_order(material: Material, name: str) -> list[dict[str, Any]]:
    """Rows of one kind of the metrics, detectors in the report's order; none where it is absent."""
    rows = material.metrics.get(name, [])
    return sorted(rows, key=lambda row: material.detectors.index(row["detector"]))


def chosen_on(rows: Sequence[Mapping[str, Any]]) -> str:
    """What images anything was fitted on: calibration images, or validation ones without those."""
    sources = {source for row in rows for source in row["fitted_on"]}
    kinds = [kind for kind in ("calibration", "validation")
             if any(source.endswith(f":{kind}") for source in sources)]  # fmt: skip
    return f"{listing(kinds)} images"


def present(material: Material, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Detectors that have rows, in the report's order."""
    found = {row["detector"] for row in rows}
    return [name for name in material.detectors if name in found]


def spread(values: Sequence[float], say: Callable[[float, Sequence[float] | None], str]) -> str:
    """A mean, with the lowest and the highest value where they differ.

    >>> spread([0.1, 0.2], number_interval), spread([0.1], percent_interval)
    ('0.150 (0.100 to 0.200)', '10.0 %')
    """
    low, high = min(values), max(values)
    return say(fmean(values), [low, high] if high > low else None)


def _calibration_lead(rows: Sequence[Mapping[str, Any]]) -> Text:
    parts = ["When a detector says 90 %, is it right 90 times of 100?"]
    for method, opening in (
        ("none", "As they come, the probabilities that detectors state are off by"),
        ("platt", f"After a scale and a shift, fitted on {chosen_on(rows)}, they are off by"),
    ):
        errors = {role: _values(rows, role, method, "ece") for role in ROLES}
        named = [f"{points(found)} on {ROLES[role][0]}" for role, found in errors.items() if found]
        if named:
            parts.append(f"{opening} {listing(named)}.")
    brier = _values(rows, "other", "platt", "brier")
    if brier and fmean(brier) >= ALWAYS_HALF:
        parts.append(
            "On other fakes they are then, on average, no better than always saying 50 % "
            f"(Brier score {number(fmean(brier))})."
        )
    return Text(" ".join(parts), "lead")


def _values(rows: Sequence[Mapping[str, Any]], role: str, method: str, measure: str) -> list[float]:
    """One measure of a method against reals of known classes, over runs and sources."""
    return [
        row[measure]
        for row in rows
        if (row["role"], row["method"], row["real"]) == (role, method, "real:in-distribution")
    ]


def points(values: Sequence[float]) -> str:
    """Shares as points of 100, from the lowest to the highest.

    >>> points([0.264, 0.31]), points([0.01])
    ('26.4 to 31.0 points of 100', '1.0 points of 100')
    """
    low, high = f"{100 * min(values):.1f}", f"{100 * max(values):.1f}"
    return f"{low if low == high else f'{low} to {high}'} points of 100"


def _reliability(material: Material) -> list[Block]:
    curves = material.metrics.get("reliability", [])
    methods = [name for name in ("none", "platt", "isotonic")
               if any(curve["method"] == name for curve in curves)]  # fmt: skip
    if not methods:
        return []
    detectors = present(material, curves)
    intervals = "A line for each run." if material.many_seeds else "Bars: 95 % over images."
    return [
        drawn(
            "reliability",
            lambda: reliability_diagrams(curves, detectors, methods),
            "Reliability diagrams before and after calibration: the probability of being "
            f"generated that {listing(detectors)} state, against the share that was; the "
            "errors stand in the table below.",
            "On the dotted line a stated probability is what was so; a point below it is a "
            "detector too ready to call images generated. Bins hold equal mass, real and generated "
            f"counting half each. {intervals}",
        )
    ]


def _measures(material: Material, rows: Sequence[Mapping[str, Any]]) -> Table:
    header = ["Detector", "Fakes", "Reals"]
    header += [f"ECE, {words}" for words in METHODS.values()]
    header += [f"Brier, {METHODS[name]}" for name in ("none", "platt", "isotonic")]
    wanted = [("ece", name) for name in METHODS]
    wanted += [("brier", name) for name in ("none", "platt", "isotonic")]
    body = []
    for (detector, role, real), group in grouped(rows, "detector", "role", "real").items():
        cells = [
            spread([row[measure] for row in group if row["method"] == method], number_interval)
            for measure, method in wanted
        ]
        body.append([detector, f"{ROLES[role][0]}{_how_many(group)}", HONEST[real], *cells])
    several = any(" (" in cell for line in body for cell in line[3:])
    note = " Mean, and the lowest and highest run or source." if several else ""
    return Table(
        "Calibration error (ECE, 15 bins of equal mass; 0 is best, though a sample never shows 0) "
        f"and Brier score (always saying 50 % has 0.25); fitted on {chosen_on(rows)}.{note}",
        header,
        body,
        text_columns=3,
    )


def _low_fpr(material: Material, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    roles = [role for role in (*ROLES, "in-distribution", "held-out")
             if any(row["role"] == role for row in rows)]  # fmt: skip
    allowed = listing([f"{100 * fpr:g}" for fpr in sorted({r["fpr"] for r in rows})], "or")
    names = {role: f"{words[0]} caught" for role, words in ROLES.items()}
    names |= {"in-distribution": "known classes delayed", "held-out": "held-out classes delayed"}
    body = []
    for (detector, fpr), group in grouped(rows, "detector", "fpr").items():
        cells = [_called([row for row in group if row["role"] == role]) for role in roles]
        body.append([detector, f"{100 * fpr:g} %", *cells])
    return [
        Text(
            f"A marketplace can delay few honest photos. These cuts let only {allowed} of 100 "
            f"reals be delayed, of the {chosen_on(rows)} that chose them; the shares of test reals "
            "say what came of it. "
            f"{_caught_words(rows)}"
        ),
        Table(
            "Caught, when few honest images may be delayed (one run and source: 95 % interval over "
            "test images; several: their mean, lowest and highest)",
            ["Detector", "May be delayed", *(names[role] for role in roles)],
            body,
            text_columns=2,
        ),
    ]


def _caught_words(rows: Sequence[Mapping[str, Any]]) -> str:
    strictest = min(row["fpr"] for row in rows)
    parts = []
    for role in ROLES:
        found = [r["called"] for r in rows if r["role"] == role and r["fpr"] == strictest]
        if found:
            reach = percent(min(found))
            if percent(max(found)) != reach:
                reach = f"{100 * min(found):.1f} to {percent(max(found))}"
            parts.append(f"{reach} of {ROLES[role][0]}")
    return f"At {100 * strictest:g} % the detectors catch {listing(parts)}." if parts else ""


def _called(group: Sequence[Mapping[str, Any]]) -> str:
    if not group:
        return "–"
    if len(group) == 1:
        return percent_interval(group[0]["called"], group[0]["ci95"])
    return spread([row["called"] for row in group], percent_interval)


def _how_many(group: Sequence[Mapping[str, Any]]) -> str:
    sources = len({row["generated"] for row in group})
    return f" ({sources} sources)" if sources > 1 else ""


def _shot_row(
    material: Material, group: Sequence[Mapping[str, Any]], shots: Sequence[int]
) -> list[str]:
    first = group[0]
    cells = []
    for k in shots:
        found = [row for row in group if row["k"] == k]
        if len(found) == 1 and found[0]["low"] is not None:
            (row,) = found
            cells.append(percent_interval(row["balanced_accuracy"], [row["low"], row["high"]]))
        else:
            values = [row["balanced_accuracy"] for row in found]
            cells.append(spread(values, percent_interval) if values else "–")
    best = list({row["detector_seed"]: row["oracle"] for row in group}.values())
    source = material.named(first["source"], first["detector"])
    return [first["detector"], source, *cells, spread(best, percent_interval)]


def _shot_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many labels bring the cut within one point of the best one, counted over pairs."""
    groups = list(grouped(rows, "detector", "source").values())
    best = [fmean(row["oracle"] for row in group) for group in groups]
    beyond = sum(value < USEFUL for value in best)
    parts = [
        f"Of {_pairs(len(groups))} of a detector and a source that is new to it, "
        f"{beyond or 'none'} {'is' if beyond == 1 else 'are'} beyond any cut, which is where even "
        f"the best possible one answers fewer than {100 * USEFUL:.0f} of 100 right (a coin toss "
        "answers 50)."
    ]
    needed = [_needed(group) for group in groups if fmean(r["oracle"] for r in group) >= USEFUL]
    if needed:
        shots = sorted({k for k in needed if k is not None})
        reached = [f"{needed.count(k)} with {_labels(k)}" for k in shots]
        if None in needed:
            reached.append(f"{needed.count(None)} with none of the numbers tried")
        parts.append(
            f"Of {'the other' if beyond else 'these'} {_pairs(len(needed))} the cut comes within "
            f"one point of the best possible in {listing(reached)}."
        )
    return " ".join(parts)


def _needed(group: Sequence[Mapping[str, Any]]) -> int | None:
    """Fewest labels with which the mean cut is as good as the best one; None when none is."""
    best = fmean(row["oracle"] for row in group)
    for k in sorted({row["k"] for row in group}):
        if fmean(row["balanced_accuracy"] for row in group if row["k"] == k) >= best - CLOSE:
            return int(k)
    return None


def _labels(k: int) -> str:
    return "no label" if k == 0 else f"{count(k)} labels"


def _pairs(n: int) -> str:
    return "1 pair" if n == 1 else f"{count(n)} pairs"

"""Who keeps its hold on fakes that it was not trained on, in words."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from gandetect.report.document import Block, Table
from gandetect.report.material import Material
from gandetect.report.words import listing, number, per_hundred, sentence

# A detector keeps its hold where it catches at least this share of what it catches of its own.
HELD = 0.5
LITTLE = 0.5  # of own fakes: who catches less has little to lose


def who_generalises(material: Material) -> str:
    """Who holds and who collapses on foreign fakes, at equal cost to honest photos if possible.

    Empty where no detector was tried on fakes that it was not trained on.
    """
    if not material.has("other"):
        return ""
    point = material.point
    kept, lost, nothing, untried = [], [], [], []
    for name in material.detectors:
        if material.least(name, "own", point) is None:
            continue
        if material.least(name, "other", point) is None:
            untried.append(material.called(name))
        elif _no_better_than_chance(material, name, point):
            nothing.append(material.called(name))
        elif collapse := _collapse(material, name, point):
            lost.append(f"{material.called(name)} {collapse}")
        else:
            kept.append(_hold(material, name, point))
    where = "With the same false alarms" if point == "calibrated" else "At the native threshold"
    parts = [_kept(kept), _lost(lost, nobody=not kept), _nothing(nothing)]
    said = f"{where}, {'; '.join(filter(None, parts))}." if any(parts) else ""
    return " ".join(filter(None, [said, _untried(untried)]))


def hold_table(material: Material) -> list[Block]:
    """Each detector's hold on fakes that it was not trained on; not where images leak."""
    columns = {
        role: words
        for role, words in (
            ("own", "Own fakes"),
            ("own-other-seed", "Same generator, trained again"),
            ("other", "Other fakes"),
        )
        if material.has(role)
    }
    if len(columns) < 2 or material.inputs.data.get("leak"):
        return []
    point = material.point
    rows = [
        [
            sentence(material.called(name)),
            *(_hundred(material.least(name, role, point)) for role in columns),
            *([_word(material, name, point)] if "other" in columns else []),
        ]
        for name in material.detectors
    ]
    verdict = ["What is left"] if "other" in columns else []
    caption = f"What is left on fakes that were not trained on: caught of 100, {point} threshold"
    return [Table(caption, ["Detector", *columns.values(), *verdict], rows)]


def _hundred(row: dict[str, Any] | None) -> str:
    return "–" if row is None else per_hundred(row["mean"], *row["ci95"])


def _word(material: Material, name: str, point: str) -> str:
    own, other = (material.least(name, role, point) for role in ("own", "other"))
    if not material.own(name):
        return "has seen no fakes"
    if own is None or other is None:
        return "not tried"
    if _no_better_than_chance(material, name, point):
        return "nothing was caught to begin with"
    if own["mean"] < LITTLE:
        return "little was caught to begin with"
    change = f"{per_hundred(own['mean'])} to {per_hundred(other['mean'])}"
    return f"falls from {change}" if _collapse(material, name, point) else f"holds: {change}"


def another_run(material: Material) -> str:
    """What is left on fakes of the same generator from another training run, or nothing."""
    point = material.point
    parts, strangers = [], []
    for name in material.detectors:
        own = material.least(name, "own", point)
        other = material.least(name, "own-other-seed", point)
        if own is None or other is None:
            continue
        parts.append(
            f"{material.called(name)} catches {per_hundred(other['mean'], *other['ci95'])}, where "
            f"it catches {per_hundred(own['mean'])} of its own"
        )
        if other["ci95"][1] < own["mean"]:
            strangers.append(material.called(name))
    if not parts:
        return ""
    last = f" To {listing(strangers)} it is a stranger." if strangers else ""
    return (
        "Of 100 fakes of the same generator, trained again with nothing changed but the seed, "
        f"{'; '.join(parts)} ({point} threshold).{last}"
    )


def _collapse(material: Material, detector: str, point: str) -> str:
    """How a detector fails on the foreign source that it answers worst, or an empty string."""
    own = material.least(detector, "own", point)
    other = material.least(detector, "other", point)
    assert own is not None
    assert other is not None
    area = _area(material, detector, other["source"])
    backwards = area is not None and area < 0.5
    if not backwards and other["mean"] >= HELD * own["mean"]:
        return ""
    images = material.named(other["source"])
    images = images if material.labelled else f"images {images}"
    takes = f", and takes the foreign ones for more real than real photos (AUROC {number(area, 2)})"
    return (
        f"catches {per_hundred(other['mean'])} of 100 {images} instead of "
        f"{per_hundred(own['mean'])} of its own{takes if backwards else ''}"
    )


def _hold(material: Material, detector: str, point: str) -> str:
    """A detector that keeps its hold, with the numbers: a weak one may lose little."""
    own = material.least(detector, "own", point)
    other = material.least(detector, "other", point)
    assert own is not None
    assert other is not None
    caught = f"{per_hundred(other['mean'])} of 100 caught, {per_hundred(own['mean'])} of its own"
    return f"{material.called(detector)} ({caught})"


def _no_better_than_chance(material: Material, detector: str, point: str) -> bool:
    """Whether it calls its own fakes generated no more often than honest photos."""
    own = material.least(detector, "own", point)
    reals = material.least(detector, "in-distribution", point)
    return own is not None and reals is not None and own["mean"] <= 1 - reals["mean"]


def _area(material: Material, detector: str, generated: str) -> float | None:
    """AUROC against test reals of the trained classes, the mean over seeds."""
    areas = [
        pair["auroc"]
        for pair in material.metrics["pairs"]
        if (pair["detector"], pair["generated"], pair["real"])
        == (detector, generated, "real:in-distribution")
    ]
    return fmean(areas) if areas else None


def _kept(names: list[str]) -> str:
    if not names:
        return ""
    one = len(names) == 1
    keep, they, their = (
        ("keeps its", "it was", "its") if one else ("keep their", "they were", "their")
    )
    share = f"{HELD:.0%}".replace("%", " %")
    return (
        f"{listing(names)} {keep} hold on fakes that {they} not trained on (at least {share} of "
        f"what is caught of {their} own)"
    )


def _lost(lost: list[str], nobody: bool) -> str:
    if not lost:
        return ""
    return f"{'no detector keeps its hold' if nobody else 'not so'}: {'; '.join(lost)}"


def _nothing(names: list[str]) -> str:
    if not names:
        return ""
    have, call, their = ("has", "calls", "its") if len(names) == 1 else ("have", "call", "their")
    return (
        f"{listing(names)} {have} no hold to lose, and {call} {their} own fakes generated no more "
        "often than honest photos"
    )


def _untried(names: list[str]) -> str:
    if not names:
        return ""
    was, hold = (
        ("was", "its hold on others was")
        if len(names) == 1
        else ("were", "their hold on others was")
    )
    return f"{sentence(listing(names))} {was} trained on all of these fakes, so {hold} not tried."

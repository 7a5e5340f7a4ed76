"""The question, and the answer in three sentences that need no knowledge of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.words import listing, per_hundred, sentence

QUESTION = (
    "A marketplace lets sellers upload photos of clothes, and nobody can look at all of them. Does "
    "the discriminator that was trained inside a GAN make a usable detector of generated images, "
    "and does it generalise to images that it never saw: those of another generator, and honest "
    "photos of kinds of garment that it was not trained on?"
)
# The yardstick of the verdict. It is ours, and the report says so.
CAUGHT_ENOUGH = 0.80
DELAYED_AT_MOST = 0.10


def question(material: Material) -> list[Block]:
    """What is asked."""
    return [Text(material.inputs.experiment.question or QUESTION)]


def answer(material: Material) -> list[Block]:
    """Three sentences, the numbers they rest on, and what the intervals cover."""
    sentences = [_caught(material), _delayed(material), _at_equal_cost(material)]
    blocks: list[Block] = [Text(text, "lead") for text in sentences if text]
    return [*blocks, Text(_scope(material), "note"), _per_hundred_table(material)]


def _caught(material: Material) -> str:
    own = _of_each(material, "own", "native", "catches", introduce=True)
    other = _of_each(material, "other", "native", "catches")
    parts = []
    if own:
        parts.append(f"of 100 images made by its own generator, {own}")
    if other:
        parts.append(f"of 100 made by {_another(material)}, {other}")
    return f"{sentence('; '.join(parts))}." if parts else ""


def _delayed(material: Material) -> str:
    trained = _of_each(material, "in-distribution", "native", "delays")
    unseen = _of_each(material, "held-out", "native", "delays")
    parts = []
    if trained:
        parts.append(f"of 100 honest photos of the kinds it was trained on, {trained}")
    if unseen:
        parts.append(f"of 100 of kinds it never saw, {unseen}")
    return f"The price: {'; '.join(parts)}." if parts else ""


def _at_equal_cost(material: Material) -> str:
    """What is left when honest photos are spared, and whether that would do."""
    if "calibrated" not in material.points:
        return (
            "Sparing honest photos could not be tried, as the scores hold no calibration reals; at "
            f"the threshold of training, {_verdict(material, 'native')}."
        )
    allowed = per_hundred(material.inputs.experiment.evaluation.calibrated_fpr)
    parts = []
    for role, words, verb in (
        ("own", "of 100 images of its own generator", "catches"),
        ("other", f"of 100 of {_another(material)}", "catches"),
        ("held-out", "of 100 honest photos of unseen kinds", "delays"),
    ):
        values = _of_each(material, role, "calibrated", verb)
        if values:
            parts.append(f"{words}, {values}")
    return (
        f"Set on separate photos so that at most {allowed} honest ones of 100 are delayed, these "
        f"change: {'; '.join(parts)}; {_verdict(material, 'calibrated')}."
    )


def _of_each(material: Material, role: str, point: str, verb: str, introduce: bool = False) -> str:
    """``a's catches 82 (81 to 83) and b's 94 (93 to 95)``, or with words on whose these are."""
    values = [
        (detector, value)
        for detector in material.detectors
        if (value := _worst(material, detector, role, point, delayed=verb == "delays"))
    ]
    if not values:
        return ""
    (first, value), *rest = values
    if introduce:
        parts = [f"the discriminator of {first} {verb} {value}"]
        return listing([*parts, *(f"that of {name} {value}" for name, value in rest)])
    return listing([f"{first}'s {verb} {value}", *(f"{name}'s {value}" for name, value in rest)])


def _worst(material: Material, detector: str, role: str, point: str, delayed: bool) -> str:
    """``82 (81 to 83)`` of 100 caught, or delayed; of several sources the worst answered."""
    rows = material.across(detector, role, point)
    if not rows:
        return ""
    row = min(rows, key=lambda row: float(row["mean"]))
    low, high = _bounds(material, row)
    if delayed:
        return per_hundred(1 - row["mean"], 1 - high, 1 - low)
    return per_hundred(row["mean"], low, high)


def _bounds(material: Material, row: dict[str, Any]) -> tuple[float, float]:
    """The interval over images of a single run, or the lowest and highest of several runs."""
    if len(row["seeds"]) > 1:
        return min(row["correct"]), max(row["correct"])
    cell = material.cells(row["detector"], row["source"], row["operating_point"])[0]
    return cell["ci95"][0], cell["ci95"][1]


def _another(material: Material) -> str:
    others = [len(material.across(name, "other", "native")) for name in material.detectors]
    return "the other generator that it knows least" if max(others) > 1 else "the other generator"


def _verdict(material: Material, point: str) -> str:
    good = [name for name in material.detectors if _would_do(material, name, point)]
    bad = [name for name in material.detectors if name not in good]
    yardstick = (
        f"by our yardstick (at least {per_hundred(CAUGHT_ENOUGH)} of 100 fakes of every generator "
        f"caught, at most {per_hundred(DELAYED_AT_MOST)} of 100 honest photos delayed) "
    )
    if good and bad:
        return (
            f"{yardstick}{listing(good)} would do as a detector of these fakes, {listing(bad)} not"
        )
    if good:
        return f"{yardstick}{listing(good)} would do as a detector of these fakes"
    nobody = {1: f"{bad[0]} would not", 2: "neither would"}.get(len(bad), "none would")
    return f"{yardstick}{nobody} do as a detector"


def _would_do(material: Material, detector: str, point: str) -> bool:
    wanted = {
        "own": CAUGHT_ENOUGH,
        "other": CAUGHT_ENOUGH,
        "in-distribution": 1 - DELAYED_AT_MOST,
        "held-out": 1 - DELAYED_AT_MOST,
    }
    return all(
        row["mean"] >= least
        for role, least in wanted.items()
        for row in material.across(detector, role, point)
    )


def _scope(material: Material) -> str:
    if material.many_seeds:
        return (
            f"Means over {len(material.seeds)} training runs (seeds), with the lowest and the "
            "highest run in brackets. “Caught” means called generated; “delayed” means an honest "
            "photo called generated."
        )
    return (
        "In brackets: 95 % intervals (Wilson) for the chance of drawing other images. They rest on "
        "one training run of each GAN and do not cover how differently another run would turn out. "
        "“Caught” means called generated; “delayed” means an honest photo called generated."
    )


def _per_hundred_table(material: Material) -> Table:
    columns: Sequence[tuple[str, str, bool]] = (
        ("own", "own fakes caught", False),
        ("other", "other fakes caught", False),
        ("in-distribution", "honest photos delayed, trained kinds", True),
        ("held-out", "honest photos delayed, unseen kinds", True),
    )
    rows = [
        [f"{detector}, {point}"]
        + [_worst(material, detector, role, point, delayed) or "–" for role, _, delayed in columns]
        for point in material.points
        for detector in material.detectors
    ]
    header = ["of 100", *(sentence(title) for _, title, _ in columns)]
    return Table("The same numbers side by side, of 100 images each", header, rows)

"""The answer in full sentences that need no knowledge of statistics."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gandetect.analyses.summary.generalisation import another_run, who_generalises
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.words import listing, per_hundred, sentence
from gandetect.statistics.scored_detectors import KINDS

# The yardstick of the verdict. It is ours, and the report says so.
CAUGHT_ENOUGH = 0.80
DELAYED_AT_MOST = 0.10
LEAST = {
    "own": CAUGHT_ENOUGH,
    "own-other-seed": CAUGHT_ENOUGH,
    "other": CAUGHT_ENOUGH,
    "in-distribution": 1 - DELAYED_AT_MOST,
    "held-out": 1 - DELAYED_AT_MOST,
}


def answer(material: Material) -> list[Block]:
    """The verdict, who generalises, and what each kind of detector catches at which price."""
    sentences: list[str] = []
    for kind in KINDS:
        names = [name for name in material.detectors if material.kind(name) == kind]
        if names:
            sentences += [_caught(material, names), _delayed(material, names)]
            sentences.append(_at_equal_cost(material, names))
    first = [_verdict(material), who_generalises(material), another_run(material)]
    return [
        *(Text(text) for text in first if text),
        *(Text(text) for text in sentences if text),
        _per_hundred_table(material),
    ]


def _caught(material: Material, names: list[str]) -> str:
    own = _of_each(material, names, "own", "native", "catches", introduce=True)
    other = _of_each(material, names, "other", "native", "catches")
    parts = []
    if own:
        parts.append(f"of 100 {_own_fakes(material, names)}, {own}")
    if other:
        parts.append(f"of 100 {other_fakes(material)}, {other}")
    return f"{sentence('; '.join(parts))}." if parts else ""


def _own_fakes(material: Material, names: list[str]) -> str:
    if material.labelled:
        return "fakes of the kinds it was trained on"
    if material.kind(names[0]) != "discriminator":
        return "images of a generator that it was trained on"
    return "images made by its own generator"


def other_fakes(material: Material) -> str:
    """Fakes that a detector was not trained on, in words that follow a number."""
    if material.labelled:
        return "fakes of a kind it never saw"
    return f"made by {_another(material)}"


def _delayed(material: Material, names: list[str]) -> str:
    trained = _of_each(material, names, "in-distribution", "native", "delays")
    unseen = _of_each(material, names, "held-out", "native", "delays")
    parts = []
    if trained:
        parts.append(f"of 100 honest photos of the kinds it was trained on, {trained}")
    if unseen:
        parts.append(f"of 100 of kinds it never saw, {unseen}")
    return f"The price: {'; '.join(parts)}." if parts else ""


def _at_equal_cost(material: Material, names: list[str]) -> str:
    """What is left when honest photos are spared, and whether that would do."""
    if "calibrated" not in material.points:
        return "Sparing honest photos could not be tried, as the scores hold no calibration reals."
    allowed = per_hundred(material.inputs.experiment.evaluation.calibrated_fpr)
    parts = []
    for role, words, verb in (
        ("own", f"of 100 {_own_fakes(material, names)}", "catches"),
        ("other", f"of 100 {other_fakes(material)}", "catches"),
        ("held-out", "of 100 honest photos of unseen kinds", "delays"),
    ):
        values = _of_each(material, names, role, "calibrated", verb)
        if values:
            parts.append(f"{words}, {values}")
    return (
        f"Set on separate photos so that at most {allowed} honest ones of 100 are delayed, these "
        f"change: {'; '.join(parts)}."
    )


def _of_each(
    material: Material,
    names: list[str],
    role: str,
    point: str,
    verb: str,
    introduce: bool = False,
) -> str:
    """``a's catches 82 (81 to 83) and b's 94 (93 to 95)``, or with words on whose these are."""
    values = [
        (name, value)
        for name in names
        if (value := worst(material, name, role, point, delayed=verb == "delays"))
    ]
    if not values:
        return ""
    (first, value), *rest = values
    discriminators = material.kind(first) == "discriminator"
    if introduce:
        that = "that of " if discriminators else ""
        parts = [f"{material.called(first)} {verb} {value}"]
        return listing([*parts, *(f"{that}{name} {value}" for name, value in rest)])
    s = "'s" if discriminators else ""
    return listing([f"{first}{s} {verb} {value}", *(f"{name}{s} {value}" for name, value in rest)])


def worst(material: Material, detector: str, role: str, point: str, delayed: bool) -> str:
    """``82 (81 to 83)`` of 100 caught, or delayed; of several sources the worst answered."""
    row = material.least(detector, role, point)
    if row is None:
        return ""
    low, high = row["ci95"]
    if delayed:
        return per_hundred(1 - row["mean"], 1 - high, 1 - low)
    return per_hundred(row["mean"], low, high)


def _another(material: Material) -> str:
    others = [len(material.across(name, "other", "native")) for name in material.detectors]
    return "the other generator that it knows least" if max(others) > 1 else "the other generator"


def _verdict(material: Material) -> str:
    """Who would do as a detector, by which yardstick; nobody's figures count when images leak."""
    if material.inputs.data.get("leak"):
        return ""
    point = material.point
    good = [name for name in material.detectors if passes(material, name, point, LEAST)]
    bad = [name for name in material.detectors if name not in good]
    every = "fakes" if material.labelled else "fakes of every generator"
    yardstick = (
        f"By our yardstick (at least {per_hundred(CAUGHT_ENOUGH)} of 100 {every} caught, at most "
        f"{per_hundred(DELAYED_AT_MOST)} of 100 honest photos delayed, at the {point} threshold)"
    )
    if good:
        others = f", {listing(bad)} not" if bad else ""
        return f"{yardstick} {listing(good)} would do as a detector of these fakes{others}."
    nobody = {1: f"{bad[0]} would not", 2: "neither would"}.get(len(bad), "none would")
    return f"{yardstick} {nobody} do as a detector."


def passes(material: Material, detector: str, point: str, roles: Collection[str]) -> bool:
    """Whether a detector reaches the yardstick on every source in these roles."""
    return all(
        row["mean"] >= LEAST[role]
        for role in roles
        for row in material.across(detector, role, point)
    )


def scope(material: Material) -> str:
    """What the intervals cover and what they leave out."""
    if material.many_seeds:
        return (
            f"Means over {len(material.seeds)} training runs (seeds). In brackets: 95 % intervals "
            "for the mean over other runs on other images, which is what would be found by "
            "training again; thresholds are taken as they were chosen. “Caught” means called "
            "generated; “delayed” means an honest photo called generated."
        )
    return (
        "In brackets: 95 % intervals (Wilson) for the chance of drawing other images. They rest on "
        "one training run of each network and do not cover how differently another run would turn "
        "out. “Caught” means called generated; “delayed” means an honest photo called generated."
    )


def _per_hundred_table(material: Material) -> Table:
    everything: Sequence[tuple[str, str, bool]] = (
        ("own", "own fakes caught", False),
        ("own-other-seed", "same generator, another run, caught", False),
        ("other", "other fakes caught", False),
        ("in-distribution", "honest photos delayed, trained kinds", True),
        ("held-out", "honest photos delayed, unseen kinds", True),
    )
    roles = {cell["role"] for cell in material.metrics["cells"]}
    columns = [column for column in everything if column[0] in roles]
    rows = []
    for point in material.points:
        for detector in material.detectors:
            values = [worst(material, detector, role, point, late) for role, _, late in columns]
            if any(values):
                rows.append([detector, point, *(value or "–" for value in values)])
    header = ["Detector", "Operating point", *(sentence(title) for _, title, _ in columns)]
    return Table("The same numbers side by side, of 100 images each", header, rows, text_columns=2)
